"""What takes two people: everything that was ever asked for in a study, in a table."""

from collections.abc import Container, Iterator, Mapping
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from equipoise.platform.approvals.acts import ACTS, IDENTIFY
from equipoise.platform.approvals.models import ApprovalRequest
from equipoise.platform.approvals.queries import STATES, in_state, requests
from equipoise.platform.office.access import study_page
from equipoise.platform.office.approvals.request import names_of, told_of
from equipoise.platform.office.downloads import csv_file, wants_csv
from equipoise.platform.office.listing import both_ways, chosen_of, leaf_of, order_of, sorted_columns
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of

__all__ = ["urlpatterns"]

_SORTS = {"number": "number", "act": "act", "asked": "asked_at", "decided": "decided_at"}
_COLUMNS = {
    "number": "Request",
    "act": "What",
    "about": "Of what",
    "asked_by": "Asked by",
    "asked": "Asked",
    "state": "State",
    "decided_by": "Closed by",
    "decided": "Closed",
}


@require_safe
@study_page("approvals.see")
def approvals(request: HttpRequest, study: Study) -> HttpResponse:
    """Every request there ever was, by page, in the order and with the filter of the address."""
    chosen = _chosen(request)
    rows = _filtered(study, chosen)
    zone = folder_of(study).protocol.study.timezone
    if wants_csv(request):
        header = [*_COLUMNS.values(), "Reason", "Comment"]
        return csv_file(f"{study.name}-approvals", header, _lines(rows, zone))
    count = rows.count()
    leaf = leaf_of(request, count)
    shown = list(rows[leaf.rows])
    names = names_of(shown)
    page = {
        "page_title": "Approvals",
        "columns": list(sorted_columns(_COLUMNS.items(), _SORTS, chosen, chosen.get("sort", "-number"))),
        "rows": [told_of(one, names, zone) | {"number": _link(study, one)} for one in shown],
        "count": count,
        "chosen": chosen,
        "states": [("", "Any state"), *STATES.items()],
        "acts": [("", "Anything"), *((name, act.title) for name, act in ACTS.items())],
        **leaf.values(chosen),
        "file": f"?{urlencode({**chosen, 'format': 'csv'})}",
        "may_identify": request.may(IDENTIFY),
    }
    return render(request, "office/approvals.html", page)


def _link(study: Study, found: ApprovalRequest) -> dict[str, str]:
    return {"text": str(found.number), "href": reverse("approval", args=[study.name, found.number])}


def _chosen(request: HttpRequest) -> dict[str, str]:
    """What the address asks for, and only what there is."""
    allowed: dict[str, Container[str]] = {
        "state": STATES,
        "act": ACTS,
        "sort": both_ways(_SORTS),
    }
    return chosen_of(request, allowed)


def _filtered(study: Study, chosen: Mapping[str, str]) -> "QuerySet[ApprovalRequest]":
    rows = requests(study)
    if "state" in chosen:
        rows = in_state(rows, chosen["state"])
    if "act" in chosen:
        rows = rows.filter(act=chosen["act"])
    return rows.order_by(order_of(_SORTS, chosen.get("sort", "-number")), "-number")


def _lines(rows: "QuerySet[ApprovalRequest]", zone: str) -> Iterator[tuple[str, ...]]:
    names = names_of(rows)
    for row in rows:
        told = told_of(row, names, zone)
        yield (*(told[name] for name in _COLUMNS), row.reason, row.comment)


urlpatterns = [path("studies/<slug:name>/approvals/", approvals, name="approvals")]
