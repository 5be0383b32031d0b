"""Storing what is planned: one statement for all people of a piece of an audience, none of them twice."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection

from equipoise.platform.clock import now
from equipoise.platform.database import writing
from equipoise.platform.delivery.engine.events import add_all
from equipoise.platform.delivery.models import Dispatch
from equipoise.platform.delivery.planning.carriers import PRACTICE
from equipoise.platform.registry.models import Study
from equipoise.protocol.occasions import Occasion as Moment
from equipoise.protocol.sends import Send

__all__ = ["WITHDRAWN", "Slot", "in_force", "is_stale", "row_of", "store"]

WITHDRAWN = "withdrawn-send"
_PLANNERS = 20_210_301  # of the locks that the database gives by number, the planners'
_HOLD = "SELECT 1 FROM registry_study WHERE id = %s AND state = 'live' AND version = %s FOR KEY SHARE"
_INSERT = """
INSERT INTO delivery_dispatch (study_id, participant_id, contact, occasion, channel, carrier, due_at, next_at,
    last_at, state, reason, attempts, fence, worker, lease_until, reference, provider_id, version, parts,
    sent_at)
SELECT %s, person.id, %s, %s, %s, CASE WHEN person.rehearsal THEN %s ELSE %s END, %s, %s, %s, %s, %s,
    0, 0, '', NULL, NULL, '', NULL, NULL, NULL
FROM ({people}) AS person WHERE NOT EXISTS (
    SELECT 1 FROM delivery_dispatch d
    WHERE d.participant_id = person.id AND d.contact = %s AND d.occasion = %s)
ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True)
class Slot:
    """A send of a study, as it was read, and who carries it."""

    study: Study
    send: Send
    carrier: str


def in_force(study: Study) -> bool:
    """Whether the study is still live and says what it said, until the transaction's end: an amendment waits,
    and so does another planner. People can come and answer meanwhile."""
    if connection.vendor != "postgresql":  # where one transaction writes at a time
        return Study.objects.filter(pk=study.pk, state="live", version=study.version).exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_PLANNERS, study.pk])
        cursor.execute(_HOLD, [study.pk, study.version])
        return cursor.fetchone() is not None


def is_stale(slot: Slot, moment: Moment) -> bool:
    """Whether an earlier form of the send left anything to be brought up to date."""
    rows = _of(slot, moment)
    other = rows.filter(state="planned").exclude(**_now_so(slot, moment))
    return other.exists() or rows.filter(state="cancelled", reason=WITHDRAWN).exists()


def store(slot: Slot, moment: Moment, people: Any, *, stale: bool) -> int | None:
    """Make the dispatches of an occasion for a query of participants.

    Args:
        slot: the send.
        moment: its occasion.
        people: some of its audience.
        stale: there may be dispatches of an earlier form: what was called off with it is planned again, what
            is planned for another moment is moved.
    Returns:
        How many are new; None where the study is not as it was read any more, and nothing was stored.
    """
    with writing():
        if not in_force(slot.study):
            return None
        if stale:
            _bring_up_to_date(slot, moment, people)
        return _insert(slot, moment, people)


def row_of(slot: Slot, moment: Moment, participant: int, *, practises: bool) -> Dispatch:
    """A dispatch, not yet stored."""
    state, reason = _state(moment)
    return Dispatch(
        study=slot.study,
        participant_id=participant,
        contact=slot.send.name,
        occasion=moment.number,
        channel=slot.send.channel,
        carrier=PRACTICE if practises else slot.carrier,
        due_at=moment.due,
        next_at=moment.due,
        last_at=moment.last,
        state=state,
        reason=reason,
    )


def _state(moment: Moment) -> tuple[str, str]:
    return ("missed", "late") if moment.missed or now() > moment.last else ("planned", "")


def _insert(slot: Slot, moment: Moment, people: Any) -> int:
    try:
        query, values = people.order_by().values("id", "rehearsal").query.sql_with_params()
    except EmptyResultSet:
        return 0
    due, last = (connection.ops.adapt_datetimefield_value(each) for each in (moment.due, moment.last))
    name, number = slot.send.name, moment.number
    carriers = (PRACTICE, slot.carrier)
    told = [slot.study.pk, name, number, slot.send.channel, *carriers, due, due, last, *_state(moment)]
    with connection.cursor() as cursor:
        cursor.execute(_INSERT.replace("{people}", query), [*told, *values, name, number])
        made: int = cursor.rowcount
    return made


def _bring_up_to_date(slot: Slot, moment: Moment, people: Any) -> None:
    """What another form of the send left: planned for another moment or carrier, or called off."""
    rows, now_so = _of(slot, moment).filter(participant__in=people.order_by()), _now_so(slot, moment)
    called_off = rows.filter(state="cancelled", reason=WITHDRAWN)
    numbers = list(called_off.select_for_update(of=("self",)).values_list("pk", flat=True))
    if numbers and _state(moment)[0] == "planned":
        _again(numbers, now_so, moment)
    other = rows.filter(state="planned").exclude(**now_so)
    changed = list(other.select_for_update(of=("self",)).values_list("pk", flat=True))
    held = Dispatch.objects.filter(pk__in=changed)
    held.exclude(due_at=moment.due).update(next_at=moment.due)
    held.update(**now_so, last_at=moment.last)


def _again(numbers: Sequence[int], now_so: dict[str, Any], moment: Moment) -> None:
    rows = Dispatch.objects.filter(pk__in=numbers)
    rows.update(state="planned", reason="", next_at=moment.due, last_at=moment.last, **now_so)
    add_all([(number, "planned", "") for number in numbers], "worker")


def _of(slot: Slot, moment: Moment) -> Any:
    rows = Dispatch.objects.filter(study=slot.study, contact=slot.send.name, occasion=moment.number)
    return rows.exclude(carrier=PRACTICE)


def _now_so(slot: Slot, moment: Moment) -> dict[str, Any]:
    return {"due_at": moment.due, "carrier": slot.carrier, "channel": slot.send.channel}
