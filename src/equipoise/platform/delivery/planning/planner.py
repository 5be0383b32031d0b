"""The planner: dispatches of everything confirmed that is due soon, each person once.

An occasion is planned two days ahead, so that it can be looked at, and once more when it is due, for whoever
has come or agreed in between. However often it is done, the same dispatches are there. What lies past its
last moment is planned as missed: after an outage nothing comes in a flood.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max, Min

from equipoise.platform.clock import now
from equipoise.platform.database import writing
from equipoise.platform.delivery.models import ConfirmedContact, Dispatch, Occasion
from equipoise.platform.delivery.planning.audience import audience, chosen, is_fixed
from equipoise.platform.delivery.planning.carriers import carrier_of
from equipoise.platform.delivery.planning.confirming import confirmed
from equipoise.platform.delivery.planning.own_times import plan_own, plan_thanks
from equipoise.platform.delivery.planning.planned import Slot, in_force, is_stale, store
from equipoise.platform.delivery.planning.time_zones import zones_of
from equipoise.platform.people.models import Participant
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of, rolling
from equipoise.protocol.occasions import Occasion as Moment
from equipoise.protocol.occasions import each_their_own, occasions
from equipoise.protocol.sends import Send, sends

__all__ = ["AHEAD", "plan_due", "plan_now"]

_log = logging.getLogger("equipoise.delivery")
AHEAD = timedelta(days=2)
_NUMBERS_AT_ONCE = 20_000


@dataclass(frozen=True)
class _Timed:
    """An occasion in one time zone: its moment, and the query that narrows an audience to who lives there."""

    moment: Moment
    whose: Any  # a Q of participants; None for everybody


def plan_due() -> int:
    """Plan what is due within two days in every live study; how many dispatches that makes."""
    return sum(_plan(study) for study in Study.objects.filter(state="live").order_by("pk"))


def plan_now(study: Study, name: str, occasion: int) -> int:
    """Plan an occasion however far ahead it is, for somebody who sends it at once.

    Args:
        study: live.
        name: of a send that is confirmed; one whose moments are each person's own is left to `plan_due`.
        occasion: from 1.
    Returns:
        How many dispatches that makes.
    """
    send, told = sends(folder_of(study)).get(name), confirmed(study).get(name)
    if send is None or told is None or send.kind == "thank":
        return 0
    carrier = carrier_of(send)
    if carrier is None or not is_fixed(study, send) or each_their_own(folder_of(study).protocol, send):
        return 0
    slot = Slot(study, send, carrier)
    timed = [each for some in _occasions(study, send) for each in some if each.moment.number == occasion]
    return sum(_fill(slot, each) for each in timed if each.moment.last >= now())


def _plan(study: Study) -> int:
    made = 0
    known = sends(folder_of(study))
    for name, told in confirmed(study).items():
        try:
            made += _plan_send(study, known[name], told)
        except Exception:  # the others go out all the same, and the watch tells that this one does not
            _log.exception("%s of %s cannot be planned", name, study.name)
    return made


def _plan_send(study: Study, send: Send, told: ConfirmedContact) -> int:
    carrier = carrier_of(send)
    if carrier is None or not is_fixed(study, send):
        return 0
    slot = Slot(study, send, carrier)
    if send.kind == "thank":
        return plan_thanks(slot, told)
    if each_their_own(folder_of(study).protocol, send):
        return plan_own(slot, told, now() + AHEAD)
    return sum(_plan_occasion(slot, told, timed) for timed in _occasions(study, send))


def _occasions(study: Study, send: Send) -> Iterator[list[_Timed]]:
    """Every occasion, each in all the time zones of the study's people."""
    protocol = folder_of(study).protocol
    zones = zones_of(study)
    by_zone = [(whose, occasions(protocol, send, zone=zone)) for zone, whose in zones]
    for number in range(send.times):
        yield [_Timed(found[number], whose) for whose, found in by_zone if number < len(found)]


def _plan_occasion(slot: Slot, told: ConfirmedContact, timed: list[_Timed]) -> int:
    """Plan an occasion, if it is its time: at first, when it is due, and for whoever comes as long as it
    lasts. What was over before it was confirmed is not planned at all."""
    moment = now()
    timed = [each for each in timed if each.moment.last >= told.at]
    if not timed or min(each.moment.due for each in timed) - AHEAD > moment:
        return 0
    number, last_due = timed[0].moment.number, max(each.moment.due for each in timed)
    this = {"study": slot.study, "contact": slot.send.name, "number": number, "digest": told.digest}
    done = Occasion.objects.filter(**this).first()
    lasts = rolling(slot.study) and moment <= max(each.moment.last for each in timed)
    if done is not None and not lasts and (done.planned_at >= last_due or moment < last_due):
        return 0
    made = sum(_fill(slot, each) for each in timed)
    if done is None or made or done.planned_at < last_due <= moment:
        _note(this, last_due, moment)
    return made


def _note(this: dict[str, Any], due: datetime, moment: datetime) -> None:
    """That an occasion is planned, and for how many."""
    people = Dispatch.objects.filter(
        study=this["study"], contact=this["contact"], occasion=this["number"]
    ).count()
    with writing():
        if in_force(this["study"]):
            told = {"due_at": due, "planned_at": moment, "people": people}
            Occasion.objects.update_or_create(**this, defaults=told)


def _fill(slot: Slot, timed: _Timed) -> int:
    """The dispatches of an occasion, for people of one time zone: some thousands a transaction."""
    people = audience(slot.study, slot.send, timed.moment.due).filter(enrolled_at__lte=timed.moment.last)
    people = people if timed.whose is None else people.filter(timed.whose)
    if slot.send.where is not None:
        narrowed = (
            Participant.objects.filter(pk__in=some.people) for some in chosen(slot.study, slot.send, people)
        )
    else:
        narrowed = (people.filter(pk__gt=first, pk__lte=last) for first, last in _ranges(slot.study))
    made, stale = 0, is_stale(slot, timed.moment)
    for some in narrowed:
        stored = store(slot, timed.moment, some, stale=stale)
        if stored is None:
            return (
                made  # an amendment has come into force, or the study was paused: the next round sees to it
            )
        made += stored
    return made


def _ranges(study: Study) -> Iterator[tuple[int, int]]:
    """The numbers of a study's participants, in pieces."""
    ends = Participant.objects.filter(study=study).aggregate(first=Min("pk"), last=Max("pk"))
    if ends["first"] is not None:
        for start in range(ends["first"] - 1, ends["last"], _NUMBERS_AT_ONCE):
            yield start, start + _NUMBERS_AT_ONCE
