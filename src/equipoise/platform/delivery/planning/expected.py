"""How many will get a send: as many as are in its audience now; before the draw, as its ratio lets expect."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from equipoise.platform.delivery.planning.audience import audience, chosen, is_fixed, selected_by
from equipoise.platform.people.models import Participant
from equipoise.platform.permissions import EVERYBODY, Reach
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of, rolling
from equipoise.protocol.models.allocation import RatioRule
from equipoise.protocol.occasions import arms_at
from equipoise.protocol.sends import Send

__all__ = ["Expected", "expected_people"]


@dataclass(frozen=True)
class Expected:
    """How many people.

    Attributes:
        people: who get it.
        unknown: of whom it cannot be told yet.
        estimated: it hangs on lots that are not drawn, or on people who are still to come.
    """

    people: int
    unknown: int
    estimated: bool


def expected_people(study: Study, send: Send, moment: datetime, whose: Reach = EVERYBODY) -> Expected:
    """How many get a send at a moment, as things stand.

    Args:
        study: of this workspace.
        send: of its folder in force.
        moment: when it goes out.
        whose: the people who are counted.
    """
    drawn = is_fixed(study, send)
    people = whose.narrow(audience(study, send if drawn else replace(send, arms=()), moment))
    share = None if drawn else _share(study, send, moment)
    to_come = _to_come(study, send, moment) if whose.everybody else 0.0
    if send.where is None and (drawn or share is not None):
        number = people.count() * (1.0 if share is None else share)
        return Expected(round(number + to_come), 0, not drawn or to_come > 0)
    found, unknown = to_come, 0
    for some in chosen(study, send, people):
        found += len(some.people) if drawn else _in_arms(study, send, moment, some.people)
        unknown += some.unknown
    return Expected(round(found), unknown, not drawn or to_come > 0)


def _share(study: Study, send: Send, moment: datetime) -> float | None:
    """The share of everybody that a send's arms will have; None where it differs between people."""
    if not send.arms:
        return 1.0
    protocol = folder_of(study).protocol
    stage = protocol.allocation[send.stage or protocol.main_stage]
    if stage.among is not None or len(stage.ratio) != 1:
        return None
    return _of_rule(stage.ratio[0], arms_at(protocol, send, moment))


def _in_arms(study: Study, send: Send, moment: datetime, numbers: list[int]) -> float:
    """How many of some people their stage's ratio will put into a send's arms."""
    protocol = folder_of(study).protocol
    stage = protocol.allocation.get(send.stage or "")
    if stage is None:
        return float(len(numbers))
    left = numbers if stage.among is None else selected_by(study, stage.among, numbers).people
    return sum(_by_rules(study, stage.ratio, left, arms_at(protocol, send, moment)))


def _by_rules(
    study: Study, rules: tuple[RatioRule, ...], numbers: list[int], arms: tuple[str, ...]
) -> Iterator[float]:
    """The first rule that selects somebody is theirs."""
    left = numbers
    for rule in rules:
        theirs = left if rule.where is None else selected_by(study, rule.where, left).people
        yield len(theirs) * _of_rule(rule, arms)
        mine = set(theirs)
        left = [number for number in left if number not in mine]


def _of_rule(rule: RatioRule, arms: tuple[str, ...]) -> float:
    return sum(rule.shares.get(arm, 0) for arm in arms) / sum(rule.shares.values())


def _to_come(study: Study, send: Send, moment: datetime) -> float:
    """Of those whom the protocol expects and who are still to come, how many get it; where a roster brings
    everybody, all of them until it is there."""
    declared = folder_of(study).protocol.participants
    if declared is None or declared.expected is None:
        return 0.0
    came = Participant.objects.filter(study=study).exclude(state="screening").count()
    if came and not rolling(study):
        return 0.0
    return max(0, declared.expected - came) * (_share(study, send, moment) or 0.0)
