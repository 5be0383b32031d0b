"""How much the server takes: so many requests a minute, in a bucket that fills again, and so many a day."""

import math
import threading
from datetime import date

from equipoise.platform.rehearsal.notify_server.keys import KeyKind, Refused

__all__ = ["Limits"]

_MINUTE = 60.0
_BUCKET = 1000


class Limits:
    """The two limits of a service, each with its own answer under the same status."""

    def __init__(self, per_minute: int, per_day: int) -> None:
        self.per_minute, self.per_day = per_minute, per_day
        self._size = float(min(math.ceil(per_minute / 3) + 1, _BUCKET))
        self._left, self._looked = self._size, 0.0
        self._day: date | None = None
        self._sent = 0
        self._lock = threading.Lock()

    def take(self, kind: KeyKind, seconds: float, day: date) -> None:
        """Count one message.

        Args:
            kind: of the key; a test key has no daily limit.
            seconds: of a clock that only goes on.
            day: today, by the server's clock.
        Raises:
            Refused: it is one too many, for now or for today.
        """
        with self._lock:
            filled = (seconds - self._looked) * self.per_minute / _MINUTE
            self._left, self._looked = min(self._size, self._left + filled), seconds
            if self._left < 1:
                rate = f"{self.per_minute} requests per 60 seconds"
                message = f"Exceeded rate limit for key type {kind.upper()} of {rate}"
                raise Refused(429, "RateLimitError", message)
            if day != self._day:
                self._day, self._sent = day, 0
            if kind != "test" and self._sent >= self.per_day:
                message = f"Exceeded send limits ({self.per_day}) for today"
                raise Refused(429, "TooManyRequestsError", message)
            self._left -= 1
            self._sent += 1
