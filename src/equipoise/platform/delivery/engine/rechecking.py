"""Looking once more at a message in the transaction that marks it as being sent; and what keeps it back.

One statement marks a dispatch if it may still go out: whoever read the state before and marked it after could
send to somebody who has left in between.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from equipoise.platform.clock import now
from equipoise.platform.delivery.engine.beats import real_now
from equipoise.platform.delivery.engine.rules import Rules, is_confirmed
from equipoise.platform.delivery.engine.several import case_of, held_by, hidden
from equipoise.platform.delivery.models import ClosedAddress, Dispatch
from equipoise.platform.fieldwork.models import Session
from equipoise.platform.people.models import Consent, Lookup, Participant

__all__ = ["Kept", "hold_people", "mark", "what_keeps"]

# What holds of each row is counted, and not asked by EXISTS: that PostgreSQL makes into a join, which it
# begins at the wrong end while it knows little of a new table, and reads everybody for a few messages.
_MARK = """
UPDATE delivery_dispatch SET state = 'sending', sent_at = %s, version = %s, parts = {parts}
WHERE {held} AND worker = %s AND {state} = 'claimed' AND {until} > %s AND last_at >= %s
AND EXISTS (SELECT 1 FROM registry_study s JOIN delivery_confirmedcontact k ON k.study_id = s.id
            WHERE s.id = %s AND s.state = 'live' AND s.version = %s
            AND k.contact = %s AND k.digest = %s AND k.at > %s)
AND 1 = (SELECT count(*) FROM people_participant p WHERE p.id = delivery_dispatch.participant_id
         AND p.state = 'enrolled' AND p.messages_stopped_at IS NULL)
AND 0 = (SELECT count(*) FROM delivery_closedaddress c JOIN people_lookup l
         ON l.participant_id = c.participant_id AND l."column" = c."column" AND l.digest = c.digest
         WHERE c.participant_id = delivery_dispatch.participant_id AND c."column" = %s)
"""
_AGREED = """
AND COALESCE((SELECT g.given FROM people_consent g WHERE g.participant_id = delivery_dispatch.participant_id
              AND g.activity = %s ORDER BY g.id DESC LIMIT 1), %s)
"""
_UNANSWERED = """
AND 0 = (SELECT count(*) FROM fieldwork_session f WHERE f.participant_id = delivery_dispatch.participant_id
         AND f.wave = %s AND f.state <> 'started')
"""
_UNDER_CAP = """
AND %s > (SELECT count(*) FROM delivery_dispatch o
          WHERE o.participant_id = delivery_dispatch.participant_id AND {sent} >= %s)
"""


@dataclass(frozen=True)
class Kept:
    """What keeps a message back.

    Attributes:
        state: in which it is from now on; empty where it is not ours any more.
        reason: why, in a word.
        next_at: where it is put off, until when.
    """

    state: str
    reason: str = ""
    next_at: datetime | None = None


def hold_people(dispatches: Sequence[Dispatch]) -> None:
    """Whoever leaves at this moment waits, or we do; on SQLite one transaction writes at a time anyway."""
    if connection.vendor == "postgresql" and dispatches:
        people = Participant.objects.filter(pk__in=[each.participant_id for each in dispatches])
        list(people.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))


def mark(dispatches: Sequence[Dispatch], rules: Rules, parts: Sequence[int | None]) -> set[int]:
    """Mark claimed dispatches of one send as being sent, by one statement; which of them may go out.

    Args:
        dispatches: of one study, and of people who differ, since a cap counts what was sent before.
        rules: of the send, in the time zone of all of them.
        parts: of each text message.
    Returns:
        Their numbers.
    """
    if not dispatches:
        return set()
    moment, put = now(), connection.ops.adapt_datetimefield_value
    numbers = [each.pk for each in dispatches]
    size, length = case_of(numbers, parts), held_by(dispatches)
    sql = _MARK.format(parts=size.sql, held=length.sql, state=hidden("state"), until=hidden("lease_until"))
    values: list[Any] = [put(moment), rules.version, *size.values, *length.values, dispatches[0].worker]
    values += [put(real_now()), put(moment), dispatches[0].study_id]
    values += [rules.version, rules.send, rules.digest, put(rules.since), rules.column]
    if rules.consent:
        sql += _AGREED
        values += [rules.consent, rules.assumed]
    if rules.wave is not None:
        sql += _UNANSWERED
        values.append(rules.wave)
    if rules.cap is not None:
        sql += _UNDER_CAP.format(sent=hidden("o.sent_at"))
        values += [rules.cap.number, put(rules.cap.since(moment, rules.zone))]
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} RETURNING id", values)
        return {number for (number,) in cursor.fetchall()}


def what_keeps(dispatch: Dispatch, rules: Rules) -> Kept | None:
    """Why `mark` marked nothing; None where it had done so before."""
    row = Dispatch.objects.select_related("study", "participant").filter(pk=dispatch.pk).first()
    if row is None or (row.fence, row.worker) != (dispatch.fence, dispatch.worker):
        return Kept("")
    if row.state == "sending":
        return None
    if row.state != "claimed":
        return Kept("")
    reason = _reason(row.participant, rules) or _unconfirmed(row, rules)
    if reason:
        return Kept("cancelled", reason)
    moment = now()
    if row.last_at < moment:
        return Kept("missed", "late")
    if rules.cap is not None and _sent_since(row, rules.cap.since(moment, rules.zone)) >= rules.cap.number:
        return _put_off(row, rules, moment)
    return Kept("planned")  # the study is paused or amended, or our time is over


def _reason(person: Participant, rules: Rules) -> str:
    if person.state != "enrolled":
        return "left"
    if person.messages_stopped_at is not None:
        return "stopped"
    said = Consent.objects.filter(participant=person, activity=rules.consent).order_by("pk").last()
    if rules.consent and not (rules.assumed if said is None else said.given):
        return "not-consented"
    answered = Session.objects.filter(participant=person, wave=rules.wave).exclude(state="started")
    if rules.wave is not None and answered.exists():
        return "answered"
    known = Lookup.objects.filter(participant=person, column=rules.column).values("digest")
    closed = ClosedAddress.objects.filter(participant=person, column=rules.column, digest__in=known)
    return "closed-address" if closed.exists() else ""


def _unconfirmed(row: Dispatch, rules: Rules) -> str:
    """What an amendment has changed meanwhile is looked at again by the rules that it has then."""
    changed = row.study.version != rules.version
    return "" if changed or is_confirmed(row.study, rules) else "withdrawn-send"


def _sent_since(row: Dispatch, since: datetime) -> int:
    return Dispatch.objects.filter(participant=row.participant, sent_at__gte=since).count()


def _put_off(row: Dispatch, rules: Rules, moment: datetime) -> Kept:
    """To the next day, on which another day falls out of what is counted; if that is in time."""
    again = rules.opens(rules.tomorrow(moment))
    return Kept("planned", "", again) if again <= row.last_at else Kept("missed", "cap")
