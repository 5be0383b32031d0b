"""What happened to a dispatch, added inside the transaction in which it happened, and never changed."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import connection

from equipoise.platform.clock import now
from equipoise.platform.database import insert
from equipoise.platform.delivery.models import Dispatch, DispatchEvent

__all__ = ["add", "add_all", "together"]

_CODE_LENGTH = 40
_TABLE = "delivery_dispatchevent"
_COLUMNS = {"dispatch_id": "bigint", "kind": "text", "code": "text", "source": "text", "at": "timestamptz"}
_together: ContextVar[list[list[Any]] | None] = ContextVar("events", default=None)


def add(dispatch: Dispatch | int, kind: str, code: str, source: str, key: str | None = None) -> None:
    """Add an event.

    Args:
        dispatch: or its number.
        kind: sending, sent, delivered, later, failed, unknown, repeated, cancelled, missed, ...
        code: why, in a word of ours or the provider's number; never a text that could hold an address.
        source: worker, provider, file, person, participant.
        key: names the event; one that was told already is not added again.
    """
    if key is not None:
        add_all([(dispatch, kind, code)], source, key)
        return
    number = dispatch if isinstance(dispatch, int) else dispatch.pk
    moment = connection.ops.adapt_datetimefield_value(now())
    row = [number, kind, code[:_CODE_LENGTH], source, moment]
    held = _together.get()
    if held is None:
        insert(_TABLE, _COLUMNS, [row])
    else:
        held.append(row)


@contextmanager
def together() -> Iterator[None]:
    """Events that are added in this block are stored by one statement at its end, in their order."""
    held: list[list[Any]] = []
    token = _together.set(held)
    try:
        yield
    finally:
        _together.reset(token)
    insert(_TABLE, _COLUMNS, held)


def add_all(told: Iterable[tuple[Dispatch | int, str, str]], source: str, key: str | None = None) -> None:
    """Add events, each of a dispatch with its kind and code, all at this moment."""
    moment = now()
    rows = [
        DispatchEvent(
            dispatch_id=dispatch if isinstance(dispatch, int) else dispatch.pk,
            kind=kind,
            code=code[:_CODE_LENGTH],
            source=source,
            key=key,
            at=moment,
        )
        for dispatch, kind, code in told
    ]
    DispatchEvent.objects.bulk_create(rows, ignore_conflicts=key is not None)
