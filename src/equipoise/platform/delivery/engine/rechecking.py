"""Looking once more at a message in the transaction that marks it as being sent; and what keeps it back.

One statement marks a dispatch if it may still go out: whoever read the state before and marked it after could
send to somebody who has left in between.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from equipoise.platform.clock import now
from equipoise.platform.delivery.engine.beats import real_now
from equipoise.platform.delivery.engine.several import case_of, held_by
from equipoise.platform.delivery.models import ClosedAddress, Dispatch
from equipoise.platform.fieldwork.models import Session
from equipoise.platform.people.models import Lookup, Participant
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of
from equipoise.protocol.models.conduct import Sending
from equipoise.protocol.quiet import Cap, allowed, parse_cap
from equipoise.protocol.times import as_utc

__all__ = ["Kept", "Rules", "hold_people", "mark", "rules_of", "what_keeps"]

_COLUMN_TYPES = {"email": "email", "sms": "phone"}
_UNTIL_ANSWERED = ("invite", "remind")

_MARK = """
UPDATE delivery_dispatch SET state = 'sending', sent_at = %s, version = %s, parts = {parts}
WHERE {held} AND worker = %s AND state = 'claimed' AND lease_until > %s AND last_at >= %s
AND EXISTS (SELECT 1 FROM registry_study s WHERE s.id = delivery_dispatch.study_id AND s.state = 'live')
AND EXISTS (SELECT 1 FROM people_participant p WHERE p.id = delivery_dispatch.participant_id
            AND p.state = 'enrolled' AND p.messages_stopped_at IS NULL)
AND NOT EXISTS (SELECT 1 FROM delivery_closedaddress c JOIN people_lookup l
                ON l.participant_id = c.participant_id AND l."column" = c."column" AND l.digest = c.digest
                WHERE c.participant_id = delivery_dispatch.participant_id AND c."column" = %s)
"""
_UNANSWERED = """
AND NOT EXISTS (SELECT 1 FROM fieldwork_session f WHERE f.participant_id = delivery_dispatch.participant_id
                AND f.wave = %s AND f.state <> 'started')
"""
_UNDER_CAP = """
AND %s > (SELECT count(*) FROM delivery_dispatch o
          WHERE o.participant_id = delivery_dispatch.participant_id AND o.sent_at >= %s)
"""


@dataclass(frozen=True)
class Rules:
    """What has to hold for a message of one send to go out, besides what holds for all.

    Attributes:
        version: of the study, whose template it is.
        column: of the roster, in which the address stands; empty for letters.
        wave: until whose answers it goes out; None where answers do not matter.
        cap: at most how many to one person; None for no cap.
        sending: the study's rules of when.
        zone: of the study.
    """

    version: int
    column: str
    wave: str | None
    cap: Cap | None
    sending: Sending
    zone: ZoneInfo

    def opens(self, moment: datetime) -> datetime:
        """The first moment from another on that is in no quiet hour and on no day of rest."""
        return _opens(self.sending, self.zone, moment)

    def tomorrow(self, moment: datetime) -> datetime:
        """The beginning of the next day in the study's zone, in UTC."""
        day = moment.astimezone(self.zone).date() + timedelta(days=1)
        return as_utc(datetime.combine(day, time()), self.zone)


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


@lru_cache(maxsize=1024)
def _opens(sending: Sending, zone: ZoneInfo, moment: datetime) -> datetime:
    """Kept, because most messages of a batch are due at one moment."""
    return allowed(sending, moment, zone)


def rules_of(study: Study, contact: str, channel: str) -> Rules:
    """The rules of one send of a study, by the version in force."""
    return _rules(study.name, study.version, contact, channel)


@lru_cache(maxsize=256)
def _rules(name: str, version: int, contact: str, channel: str) -> Rules:
    protocol = folder_of(Study(name=name, version=version)).protocol
    roster: Mapping[str, Any] = protocol.participants.roster if protocol.participants else {}
    kind = _COLUMN_TYPES.get(channel)
    wave, _, part = contact.rpartition(".")
    return Rules(
        version=version,
        column=next((name for name, column in roster.items() if column.type == kind), ""),
        wave=wave if part in _UNTIL_ANSWERED and wave else None,
        cap=parse_cap(protocol.sending.cap),
        sending=protocol.sending,
        zone=ZoneInfo(protocol.study.timezone),
    )


def hold_people(dispatches: Sequence[Dispatch]) -> None:
    """Whoever leaves at this moment waits, or we do; on SQLite one transaction writes at a time anyway."""
    if connection.vendor == "postgresql" and dispatches:
        people = Participant.objects.filter(pk__in=[each.participant_id for each in dispatches])
        list(people.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))


def mark(dispatches: Sequence[Dispatch], rules: Rules, parts: Sequence[int | None]) -> set[int]:
    """Mark claimed dispatches of one send as being sent, by one statement; which of them may go out.

    Args:
        dispatches: of people who differ, since a cap counts what was sent before.
        rules: of the send.
        parts: of each text message.
    Returns:
        Their numbers.
    """
    if not dispatches:
        return set()
    moment, put = now(), connection.ops.adapt_datetimefield_value
    numbers = [each.pk for each in dispatches]
    size, length = case_of(numbers, parts), held_by(dispatches)
    sql = _MARK.format(parts=size.sql, held=length.sql) + (_UNANSWERED if rules.wave is not None else "")
    values: list[Any] = [put(moment), rules.version, *size.values, *length.values, dispatches[0].worker]
    values += [put(real_now()), put(moment), rules.column]
    if rules.wave is not None:
        values.append(rules.wave)
    if rules.cap is not None:
        sql += _UNDER_CAP
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
    reason = _reason(row.participant, rules)
    if reason:
        return Kept("cancelled", reason)
    moment = now()
    if row.last_at < moment:
        return Kept("missed", "late")
    if rules.cap is not None and _sent_since(row, rules.cap.since(moment, rules.zone)) >= rules.cap.number:
        return _put_off(row, rules, moment)
    return Kept("planned")  # the study is paused, or our time is over


def _reason(person: Participant, rules: Rules) -> str:
    if person.state != "enrolled":
        return "left"
    if person.messages_stopped_at is not None:
        return "stopped"
    answered = Session.objects.filter(participant=person, wave=rules.wave).exclude(state="started")
    if rules.wave is not None and answered.exists():
        return "answered"
    known = Lookup.objects.filter(participant=person, column=rules.column).values("digest")
    closed = ClosedAddress.objects.filter(participant=person, column=rules.column, digest__in=known)
    return "closed-address" if closed.exists() else ""


def _sent_since(row: Dispatch, since: datetime) -> int:
    return Dispatch.objects.filter(participant=row.participant, sent_at__gte=since).count()


def _put_off(row: Dispatch, rules: Rules, moment: datetime) -> Kept:
    """To the next day, on which another day falls out of what is counted; if that is in time."""
    again = rules.opens(rules.tomorrow(moment))
    return Kept("planned", "", again) if again <= row.last_at else Kept("missed", "cap")
