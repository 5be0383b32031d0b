"""What happened in a rehearsal, in one order: the clock, what was done by whom, and what was answered."""

import itertools
import threading
from dataclasses import dataclass, field
from datetime import datetime

from equipoise.platform.rehearsal.cast.people import Leaving

__all__ = ["Answered", "Diary", "Left"]


@dataclass
class Answered:
    """What somebody answered to a wave: by column what was acknowledged, and when they finished it."""

    answers: dict[str, str] = field(default_factory=dict)
    finished: int | None = None  # in the order of what happened
    finished_at: datetime | None = None


@dataclass(frozen=True)
class Left:
    """That somebody stopped messages, left, or had everything erased."""

    number: int
    at: datetime
    how: Leaving


class Diary:
    """The clock of a rehearsal and the order of what happens in it; the mail server's thread counts too."""

    def __init__(self, moment: datetime) -> None:
        """Begin at a moment."""
        self.moment = moment
        self._numbers, self._lock = itertools.count(1), threading.Lock()

    def now(self) -> datetime:
        """The rehearsal's clock."""
        return self.moment

    def number(self) -> int:
        """The next number in the order of what happens."""
        with self._lock:
            return next(self._numbers)
