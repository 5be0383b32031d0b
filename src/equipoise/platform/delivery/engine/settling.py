"""Storing what became of an attempt: sent, to be tried again, failed, or nobody knows."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from equipoise.platform.clock import now
from equipoise.platform.database import writing
from equipoise.platform.delivery.channels.contract import Outcome
from equipoise.platform.delivery.engine.beats import hasty, real_now
from equipoise.platform.delivery.engine.events import add
from equipoise.platform.delivery.engine.pausing import pause
from equipoise.platform.delivery.engine.rules import rules_for, rules_of
from equipoise.platform.delivery.engine.several import held_by, hidden
from equipoise.platform.delivery.models import Dispatch
from equipoise.platform.delivery.receipts.addresses import close_address

__all__ = ["ATTEMPTS", "GRACE_SECONDS", "back_off_seconds", "settle", "store", "store_all"]

ATTEMPTS = 12
GRACE_SECONDS = 300.0  # a provider may take as long to list what it took
_LONGEST_SECONDS = 4 * 3600.0
_FIRST_SECONDS = 60.0
_WENT_OUT = Outcome("sent")

_SETTLE = """
UPDATE delivery_dispatch SET state = %s, reason = %s, attempts = %s, next_at = %s, lease_until = %s,
    sent_at = CASE WHEN %s THEN sent_at END, provider_id = CASE WHEN %s = '' THEN provider_id ELSE %s END
WHERE id = %s AND fence = %s AND state IN ('sending', 'unknown')
"""
_SENT = """
UPDATE delivery_dispatch SET state = 'sent', reason = '', attempts = attempts + 1, lease_until = NULL
WHERE {held} AND {state} IN ('sending', 'unknown') RETURNING id
"""
_NAME = "UPDATE delivery_dispatch SET provider_id = %s WHERE id = %s AND fence = %s AND provider_id = ''"


@dataclass(frozen=True)
class _Change:
    state: str
    event: str
    reason: str
    attempts: int
    next_at: datetime
    lease_until: datetime | None = None

    @property
    def spoken(self) -> bool:
        """Whether the time at which the provider was spoken to counts."""
        return self.state in ("sent", "unknown")


def settle(dispatch_id: int, fence: int, outcome: Outcome) -> bool:
    """Store what became of an attempt of the claim that had this number.

    Returns:
        Whether it was stored now; false where it was before, or another claim has come since.
    """
    with writing():
        row = Dispatch.objects.select_related("study", "participant").filter(pk=dispatch_id).first()
        if row is None or row.fence != fence:
            return False
        return store(row, outcome)


def store(dispatch: Dispatch, outcome: Outcome) -> bool:
    """As `settle`, inside `writing()`, of a dispatch as it was claimed.

    What a rescue has taken for unknown meanwhile is settled too: we know better. Once the provider's receipt
    was there before us, only the provider's name for the message is added.
    """
    change = _change(dispatch, outcome)
    if outcome.pause_seconds:
        pause(dispatch.carrier, outcome.pause_seconds, outcome.code)
    if not _stored(dispatch, change, outcome):
        return False
    add(dispatch, change.event, outcome.code, "worker")
    if outcome.closes_address:
        rules = rules_of(dispatch.study, dispatch.contact, dispatch.channel)
        close_address(dispatch.participant, rules.column, "refused")
    return True


def store_all(settled: Sequence[tuple[Dispatch, Outcome]]) -> None:
    """As `store`, of several; those that simply went out by one statement."""
    plain = [dispatch for dispatch, outcome in settled if outcome == _WENT_OUT]
    for dispatch, outcome in settled:
        if outcome != _WENT_OUT:
            store(dispatch, outcome)
    if not plain:
        return
    held = held_by(plain)
    with connection.cursor() as cursor:
        cursor.execute(_SENT.format(held=held.sql, state=hidden("state")), held.values)
        stored = {number for (number,) in cursor.fetchall()}
    for dispatch in plain:
        if dispatch.pk in stored:
            add(dispatch, "sent", "", "worker")


def back_off_seconds(reference: str, attempts: int) -> float:
    """How long to wait before the next attempt: twice as long each time, four hours at most.

    A quarter more or less is drawn from the reference, so that what failed together is not tried together.
    """
    drawn = hashlib.sha256(f"{reference}:{attempts}".encode()).digest()
    share = int.from_bytes(drawn[:4], "big") / 2**32
    return float(min(_FIRST_SECONDS * 2 ** max(0, attempts - 1), _LONGEST_SECONDS)) * (0.75 + share / 2)


def _change(dispatch: Dispatch, outcome: Outcome) -> _Change:
    attempts = dispatch.attempts + outcome.burnt
    if outcome.kind == "sent":
        return _Change("sent", "sent", "", attempts, dispatch.next_at)
    if outcome.kind == "refused":
        return _Change("failed", "failed", "refused", attempts, dispatch.next_at)
    if outcome.kind == "unknown":
        asked = real_now() + timedelta(seconds=hasty(GRACE_SECONDS))
        return _Change("unknown", "unknown", "no-answer", attempts, dispatch.next_at, asked)
    return _later(dispatch, outcome, attempts)


def _later(dispatch: Dispatch, outcome: Outcome, attempts: int) -> _Change:
    """When it is tried again: for the last time at the last moment."""
    moment = now()
    if attempts >= ATTEMPTS:
        return _Change("failed", "failed", "no-answer", attempts, dispatch.next_at)
    if moment >= dispatch.last_at:
        return _Change("missed", "missed", "late", attempts, dispatch.next_at)
    wait = back_off_seconds(dispatch.reference or "", attempts) if outcome.burnt else outcome.pause_seconds
    rules = rules_for(dispatch.study, [dispatch])[dispatch.pk]
    again = moment + timedelta(seconds=wait)
    if rules.opens(moment) == moment:  # else a person had it sent in a quiet hour
        again = rules.opens(again)
    return _Change("planned", "later", "", attempts, min(again, dispatch.last_at))


def _stored(dispatch: Dispatch, change: _Change, outcome: Outcome) -> bool:
    put = connection.ops.adapt_datetimefield_value
    values: list[Any] = [change.state, change.reason, change.attempts, put(change.next_at)]
    values += [put(change.lease_until), change.spoken, outcome.provider_id, outcome.provider_id]
    with connection.cursor() as cursor:
        cursor.execute(_SETTLE, [*values, dispatch.pk, dispatch.fence])
        if cursor.rowcount:
            return True
        if outcome.provider_id:
            cursor.execute(_NAME, [outcome.provider_id, dispatch.pk, dispatch.fence])
        return False
