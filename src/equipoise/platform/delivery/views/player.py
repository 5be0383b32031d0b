"""The page that a message leads to: one button, and after it the film with its words, or the paper.

Fetching a page changes nothing, as mail scanners fetch every link; the button is what a person does.
"""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from equipoise.platform.clock import now
from equipoise.platform.delivery.models import MessageLink
from equipoise.platform.delivery.video.tickets import code_of, link_of, read_watch_key, set_ticket, watch_key
from equipoise.platform.delivery.video.watches import (
    Shown,
    find_message_link,
    message_link,
    note_watched,
    open_message,
    shown_by,
)
from equipoise.platform.fieldwork.standing import Standing
from equipoise.platform.fieldwork.views.frames import (
    frame,
    notice_page,
    standing_page,
    wrong_link,
)
from equipoise.platform.fieldwork.views.media import media_file
from equipoise.platform.pages.words import words_for

__all__ = ["landing", "media", "message", "watched"]

View = Callable[..., HttpResponse]  # of a request, a link, what it shows, and parts of the address


@require_http_methods(["GET", "HEAD", "POST"])
def landing(request: HttpRequest, token: str) -> HttpResponse:
    """Where the link in a message leads."""
    link = find_message_link(token)
    shown = shown_by(link, request.GET.get("lang", "")) if link is not None else None
    if link is None or shown is None:
        return wrong_link(request)
    if link.dispatch.participant.state != "enrolled":
        return _left(request, link, shown)
    if request.method == "POST":
        open_message(link)
        response = HttpResponseRedirect(reverse("message", args=[code_of(link)]), status=303)
        set_ticket(request, response, link)
        return response
    return render(request, "delivery/landing.html", _page(link, shown))


def _with_message(view: View) -> Callable[..., HttpResponse]:
    """For pages after the button: the browser has to hold a ticket, and the person to be in the study."""

    @wraps(view)
    def found(request: HttpRequest, code: str, **parts: Any) -> HttpResponse:
        number = link_of(request, code)
        link = message_link(number) if number is not None else None
        shown = shown_by(link, request.GET.get("lang", "")) if link is not None else None
        if link is None or shown is None:
            return notice_page(request, "expired", status=403)
        if link.dispatch.participant.state != "enrolled":
            return _left(request, link, shown)
        return view(request, link, shown, **parts)

    return found


@require_safe
@_with_message
def message(request: HttpRequest, link: MessageLink, shown: Shown) -> HttpResponse:
    """The player with captions and transcript, or the way to the paper."""
    asset, code = shown.asset, code_of(link)
    places = {
        name: reverse("message-media", args=[code, path.removeprefix("media/")]) if path else ""
        for name, path in (("file", asset.file), ("captions", asset.captions), ("poster", asset.poster))
    }
    values = {
        "places": places,
        "transcript": _transcript(shown),
        "captions_language": asset.captions_language or shown.folder.protocol.study.language,
        "watch_key": watch_key(link) if asset.kind != "file" else "",
        "scripts": ["watching"] if asset.kind != "file" else [],
    }
    return render(request, "delivery/message.html", _page(link, shown) | values)


@require_safe
@_with_message
def media(request: HttpRequest, link: MessageLink, shown: Shown, path: str) -> HttpResponse:
    """The file of this message, or one of those that belong to it; no other."""
    if not shown.asset.has(f"media/{path}"):
        raise Http404
    return media_file(request, shown.folder, path)


@require_POST
def watched(request: HttpRequest) -> HttpResponse:
    """What a player tells. It is answered alike whatever becomes of it; nobody reads the answer."""
    key = read_watch_key(request.POST.get("key", ""))
    link = message_link(key[0]) if key is not None else None
    if key is None or link is None:
        return HttpResponse(status=400)
    try:
        ranges = json.loads(request.POST.get("ranges", ""))
        length = float(request.POST.get("length", ""))
        note_watched(link, ranges, length, key[1])
    except (ValueError, TypeError, LookupError, RecursionError):
        return HttpResponse(status=400)
    return HttpResponse(status=204)


def _page(link: MessageLink, shown: Shown) -> dict[str, Any]:
    words = words_for(shown.language)["message"]
    return frame(
        link.dispatch.study,
        shown.language,
        page_title=words["title"][shown.asset.kind],
        asset=shown.asset,
        lasts=_lasts(shown, words),
    )


def _lasts(shown: Shown, words: Any) -> str:
    """How long it is, in words; nothing where that is not known."""
    if shown.seconds is None:
        return ""
    minutes, seconds = divmod(round(shown.seconds), 60)
    said = words["minutes"] if minutes else words["seconds"]
    return str(said.format(minutes=minutes, seconds=seconds))


def _transcript(shown: Shown) -> tuple[str, ...] | str:
    """The words said in it: Markdown as it is, plain text by line."""
    if shown.asset.transcript is None:
        return ""
    text = (shown.folder.folder / shown.asset.transcript).read_text("utf-8-sig", errors="replace")
    if shown.asset.transcript.endswith(".md"):
        return text
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def _left(request: HttpRequest, link: MessageLink, shown: Shown) -> HttpResponse:
    moment = now()
    return standing_page(request, link.dispatch.study, shown.language, Standing("left", moment, moment))
