"""Which messages' pages a browser may show, after the button was pressed: signed, and for half a day.

The address of such a page holds a code that opens nothing by itself, so that it can stand in a history.
"""

import time

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from equipoise.platform.crypto import digest
from equipoise.platform.delivery.models import MessageLink

__all__ = ["code_of", "link_of", "read_watch_key", "set_ticket", "watch_key"]

_COOKIE = "__Host-message"
_SALT = "equipoise.message"
_WATCH_SALT = "equipoise.watch"
_SECONDS = 12 * 3600
_MOST = 6  # messages that one browser keeps open


def code_of(link: MessageLink) -> str:
    """What names a link in the address of its page."""
    return _code(link.pk)


def set_ticket(request: HttpRequest, response: HttpResponse, link: MessageLink) -> None:
    """Let this browser show a message's page, besides those that it may show already."""
    kept = [link.pk, *(each for each in _tickets(request) if each != link.pk)][:_MOST]
    response.set_cookie(
        _COOKIE, signing.dumps(kept, salt=_SALT), max_age=_SECONDS, secure=True, httponly=True, samesite="Lax"
    )


def link_of(request: HttpRequest, code: str) -> int | None:
    """The number of the link that a page is of, where this browser may show it."""
    return next((number for number in _tickets(request) if _code(number) == code), None)


def watch_key(link: MessageLink) -> str:
    """What a player shows when it tells what was watched: of which link, and when its page was made."""
    return signing.dumps([link.pk, round(time.time(), 3)], salt=_WATCH_SALT)


def read_watch_key(text: str) -> tuple[int, float] | None:
    """What `watch_key` made, while it holds; None for anything else."""
    try:
        number, made = signing.loads(text, salt=_WATCH_SALT, max_age=_SECONDS)
    except (signing.BadSignature, TypeError, ValueError):
        return None
    return int(number), float(made)


def _code(number: int) -> str:
    return digest(settings.WORKSPACE.key("signing"), "message-page", str(number))[:16]


def _tickets(request: HttpRequest) -> list[int]:
    try:
        found = signing.loads(request.COOKIES.get(_COOKIE, ""), salt=_SALT, max_age=_SECONDS)
        return [int(each) for each in found]
    except (signing.BadSignature, TypeError, ValueError):
        return []
