"""The platform's one clock.

A live workspace has the real time. A rehearsal's is a row of the database, which the rehearsal moves on, so
that twelve weeks pass in a minute through the same code.
"""

from datetime import UTC, datetime

from django.conf import settings

from equipoise.errors import InputError

__all__ = ["now", "set_clock"]


def now() -> datetime:
    """This moment in UTC."""
    if settings.WORKSPACE.live:
        return datetime.now(UTC)
    from equipoise.platform.audit.models import RehearsalClock

    row = RehearsalClock.objects.filter(pk=1).values_list("moment", flat=True).first()
    return row or datetime.now(UTC)


def set_clock(moment: datetime) -> None:
    """Set a rehearsal's clock.

    Raises:
        InputError: the workspace is live.
    """
    if settings.WORKSPACE.live:
        raise InputError("a live workspace has the real time; only a rehearsal's clock can be set")
    from equipoise.platform.audit.models import RehearsalClock

    RehearsalClock.objects.update_or_create(pk=1, defaults={"moment": moment.astimezone(UTC)})
