"""The platform's one clock.

A live workspace has the real time. A rehearsal's is a row of the database, which the rehearsal moves on, so
that twelve weeks pass in a minute through the same code.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

from django.conf import settings
from django.db import connection

from equipoise.errors import InputError

__all__ = ["now", "one_moment", "set_clock"]

_moment: ContextVar[list[datetime] | None] = ContextVar("moment", default=None)


def now() -> datetime:
    """This moment in UTC."""
    if settings.WORKSPACE.live:
        return datetime.now(UTC)
    held = _moment.get()
    if held is None:
        return _rehearsed()
    if not held:
        held.append(_rehearsed())
    return held[0]


@contextmanager
def one_moment() -> Iterator[None]:
    """In a rehearsal, all of this happens at one moment: the clock is looked at once."""
    token = _moment.set([])
    try:
        yield
    finally:
        _moment.reset(token)


def set_clock(moment: datetime) -> None:
    """Set a rehearsal's clock.

    Raises:
        InputError: the workspace is live.
    """
    if settings.WORKSPACE.live:
        raise InputError("a live workspace has the real time; only a rehearsal's clock can be set")
    from equipoise.platform.audit.models import RehearsalClock

    RehearsalClock.objects.update_or_create(pk=1, defaults={"moment": moment.astimezone(UTC)})


def _rehearsed() -> datetime:
    """The row, by a plain statement: it is read for every page."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT moment FROM audit_rehearsalclock WHERE id = 1")
        row = cursor.fetchone()
    if row is None:
        return datetime.now(UTC)
    found = row[0] if isinstance(row[0], datetime) else datetime.fromisoformat(row[0])
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
