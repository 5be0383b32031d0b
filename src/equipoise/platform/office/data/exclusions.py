"""The list of exclusions and of looks at results by arm: the page of the data review."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_safe

from equipoise.platform.office.access import study_page
from equipoise.platform.office.downloads import csv_file, wants_csv
from equipoise.platform.office.listing import both_ways, chosen_of, leaf_of, order_of, sorted_columns
from equipoise.platform.pages.filters import moment
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of
from equipoise.platform.review.models import Exclusion
from equipoise.platform.review.queries import exclusions, looks
from equipoise.platform.staff.models import StaffMember

__all__ = ["left_out_of", "urlpatterns"]

_HOLDS = {"held": "Holds", "taken": "Taken back"}
_COLUMNS = {
    "participant": "Participant",
    "of": "Left out of",
    "reason": "Reason",
    "at": "Decided",
    "by": "By",
    "state": "State",
}
_SORTS = {"participant": "participant__key", "reason": "reason", "at": "at"}
_HEADER = (
    *("Participant", "Left out of", "Reason", "Decided (UTC)", "Decided by"),
    *("Taken back (UTC)", "Taken back by", "Why taken back"),
)


@require_safe
@study_page("data.review")
def review(request: HttpRequest, study: Study) -> HttpResponse:
    """Every exclusion, those taken back too, by page, in the order and with the filter of the address."""
    chosen = _chosen(request)
    rows = _filtered(study, chosen)
    if wants_csv(request):
        names = _names()
        lines = (_line(each, names) for each in rows.iterator(2_000))
        return csv_file(f"{study.name}-exclusions", _HEADER, lines)
    count = rows.count()
    leaf = leaf_of(request, count)
    zone = folder_of(study).protocol.study.timezone
    masked = study.results == "masked"
    columns = {**_COLUMNS, "act": "Change"} if masked else _COLUMNS
    page = {
        "page_title": "Data review",
        "masked": masked,
        "results": study.results,
        "columns": list(sorted_columns(columns.items(), _SORTS, chosen, chosen.get("sort", "-at"))),
        "rows": list(_shown(study, rows[leaf.rows], zone, masked=masked)),
        "count": count,
        "chosen": chosen,
        "states": [("", "Any"), *_HOLDS.items()],
        **leaf.values(chosen),
        "file": f"?{urlencode({**chosen, 'format': 'csv'})}",
        "looks": [
            {
                "on": f"{look.on:%Y-%m-%d}",
                "seen": look.seen,
                "answered": f"{look.answered:,} of {look.asked:,}",
                "declared": "Yes" if look.declared else "No",
            }
            for look in looks(study)
        ],
        "trail": [{"text": "Data", "href": reverse("exports", args=[study.name])}],
    }
    return render(request, "office/review.html", page)


def left_out_of(each: Exclusion) -> str:
    """What somebody is left out of, in words."""
    return ", ".join(each.of) or "all analyses"


def _chosen(request: HttpRequest) -> dict[str, str]:
    """What the address asks for, and only what there is."""
    allowed = {"state": tuple(_HOLDS), "sort": both_ways(_SORTS)}
    return chosen_of(request, allowed)


def _filtered(study: Study, chosen: Mapping[str, str]) -> "QuerySet[Exclusion]":
    rows = exclusions(study)
    if "state" in chosen:
        rows = rows.filter(withdrawn__isnull=chosen["state"] == "held")
    return rows.order_by(order_of(_SORTS, chosen.get("sort", "-at")), "pk")


def _shown(study: Study, rows: Any, zone: str, *, masked: bool) -> Iterator[dict[str, Any]]:
    names = _names()
    for each in rows:
        taken = getattr(each, "withdrawn", None)
        act: Any = "–"
        if masked and taken is None:
            href = reverse("data-review-take-back", args=[study.name, each.pk])
            act = {"text": "Take back", "href": href}
        yield {
            "participant": each.participant.key,
            "of": left_out_of(each),
            "reason": each.reason,
            "at": moment(each.at, zone),
            "by": names.get(each.actor, each.actor),
            "state": "Holds" if taken is None else f"Taken back {moment(taken.at, zone)}: {taken.reason}",
            "act": act,
        }


def _line(each: Exclusion, names: Mapping[str, str]) -> tuple[Any, ...]:
    taken = getattr(each, "withdrawn", None)
    after = (None, None, None) if taken is None else (taken.at, names.get(taken.actor), taken.reason)
    return (
        each.participant.key,
        left_out_of(each),
        each.reason,
        each.at,
        names.get(each.actor, each.actor),
        *after,
    )


def _names() -> dict[str, str]:
    return {member.actor: member.name for member in StaffMember.objects.all()}


urlpatterns = [path("studies/<slug:name>/data/review/", review, name="data-review")]
