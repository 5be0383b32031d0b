"""What could not be sent, to whom and why, and to which addresses nothing goes any more; people by code."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from equipoise.platform.delivery.models import ClosedAddress, Dispatch
from equipoise.platform.delivery.queries import FAILED_OR_MISSED, closed_addresses, failures
from equipoise.platform.office.access import study_page
from equipoise.platform.office.downloads import csv_file, wants_csv
from equipoise.platform.office.listing import chosen_of, leaf_of
from equipoise.platform.office.messages.words import CHANNELS, REASONS, STATES, minute, named, way
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of, roster_columns
from equipoise.protocol.sends import Send, sends

__all__ = ["urlpatterns"]

_CHUNK = 2_000


@require_safe
@study_page("messages.send")
def unsent(request: HttpRequest, study: Study) -> HttpResponse:
    """What failed and what was missed, newest first."""
    chosen = chosen_of(request, {"state": FAILED_OR_MISSED, "why": REASONS})
    rows = failures(study, chosen.get("state", "failed"), reason=chosen.get("why", ""))
    zone = folder_of(study).protocol.study.timezone
    if wants_csv(request):
        header = ["Code", "Send", "Occasion", "Channel", "State", "Reason", "Due (UTC)", "Attempts"]
        return csv_file(f"{study.name}-not-sent", header, _lines(rows.select_related("participant")))
    count = rows.count()
    leaf = leaf_of(request, count)
    numbers = list(rows.values_list("pk", flat=True)[leaf.rows])  # from an index alone
    found = Dispatch.objects.select_related("participant").in_bulk(numbers)
    known = sends(folder_of(study).protocol)
    page = {
        "page_title": "Messages that were not sent",
        "count": count,
        "rows": [_shown(study, known, found[number], zone) for number in numbers if number in found],
        "chosen": chosen,
        "states": [(state, STATES[state]) for state in FAILED_OR_MISSED],
        "reasons": [("", "Any reason"), *REASONS.items()],
        "zone": zone,
        **leaf.values(chosen),
        "file": f"?{urlencode({**chosen, 'format': 'csv'})}",
        "trail": way(study),
    }
    return render(request, "office/messages_unsent.html", page)


@require_safe
@study_page("messages.send")
def closed(request: HttpRequest, study: Study) -> HttpResponse:
    """Addresses that bounced or complained; the address itself stands on the person's page."""
    rows = closed_addresses(study)
    zone = folder_of(study).protocol.study.timezone
    if wants_csv(request):
        lines = rows.values_list("participant__key", "column", "reason", "at").iterator(_CHUNK)
        return csv_file(f"{study.name}-closed-addresses", ["Code", "Column", "Reason", "Closed (UTC)"], lines)
    count = rows.count()
    leaf = leaf_of(request, count)
    page = {
        "page_title": "Closed addresses",
        "count": count,
        "rows": [_closed(study, row, zone) for row in rows[leaf.rows]],
        "zone": zone,
        **leaf.values({}),
        "trail": way(study),
    }
    return render(request, "office/messages_closed.html", page)


def _shown(study: Study, known: dict[str, Send], row: Dispatch, zone: str) -> dict[str, Any]:
    send = known.get(row.contact)
    what = named(send.label, row.occasion, send.times) if send is not None else row.contact
    return {
        "code": _person(study, row.participant.key),
        "what": {"text": what, "href": reverse("message", args=[study.name, row.contact, row.occasion])},
        "channel": CHANNELS[row.channel],
        "due": minute(row.due_at, zone),
        "state": STATES[row.state],
        "why": REASONS.get(row.reason, row.reason or "–"),
    }


def _closed(study: Study, row: ClosedAddress, zone: str) -> dict[str, Any]:
    columns = roster_columns(study)
    label = columns[row.column].label if row.column in columns else None
    return {
        "code": _person(study, row.participant.key),
        "column": label or row.column,
        "why": row.reason.replace("-", " ").capitalize(),
        "at": minute(row.at, zone),
    }


def _person(study: Study, key: str) -> dict[str, str]:
    return {"text": key, "href": reverse("person", args=[study.name, key])}


def _lines(rows: "QuerySet[Dispatch]") -> Iterator[tuple[Any, ...]]:
    for row in rows.iterator(_CHUNK):
        told = (row.participant.key, row.contact, row.occasion, row.channel)
        yield (*told, STATES[row.state], REASONS.get(row.reason, row.reason), row.due_at, row.attempts)


urlpatterns = [
    path("studies/<slug:name>/messages/not-sent/", unsent, name="messages-unsent"),
    path("studies/<slug:name>/messages/closed/", closed, name="messages-closed"),
]
