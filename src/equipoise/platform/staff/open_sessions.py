"""The sessions in which somebody is signed in: they see their own and end them.

A page never shows the key of a session, which would let whoever reads it take the session over.
"""

import hashlib
import hmac
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from equipoise.platform.database import writing
from equipoise.platform.staff.models import StaffMember, StaffSession
from equipoise.platform.staff.store import SessionStore

__all__ = [
    "BEGAN",
    "BROWSER",
    "IDLE_SECONDS",
    "LONGEST_SECONDS",
    "SEEN",
    "OpenSession",
    "browser_words",
    "close_other_sessions",
    "close_session",
    "is_over",
    "open_sessions",
]

LONGEST_SECONDS = 12 * 3600
IDLE_SECONDS = 3600
BEGAN, SEEN, BROWSER = "staff.began", "staff.seen", "staff.browser"
_HANDLE = 32  # hexadecimal digits
# What a browser says of itself, and what people call it. Most of them also claim to be those further down.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "an iPhone"),
    ("iPad", "an iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "a Chromebook"),
    ("Mac OS X", "a Mac"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True)
class OpenSession:
    """A session that is not over.

    Attributes:
        handle: what a page calls it by; it opens nothing.
        browser: in words, such as "Firefox on Windows".
        began: when its owner signed in, by the real clock.
        seen: when it was last used, to the minute.
        current: whether it is the one that asks.
    """

    handle: str
    browser: str
    began: datetime
    seen: datetime
    current: bool


def open_sessions(member: StaffMember, current: str | None = None) -> list[OpenSession]:
    """Those of a member of staff that are not over, the one last used first.

    Args:
        member: whose.
        current: the key of the session that asks.
    """
    found = [_session(key, data, current) for key, data in _kept(member)]
    return sorted(found, key=lambda each: each.seen, reverse=True)


def close_session(member: StaffMember, handle: str, current: str | None = None) -> bool:
    """End one session of theirs; its browser is out with the next page.

    Args:
        member: whose.
        handle: of which.
        current: the key of the session that asks, which is ended by signing out alone.
    Returns:
        Whether there was such a session.
    """
    keys = [key for key, _ in _kept(member) if key != current and hmac.compare_digest(_handle(key), handle)]
    with writing():
        return bool(StaffSession.objects.filter(pk__in=keys).delete()[0])


def close_other_sessions(member: StaffMember, current: str | None = None) -> int:
    """End every session of theirs but the current one; without one, every session.

    Returns:
        How many there were.
    """
    with writing():
        return int(StaffSession.objects.filter(member=member).exclude(pk=current or "").delete()[0])


def is_over(data: Mapping[str, Any]) -> bool:
    """Whether what a session holds says that it began too long ago, or has not been used for too long."""
    now = time.time()
    idle = now - data.get(SEEN, now)
    return bool(now - data.get(BEGAN, now) >= LONGEST_SECONDS or idle >= IDLE_SECONDS)


def browser_words(said: str) -> str:
    """A browser's name and where it runs, from what it says of itself.

    >>> browser_words("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0")
    'Firefox on Windows'
    """
    browser = next((name for sign, name in _BROWSERS if sign in said), "A browser")
    system = next((name for sign, name in _SYSTEMS if sign in said), "")
    return f"{browser} on {system}" if system else browser


def _kept(member: StaffMember) -> Iterator[tuple[str, dict[str, Any]]]:
    rows = StaffSession.objects.filter(member=member, expire_date__gt=datetime.now(UTC))
    for row in rows:
        data = SessionStore().decode(row.session_data)
        if not is_over(data):
            yield row.session_key, data


def _session(key: str, data: Mapping[str, Any], current: str | None) -> OpenSession:
    began, seen = (data.get(name, time.time()) for name in (BEGAN, SEEN))
    return OpenSession(
        handle=_handle(key),
        browser=data.get(BROWSER, "A browser"),
        began=datetime.fromtimestamp(began, UTC),
        seen=datetime.fromtimestamp(seen, UTC),
        current=key == current,
    )


def _handle(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:_HANDLE]
