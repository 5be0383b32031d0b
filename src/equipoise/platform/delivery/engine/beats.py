"""Signs of life: by them, and never by the age of its work, a worker is known to be gone.

They are real time, in a rehearsal as well. A machine's clock can jump; so a worker counts as gone only once
its sign of life is old *and* has not moved while we looked on, by a clock that never jumps.
"""

import os
import secrets
import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from django.conf import settings

from equipoise.platform.database import writing
from equipoise.platform.delivery.models import Dispatch, WorkerBeat

__all__ = ["BEAT_SECONDS", "beat", "hasty", "real_now", "silent_workers", "this_worker"]

BEAT_SECONDS = 10.0
_SILENT_SECONDS = 60.0
_KEPT = timedelta(days=7)

_looked: dict[str, tuple[datetime, float]] = {}  # each worker's last sign, and since when we know it
_shown: dict[str, float] = {}


def real_now() -> datetime:
    """The machine's time; leases and signs of life go by it."""
    return datetime.now(UTC)


def hasty(seconds: float) -> float:
    """A length of real time; a rehearsal, whose own clock runs ahead, divides it by EQUIPOISE_HASTE."""
    if settings.WORKSPACE.live:
        return seconds
    return seconds / float(os.environ.get("EQUIPOISE_HASTE", "1"))


def this_worker() -> str:
    """The name of this process; another one has another, also after a restart."""
    return _name(os.getpid())


@lru_cache(maxsize=4)
def _name(number: int) -> str:
    return f"{number % 10_000_000}-{secrets.token_hex(8)}"


def beat(*, at_once: bool = False) -> None:
    """Show that this process is alive, unless it has just done so."""
    name, seconds = this_worker(), time.monotonic()
    if not at_once and seconds - _shown.get(name, -1e9) < hasty(BEAT_SECONDS):
        return
    moment = real_now()
    with writing():
        if not WorkerBeat.objects.filter(worker=name).update(at=moment):
            WorkerBeat.objects.create(worker=name, started_at=moment, at=moment)
    _shown[name] = seconds


def silent_workers() -> set[str]:
    """The workers that hold something and are gone.

    A sign of life ahead of our time is as wrong as an old one: the clock went back after it was given.
    """
    names = Dispatch.objects.filter(state__in=("claimed", "sending"), lease_until__isnull=False)
    found = set(names.values_list("worker", flat=True).distinct()) - {this_worker()}
    signs = dict(WorkerBeat.objects.filter(worker__in=found).values_list("worker", "at"))
    _forget_others(found)
    return {name for name in found if _is_silent(name, signs.get(name))}


def _is_silent(name: str, sign: datetime | None) -> bool:
    if sign is None:
        return True
    seconds = time.monotonic()
    known, since = _looked.get(name, (None, 0.0))
    if known != sign:
        _looked[name] = (sign, seconds)
        return False
    old = abs((real_now() - sign).total_seconds()) > hasty(_SILENT_SECONDS)
    return old and seconds - since > hasty(2 * BEAT_SECONDS)


def _forget_others(found: set[str]) -> None:
    for name in set(_looked) - found:
        del _looked[name]
    old = WorkerBeat.objects.filter(at__lt=real_now() - _KEPT).exclude(worker__in=found)
    if old.exists():
        with writing():
            old.delete()
