"""Places at which a worker of a rehearsal dies on purpose, so that what remains of it can be looked at.

EQUIPOISE_CRASH_AT=NAME or NAME:TIMES, of which the names are

    after-claim      messages are held, and nothing else was done
    after-compose    they are written, their links made
    after-sending    the next one is marked, and the provider not yet spoken to
    after-provider   the provider took it, and that is stored nowhere
    after-settle     what became of it is stored

A live workspace does not know them.
"""

import os
import signal
from collections import Counter

from django.conf import settings

__all__ = ["crash_point"]

_passed: Counter[str] = Counter()


def crash_point(name: str) -> None:
    """Die here, as by a power cut, where the environment says so."""
    wanted = os.environ.get("EQUIPOISE_CRASH_AT")
    if wanted is None or settings.WORKSPACE.live:
        return
    place, _, times = wanted.partition(":")
    if place == name:
        _passed[name] += 1
        if _passed[name] >= int(times or 1):
            os.kill(os.getpid(), signal.SIGKILL)
