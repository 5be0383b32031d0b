"""Slowing down whoever guesses: wrong links are counted for each address, in memory and for some minutes
only."""

import time
from collections import OrderedDict
from threading import Lock

from django.http import HttpRequest

__all__ = ["Throttle", "refused_tokens", "wanted_links"]

_MOST_ADDRESSES = 20_000


class Throttle:
    """At most so many in so many seconds from one address. A process counts for itself; nothing is stored.

    A whole authority can share one address, so only what nobody honest does often is counted.
    """

    def __init__(self, most: int, seconds: float) -> None:
        self.most, self.seconds = most, seconds
        self._counted: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._lock = Lock()

    def count(self, request: HttpRequest) -> None:
        """Count one more from this address."""
        with self._lock:
            number, since = self._of(request)
            whose = self.whose(request)
            self._counted[whose] = (number + 1, since)
            self._counted.move_to_end(whose)
            while len(self._counted) > _MOST_ADDRESSES:
                self._counted.popitem(last=False)

    def exhausted(self, request: HttpRequest) -> bool:
        """Whether this address has to wait."""
        with self._lock:
            return self._of(request)[0] >= self.most

    def seconds_left(self, request: HttpRequest) -> int:
        """How long until counting begins anew for this address."""
        with self._lock:
            _, since = self._of(request)
        return max(1, round(self.seconds - (time.monotonic() - since)))

    def whose(self, request: HttpRequest) -> str:
        """By what one is told from another: the address."""
        return str(request.META.get("REMOTE_ADDR", ""))

    def forget(self) -> None:
        """Begin anew."""
        with self._lock:
            self._counted.clear()

    def _of(self, request: HttpRequest) -> tuple[int, float]:
        number, since = self._counted.get(self.whose(request), (0, time.monotonic()))
        return (number, since) if time.monotonic() - since < self.seconds else (0, time.monotonic())


refused_tokens = Throttle(most=60, seconds=300)
wanted_links = Throttle(most=20, seconds=3600)
