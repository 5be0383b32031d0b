"""The calendar: what goes out when, to how many, and what became of it; before the launch and after."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db.models import Count

from equipoise.platform.clock import now
from equipoise.platform.delivery.models import Dispatch
from equipoise.platform.delivery.planning.carriers import carrier_of
from equipoise.platform.delivery.planning.confirming import confirmed, unconfirmed
from equipoise.platform.delivery.planning.expected import Expected, expected_people
from equipoise.platform.delivery.watch.tallies import Tally, tally
from equipoise.platform.permissions import EVERYBODY, Reach
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of
from equipoise.protocol.occasions import Occasion, arms_at, each_their_own, occasions
from equipoise.protocol.sends import Send, sends

__all__ = ["Row", "calendar"]

States = Mapping[tuple[str, int], Mapping[str, int]]


@dataclass(frozen=True)
class Row:
    """One occasion of a send.

    Attributes:
        send: what goes out.
        occasion: from 1.
        due: when, in UTC, in the study's zone; None where that is each participant's own.
        last: until when it may still go out; None likewise.
        when: in words, where each participant has their own moment; empty otherwise.
        carrier: who carries it; None where the workspace has nobody for its channel.
        people: who get it: those for whom it is planned, otherwise those who would get it now.
        unknown: of whom it cannot be told yet whether they get it.
        estimated: `people` hangs on lots or arrivals to come.
        confirmed: a person has let it go out in the form that it has now.
        waits: its time is not over, and a person has to let it go out first.
        missed: quiet hours leave no time for it.
        moved: quiet hours put it off.
        states: how many dispatches there are in each state; empty before it is planned.
    """

    send: Send
    occasion: int
    due: datetime | None
    last: datetime | None
    when: str
    carrier: str | None
    people: int
    unknown: int
    estimated: bool
    confirmed: bool = False
    waits: bool = False
    missed: bool = False
    moved: bool = False
    states: Mapping[str, int] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Of the send."""
        return self.send.name

    @property
    def planned(self) -> bool:
        """Whether there are dispatches of it."""
        return bool(self.states)


def calendar(
    study: Study, whose: Reach = EVERYBODY, *, counted: Tally | None = None, ahead: bool = True
) -> list[Row]:
    """Every occasion of everything that a study sends, by time; what has no moment of its own comes last.

    Args:
        study: in any state.
        whose: the people who are counted.
        counted: the dispatches of everybody, where they are counted already.
        ahead: say also to how many something will go that is not planned yet, which takes longer.
    Raises:
        ProtocolError: a time or a rule of sending cannot be read.
    """
    kept = counted or tally(study)
    stand, states = confirmed(study), _states(study, whose, kept)
    waiting = {each.send.name for each in unconfirmed(study)}
    by_audience: dict[Any, Expected] = {}
    rows = []
    for send in sends(folder_of(study)).values():
        for each in _moments(study, send):
            known = states.get((send.name, each.number), {})
            found = kept.expected.get((send.name, each.number)) if whose.everybody else None
            if known or not ahead:
                found = _planned(known)
            elif found is None:
                found = _expected(study, send, each, whose, by_audience)
            row = _row(study, send, each, found, known)
            waits = send.name in waiting and (row.last is None or row.last >= now())
            rows.append(replace(row, confirmed=send.name in stand, waits=waits))
    return sorted(
        rows, key=lambda row: (row.due is None, row.due and row.due.timestamp(), row.name, row.occasion)
    )


def _moments(study: Study, send: Send) -> list[Occasion]:
    """The occasions; thanks have one, at whatever moment."""
    moment = now()
    return occasions(folder_of(study).protocol, send) or [Occasion(1, moment, moment, moment)]


def _expected(
    study: Study, send: Send, occasion: Occasion, whose: Reach, counted: dict[Any, Expected]
) -> Expected:
    """Counted once for all that have the same audience."""
    arms = arms_at(folder_of(study).protocol, send, occasion.due)
    asks = (send.wave, send.kind) if send.kind in ("invite", "remind") else send.activity
    key = (asks, send.stage, arms, send.where)
    if key not in counted:
        counted[key] = expected_people(study, send, occasion.due, whose)
    return counted[key]


def _planned(states: Mapping[str, int]) -> Expected:
    return Expected(sum(number for state, number in states.items() if state != "cancelled"), 0, False)


def _row(study: Study, send: Send, each: Occasion, found: Expected, states: Mapping[str, int]) -> Row:
    when = _in_words(study, send, each.number)
    return Row(
        send=send,
        occasion=each.number,
        due=None if when else each.due,
        last=None if when else each.last,
        when=when,
        carrier=carrier_of(send),
        people=found.people,
        unknown=found.unknown,
        estimated=found.estimated,
        missed=not when and each.missed,
        moved=not when and each.moved,
        states=states,
    )


def _in_words(study: Study, send: Send, number: int) -> str:
    """When it goes out, where that is each participant's own moment."""
    protocol = folder_of(study).protocol
    if send.kind == "thank":
        return "on completion"
    if not each_their_own(protocol, send):
        return ""
    if send.wave is None:
        contact = protocol.contacts[send.name]
        later = f", then every {contact.every}" if contact.every and number > 1 else ""
        return f"{contact.from_}{later}"
    wave = protocol.waves[send.wave]
    after = f", {wave.remind.after[number - 1]} later" if send.kind == "remind" and wave.remind else ""
    return f"{wave.opens}{after}"


def _states(study: Study, whose: Reach, kept: Tally) -> States:
    """How many dispatches are in each state, by send and occasion."""
    if whose.everybody:
        return {key: counted.states for key, counted in kept.occasions.items()}
    found: dict[tuple[str, int], dict[str, int]] = {}
    for contact, occasion, state, number in _rows(study, whose):
        found.setdefault((contact, occasion), {})[state] = number
    return found


def _rows(study: Study, whose: Reach) -> Iterator[tuple[str, int, str, int]]:
    rows = whose.narrow(Dispatch.objects.filter(study=study), "participant__partner_id").order_by()
    yield from rows.values_list("contact", "occasion", "state").annotate(Count("pk"))
