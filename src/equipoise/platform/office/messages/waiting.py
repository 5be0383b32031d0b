"""What waits for somebody to let it go out: sends that are new, or that an amendment or upgrade changed."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods, require_safe

from equipoise.platform.clock import now
from equipoise.platform.delivery.planning.confirming import Unconfirmed, confirm, unconfirmed
from equipoise.platform.delivery.watch.tallies import tally
from equipoise.platform.office.access import study_page
from equipoise.platform.office.confirming import confirmed_act
from equipoise.platform.office.downloads import csv_file, wants_csv
from equipoise.platform.office.messages.schedule import Row, rows_of
from equipoise.platform.office.messages.words import CHANNELS, minute, way
from equipoise.platform.policies import STUDY_ALLOWS
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of

__all__ = ["urlpatterns"]


@require_safe
@study_page("messages.calendar")
def waiting(request: HttpRequest, study: Study) -> HttpResponse:
    """Every send that waits, what is new of it, and when it would go out next."""
    zone = folder_of(study).protocol.study.timezone
    rows = rows_of(study, tally(study))
    found = [_shown(study, each, rows, zone) for each in unconfirmed(study)]
    if wants_csv(request):
        header = ["Send", "What", "New or changed", "Channel", "Next", "Occasions to come"]
        return csv_file(f"{study.name}-waiting", header, (each["csv"] for each in found))
    page = {
        "page_title": "Waiting for a person",
        "rows": found,
        "locked": study.state == "locked",
        "may_confirm": request.may("messages.confirm") and study.state in STUDY_ALLOWS["messages.confirm"],
        "zone": zone,
        "trail": way(study),
    }
    return render(request, "office/messages_waiting.html", page)


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("messages.confirm")
def let_go(request: HttpRequest, study: Study, send: str) -> HttpResponse:
    """Let one of them go out, once the name of the study was typed."""
    each = next((one for one in unconfirmed(study) if one.send.name == send), None)
    if each is None:
        raise Http404
    zone = folder_of(study).protocol.study.timezone
    rows = rows_of(study, tally(study))
    back = reverse("messages-waiting", args=[study.name])
    page = {
        "page_title": f"Let it go out: {each.send.label}",
        "says": [
            f"{_new(each)}. It goes by {CHANNELS[each.send.channel].lower()}; {_next(each, rows, zone)}.",
            "Once you let it go out, it goes whenever it is due, and nobody is asked again unless an "
            "amendment changes it.",
        ],
        "button_text": "Let it go out",
        "danger": False,
        "back": back,
        "trail": way(study, {"text": "Waiting for a person", "href": back}),
    }
    return confirmed_act(
        request,
        page,
        thing=study.name,
        act=lambda _: confirm(request.user, study, [send]),
        done=f"{each.send.label} goes out when it is due.",
        onward=back,
        reason=False,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("messages.confirm")
def let_all_go(request: HttpRequest, study: Study) -> HttpResponse:
    """Let everything that waits go out, once the name of the study was typed."""
    names = {each.send.name: each.send.label for each in unconfirmed(study)}
    back = reverse("messages-waiting", args=[study.name])
    page = {
        "page_title": "Let everything go out",
        "says": [
            f"What goes out from now on, whenever it is due: {', '.join(names.values()) or 'nothing waits'}.",
            "Nobody is asked again unless an amendment changes it.",
        ],
        "button_text": "Let everything go out",
        "danger": False,
        "back": back,
        "trail": way(study, {"text": "Waiting for a person", "href": back}),
    }
    return confirmed_act(
        request,
        page,
        thing=study.name,
        act=lambda _: confirm(request.user, study, names),
        done="Everything goes out when it is due.",
        onward=back,
        reason=False,
    )


def _shown(study: Study, each: Unconfirmed, rows: list[Row], zone: str) -> dict[str, Any]:
    send, coming = each.send, _coming(each, rows)
    next_one = coming[0].due if coming else None
    address = reverse("message", args=[study.name, send.name, coming[0].occasion if coming else 1])
    return {
        "what": {"text": send.label, "href": address},
        "new": _new(each),
        "channel": CHANNELS[send.channel],
        "next": minute(next_one, zone) if next_one else (coming[0].when if coming else "Nothing to come"),
        "times": len(coming),
        "let": {
            "text": "Let it go out",
            "about": send.label,
            "href": reverse("messages-let", args=[study.name, send.name]),
        },
        "csv": (send.name, send.label, _new(each), CHANNELS[send.channel], next_one, len(coming)),
    }


def _new(each: Unconfirmed) -> str:
    return "Changed since somebody let it go out" if each.changed else "Nobody has let it go out yet"


def _next(each: Unconfirmed, rows: list[Row], zone: str) -> str:
    coming = _coming(each, rows)
    if not coming:
        return "nothing of it is still to come"
    due = coming[0].due
    return f"next {minute(due, zone)}" if due is not None else coming[0].when.lower()


def _coming(each: Unconfirmed, rows: list[Row]) -> list[Row]:
    """Its occasions that can still go out."""
    moment = now()
    mine = [row for row in rows if row.name == each.send.name]
    return [row for row in mine if row.due is None or (row.last is not None and row.last > moment)]


urlpatterns = [
    path("studies/<slug:name>/messages/waiting/", waiting, name="messages-waiting"),
    path("studies/<slug:name>/messages/waiting/sends/<str:send>", let_go, name="messages-let"),
    path("studies/<slug:name>/messages/waiting/everything", let_all_go, name="messages-let-all"),
]
