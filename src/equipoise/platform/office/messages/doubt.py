"""Messages that may have gone out or not: somebody says which, and how they know."""

from collections.abc import Iterator
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods, require_safe

from equipoise.errors import InputError, Problem
from equipoise.platform.delivery.actions import settle_unknown
from equipoise.platform.delivery.models import Dispatch
from equipoise.platform.delivery.queries import in_doubt
from equipoise.platform.office.access import study_page
from equipoise.platform.office.confirming import confirmed_act
from equipoise.platform.office.downloads import csv_file, wants_csv
from equipoise.platform.office.listing import leaf_of
from equipoise.platform.office.messages.words import CHANNELS, REASONS, minute, named, way
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of
from equipoise.protocol.sends import sends

__all__ = ["urlpatterns"]

_CHOICES = [
    ("went", "It went out", "It counts as sent. Nobody gets it again"),
    ("not", "It did not go out", "It is sent again, unless its time is over"),
]


@require_safe
@study_page("messages.send")
def doubtful(request: HttpRequest, study: Study) -> HttpResponse:
    """Every message of which nobody knows whether it went out, oldest first."""
    rows = in_doubt(study)
    zone = folder_of(study).protocol.study.timezone
    if wants_csv(request):
        header = ["Code", "Send", "Occasion", "Channel", "Carrier", "Tried (UTC)", "Reason", "Reference"]
        return csv_file(f"{study.name}-in-doubt", header, _lines(rows.iterator(2_000)))
    count = rows.count()
    leaf = leaf_of(request, count)
    page = {
        "page_title": "Messages in doubt",
        "count": count,
        "rows": [_shown(study, row, zone) for row in rows[leaf.rows]],
        "zone": zone,
        **leaf.values({}),
        "trail": way(study),
    }
    return render(request, "office/messages_doubt.html", page)


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("messages.send")
def settle(request: HttpRequest, study: Study, number: int) -> HttpResponse:
    """Say what became of one of them."""
    row = in_doubt(study).filter(pk=number).first()
    if row is None:
        raise Http404
    row.study = study
    zone = folder_of(study).protocol.study.timezone
    back = reverse("messages-doubt", args=[study.name])
    page = {
        "page_title": "What became of this message?",
        "says": [
            f"{_label(study, row)} to participant {row.participant.key}, "
            f"by {CHANNELS[row.channel].lower()} ({row.carrier}), tried {minute(row.sent_at, zone)}.",
            f"The provider knows it by the reference {row.reference}. Look there before you decide."
            if row.reference
            else "It has no reference by which the provider would know it. Ask whoever runs the provider.",
        ],
        "button_text": "Settle it",
        "danger": False,
        "template": "decide",
        "choices": _CHOICES,
        "back": back,
        "trail": way(study, {"text": "In doubt", "href": back}),
    }
    return confirmed_act(
        request,
        page,
        thing="",
        act=lambda reason: settle_unknown(request.user, row, _went(request), reason=reason),
        done="It is settled, and recorded.",
        onward=back,
    )


def _went(request: HttpRequest) -> bool:
    choice = request.POST.get("choice", "")
    if choice not in ("went", "not"):
        raise InputError(Problem("", "choice", "say whether it went out"))
    return choice == "went"


def _label(study: Study, row: Dispatch) -> str:
    send = sends(folder_of(study).protocol).get(row.contact)
    return named(send.label, row.occasion, send.times) if send is not None else row.contact


def _shown(study: Study, row: Dispatch, zone: str) -> dict[str, Any]:
    return {
        "code": {"text": row.participant.key, "href": reverse("messages-settle", args=[study.name, row.pk])},
        "what": _label(study, row),
        "channel": CHANNELS[row.channel],
        "tried": minute(row.sent_at, zone),
        "why": REASONS.get(row.reason, row.reason or "–"),
    }


def _lines(rows: Iterator[Dispatch]) -> Iterator[tuple[Any, ...]]:
    for row in rows:
        told = (row.participant.key, row.contact, row.occasion, row.channel, row.carrier)
        yield (*told, row.sent_at, row.reason, row.reference)


urlpatterns = [
    path("studies/<slug:name>/messages/in-doubt/", doubtful, name="messages-doubt"),
    path("studies/<slug:name>/messages/in-doubt/<int:number>/", settle, name="messages-settle"),
]
