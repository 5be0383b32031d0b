"""Planning what has no moment of the study's: so long after somebody came in, or once they have answered."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Q

from equipoise.platform.clock import now
from equipoise.platform.database import writing
from equipoise.platform.delivery.engine.events import add_all
from equipoise.platform.delivery.models import ConfirmedContact, Dispatch
from equipoise.platform.delivery.planning.audience import audience, chosen
from equipoise.platform.delivery.planning.planned import WITHDRAWN, Slot, in_force, row_of
from equipoise.platform.delivery.planning.time_zones import own_zones
from equipoise.platform.fieldwork.models import Session
from equipoise.platform.people.models import Participant
from equipoise.platform.registry.queries import folder_of
from equipoise.protocol.occasions import Occasion as Moment
from equipoise.protocol.occasions import occasions, thanks

__all__ = ["lacking_own", "lacking_thanks", "plan_own", "plan_thanks"]

# By how much somebody's own moment may lie beside what it is for somebody enrolled now: months differ in
# length, and quiet hours and holidays put off.
_SLACK = timedelta(days=10)
_THANKED_FOR = timedelta(weeks=1)


@dataclass(frozen=True)
class _Form:
    """A send in a form that was confirmed; two with one digest have the same moments."""

    slot: Slot = field(compare=False)
    digest: str


Lacking = Iterator[tuple[int, dict[int, Moment]]]


def plan_own(slot: Slot, told: ConfirmedContact, until: datetime) -> int:
    """Plan what each person gets so long after they came in, as far as it is due until a moment."""
    return _plan(slot, lacking_own(slot, told, until))


def plan_thanks(slot: Slot, told: ConfirmedContact) -> int:
    """Plan the thanks to everybody who has answered the wave since shortly before thanking was confirmed."""
    return _plan(slot, lacking_thanks(slot, told))


def lacking_own(slot: Slot, told: ConfirmedContact, until: datetime) -> Lacking:
    """Who should have what is so long after they came in, and has no dispatch of it.

    Args:
        slot: a send of which everybody has moments of their own.
        told: that it is confirmed.
        until: what is due later has time.
    Returns:
        Some thousands at a time: the number of an occasion, and the moment of it by participant.
    """
    protocol, moment = folder_of(slot.study).protocol, now()
    form = _Form(slot, told.digest)
    for usual in occasions(protocol, slot.send, moment):
        came = until - (usual.written - moment) + _SLACK
        people = audience(slot.study, slot.send, moment).filter(enrolled_at__lte=came)
        for some in _without(slot, usual.number, people):
            found = _moments(form, usual.number, some)
            soon = {
                person: each for person, each in found.items() if each.due <= until and each.last >= told.at
            }
            yield usual.number, soon


def lacking_thanks(slot: Slot, told: ConfirmedContact) -> Lacking:
    """Who has answered the wave since shortly before thanking was confirmed, and has no dispatch of it."""
    protocol = folder_of(slot.study).protocol
    since = told.at - _THANKED_FOR
    done = Session.objects.filter(
        study=slot.study, wave=slot.send.wave, state="complete", ended_at__gte=since
    )
    people = audience(slot.study, slot.send, now()).filter(pk__in=done.values("participant"))
    for some in _without(slot, 1, people):
        zones = own_zones(slot.study, some)
        rows = done.filter(participant__in=some).values_list("participant", "ended_at")
        yield 1, {person: thanks(protocol, ended, zones.get(person)) for person, ended in rows}


def _moments(form: _Form, number: int, people: list[int]) -> dict[int, Moment]:
    rows = Participant.objects.filter(pk__in=people).values_list("pk", "enrolled_at")
    zones = own_zones(form.slot.study, people)
    return {person: _theirs(form, enrolled, zones.get(person))[number - 1] for person, enrolled in rows}


@lru_cache(maxsize=16_384)
def _theirs(form: _Form, enrolled: datetime, zone: ZoneInfo | None) -> tuple[Moment, ...]:
    """The moments of whoever came in then: every round asks for those whose time is near."""
    protocol = folder_of(form.slot.study).protocol
    return tuple(occasions(protocol, form.slot.send, enrolled, zone))


def _without(slot: Slot, number: int, people: Any) -> Iterator[list[int]]:
    """Those who have no dispatch of an occasion, or one that was called off with an earlier form."""
    called_off = Q(state="cancelled", reason=WITHDRAWN)
    there = Dispatch.objects.filter(
        participant=OuterRef("pk"), contact=slot.send.name, occasion=number
    ).exclude(called_off)
    for some in chosen(slot.study, slot.send, people.filter(~Exists(there))):
        yield some.people


def _plan(slot: Slot, lacking: Lacking) -> int:
    made = 0
    for number, moments in lacking:
        practise = set(
            Participant.objects.filter(pk__in=moments, rehearsal=True).values_list("pk", flat=True)
        )
        rows = [
            row_of(slot, moment, person, practises=person in practise) for person, moment in moments.items()
        ]
        with writing():
            if not in_force(slot.study):
                return made
            made += _store(slot, number, rows)
    return made


def _store(slot: Slot, number: int, rows: list[Dispatch]) -> int:
    """Store what is new, and what was called off; how many are new."""
    rows = [row for row in rows if row.state != "missed" or row.due_at <= now()]
    people = [row.participant_id for row in rows]
    known = dict(
        Dispatch.objects.filter(participant__in=people, contact=slot.send.name, occasion=number).values_list(
            "participant", "pk"
        )
    )
    fresh = [row for row in rows if row.participant_id not in known]
    Dispatch.objects.bulk_create(fresh, ignore_conflicts=True)
    again = [row for row in rows if row.participant_id in known and row.state == "planned"]
    for row in again:
        row.pk = known[row.participant_id]
    changed = ["channel", "carrier", "due_at", "next_at", "last_at", "state", "reason"]
    Dispatch.objects.bulk_update(again, changed, batch_size=500)
    add_all([(row.pk, "planned", "") for row in again], "worker")
    return len(fresh)
