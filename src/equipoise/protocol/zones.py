"""The names of the time zones, read from the system's tables once."""

from functools import cache
from zoneinfo import available_timezones

__all__ = ["is_zone"]


def is_zone(name: str) -> bool:
    """Whether a time zone has this name, such as `Europe/London`."""
    return name in _zones()


@cache
def _zones() -> frozenset[str]:
    """Reading the tables walks through hundreds of files, and a study asks at every expression."""
    return frozenset(available_timezones())
