"""What GOV.UK Notify calls: what became of a message, and texts that came in.

Whoever calls is known by a token alone, so no form and no cookie stands behind it. Any answer but 200 that is
not a fault of ours would lose what was told for good: what is not known yet is kept, and never "not found".
"""

import hmac
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from equipoise.platform.delivery.receipts.applying import receive
from equipoise.platform.delivery.receipts.replies import take_reply

__all__ = ["receipt", "text"]

_CARRIER = "notify"
Take = Callable[[dict[str, Any]], object]


def _called(take: Take) -> Callable[[HttpRequest], HttpResponse]:
    """A view that hands on what Notify tells."""

    @csrf_exempt
    @require_POST
    @wraps(take)
    def view(request: HttpRequest) -> HttpResponse:
        if not _is_notify(request):
            return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
        try:
            take(json.loads(request.body))
        except (ValueError, TypeError, KeyError, AttributeError):
            return HttpResponse("this is nothing that Notify tells", status=400, content_type="text/plain")
        return HttpResponse("", content_type="text/plain")

    return view


@_called
def receipt(told: dict[str, Any]) -> None:
    """What became of a message."""
    moment = told.get("completed_at") or told.get("sent_at") or told["created_at"]
    reference = told.get("reference") or ""
    receive(
        _CARRIER, _short(told["id"], 120), _short(reference, 64), _short(told["status"], 40), _time(moment)
    )


@_called
def text(told: dict[str, Any]) -> None:
    """A text that came in."""
    number, words = told["source_number"], told["message"]
    take_reply(_CARRIER, _short(told["id"], 120), _short(number, 40), str(words))


def _is_notify(request: HttpRequest) -> bool:
    """Whether the caller has the token; where none is set, nobody has."""
    named = settings.WORKSPACE.settings.notify
    token = os.environ.get(named.callback_from, "").strip() if named is not None else ""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    same = hmac.compare_digest(given.strip().encode(), token.encode())
    return bool(token) and scheme.lower() == "bearer" and same


def _short(value: object, most: int) -> str:
    """A text that fits where it is kept.

    Raises:
        ValueError: it is no such text.
    """
    if not isinstance(value, str) or len(value) > most:
        raise ValueError
    return value


def _time(value: str) -> datetime:
    moment = datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
