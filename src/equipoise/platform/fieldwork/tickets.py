"""Signed tickets: which sessions a browser may open, and which page of which session a form belongs to.

Neither holds a secret of the participant. A ticket lasts half a day; the form of a page can be sent for as
long as its wave is open, so that nobody loses a page to a coffee break.
"""

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass

from django.core import signing
from django.http import HttpRequest, HttpResponse

__all__ = ["FormKey", "Ticket", "form_key", "open_codes", "read_form_key", "set_ticket", "ticket_for"]

COOKIE = "__Host-survey"
_SALT = "equipoise.survey"
_FORM_SALT = "equipoise.form"
_SECONDS = 12 * 3600
_MOST = 6  # sessions that one browser keeps open


@dataclass(frozen=True)
class Ticket:
    """A session that this browser may open: in which language, and who types where staff enter answers."""

    code: str
    language: str
    channel: str = "web"
    entered_by: str = ""


@dataclass(frozen=True)
class FormKey:
    """What a form says of itself: session, page, when it was made (seconds since 1970), and a random part.

    `displayed` are the keys of what it asked, where that hangs on answers of the page itself.
    """

    code: str
    page: str
    made: float
    nonce: str
    language: str
    channel: str
    entered_by: str
    displayed: tuple[str, ...] | None = None

    @property
    def ticket(self) -> Ticket:
        """The ticket of the browser that the form was made for."""
        return Ticket(self.code, self.language, self.channel, self.entered_by)


def ticket_for(request: HttpRequest, code: str) -> Ticket | None:
    """The browser's ticket to a session; None where it has none, or it has run out."""
    return next((ticket for ticket in _tickets(request) if ticket.code == code), None)


def open_codes(request: HttpRequest) -> list[str]:
    """The sessions that this browser may open."""
    return [ticket.code for ticket in _tickets(request)]


def set_ticket(request: HttpRequest, response: HttpResponse, ticket: Ticket) -> None:
    """Give a browser a ticket, in front of those that it has."""
    others = [each for each in _tickets(request) if each.code != ticket.code]
    kept = [[each.code, each.language, each.channel, each.entered_by] for each in (ticket, *others)][:_MOST]
    response.set_cookie(
        COOKIE, signing.dumps(kept, salt=_SALT), max_age=_SECONDS, secure=True, httponly=True, samesite="Lax"
    )


def form_key(ticket: Ticket, page: str, displayed: Sequence[str] | None = None) -> str:
    """A key for the form of a page, made anew each time that the page is shown.

    Args:
        ticket: of the browser.
        page: its id.
        displayed: the keys of what is asked on it, where that hangs on answers of the page itself.
    """
    parts = [ticket.code, page, round(time.time(), 3), secrets.token_hex(8)]
    parts += [ticket.language, ticket.channel, ticket.entered_by]
    return signing.dumps([*parts, list(displayed)] if displayed is not None else parts, salt=_FORM_SALT)


def read_form_key(text: str) -> FormKey | None:
    """What `form_key` made; None for anything else."""
    try:
        return FormKey(*signing.loads(text, salt=_FORM_SALT))
    except (signing.BadSignature, TypeError, ValueError):
        return None


def _tickets(request: HttpRequest) -> list[Ticket]:
    found = getattr(request, "_survey_tickets", None)
    if found is None:
        found = _read(request.COOKIES.get(COOKIE, ""))
        request._survey_tickets = found
    return list(found)


def _read(text: str) -> list[Ticket]:
    try:
        return [Ticket(*each) for each in signing.loads(text, salt=_SALT, max_age=_SECONDS)]
    except (signing.BadSignature, TypeError, ValueError):
        return []
