"""HR extracts of a study, by pages: which came, in numbers; and the upload of another.

Nobody's values and nobody's identifier is on any of these pages.
"""

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods, require_POST

from equipoise.errors import EquipoiseError, InputError, Problem
from equipoise.platform.extracts.actions import check_importing
from equipoise.platform.extracts.models import Extract
from equipoise.platform.extracts.scopes import Scope, check_scope, scopes
from equipoise.platform.office.access import problems_in, study_page
from equipoise.platform.office.downloads import csv_file, wants_csv
from equipoise.platform.office.extracts.columns import columns, pending_of
from equipoise.platform.office.extracts.preview import lines, preview
from equipoise.platform.office.extracts.words import days_words, source_words
from equipoise.platform.office.listing import leaf_of
from equipoise.platform.office.uploads import LARGEST, received_table
from equipoise.platform.pages.filters import day, moment
from equipoise.platform.people.models import PendingImport
from equipoise.platform.people.pending import choose, drop, keep, kept_by
from equipoise.platform.permissions import NotAllowedError
from equipoise.platform.policies import RESULTS_ALLOW, STUDY_ALLOWS
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of, partners

__all__ = ["urlpatterns"]

_COLUMNS = {
    "at": "When",
    "what": "What",
    "days": "Days",
    "partner": "Partner",
    "version": "Version",
    "counts_now": "Counts",
    "linked": "Linked",
    "none": "Without a spell",
    "not_linked": "Did not agree",
    "left": "Had left",
    "elsewhere": "Other partner",
    "unmatched": "Not in the study",
    "absent": "Not in the file",
    "hash": "Hash of the file",
}
_LEFT_OUT = ("not_linked", "left", "elsewhere")
_NUMBERS = ("version", "linked", "none", *_LEFT_OUT, "unmatched", "absent")
# On the page, where a table of everything would be too wide.
_SHOWN = {
    "file": "File",
    "partner": "Partner",
    "version": "Version",
    "counts_now": "Counts",
    "kept": "Linked",
    "left_out": "Left out",
    "unmatched": "Not in the study",
    "absent": "Not in the file",
}


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("extracts.import")
def extracts(request: HttpRequest, study: Study) -> HttpResponse:
    """The files that came, and another."""
    problems: list[dict[str, str]] = []
    if wants_csv(request):
        rows = _came(study, Extract.objects.filter(study=study))
        return csv_file(
            f"{study.name}-extracts",
            list(_COLUMNS.values()),
            ([row[name] for name in _COLUMNS] for row in rows),
        )
    if request.method == "POST":
        try:
            kept = _received(request, study)
        except NotAllowedError:
            raise
        except EquipoiseError as error:
            fields = {name: name for name in ("file", "what", "partner")}
            problems = problems_in(error, **fields, source="what", window="what")
        else:
            onward = reverse("extract-columns", args=[study.name, kept.pk])
            return HttpResponseRedirect(onward, status=303)
    zone = folder_of(study).protocol.study.timezone
    everything = Extract.objects.filter(study=study)
    leaf = leaf_of(request, everything.count())
    page = {
        "page_title": "HR extracts",
        "problems": problems,
        "kinds": [(_written(scope), _offered(study, scope)) for scope in scopes(study)],
        "kind": request.POST.get("what", ""),
        "partners": _partner_options(study),
        "partner": request.POST.get("partner", ""),
        "largest": f"{LARGEST // 1_000_000} MB",
        "is_open": _is_open(study),
        "sealed": study.results not in RESULTS_ALLOW["extracts.import"],
        "waiting": [
            (each, moment(each.at, zone)) for each in kept_by(request.user, study, kinds=("extract",))
        ],
        "columns": [
            {"key": name, "text": text, "number": name in (*_NUMBERS, "kept", "left_out")}
            for name, text in _SHOWN.items()
        ],
        "rows": list(_came(study, everything, leaf.rows)),
        **leaf.values({}),
    }
    return render(request, "office/extracts.html", page, status=422 if problems else 200)


@require_POST
@study_page("extracts.import")
def discard(request: HttpRequest, study: Study, number: int) -> HttpResponse:
    """Forget a file that was not confirmed."""
    drop(pending_of(request, study, number))
    return HttpResponseRedirect(reverse("extracts", args=[study.name]), status=303)


def _received(request: HttpRequest, study: Study) -> PendingImport:
    check_importing(request.user, study)
    source, _, window = request.POST.get("what", "").partition(" ")
    if not source:
        raise InputError(Problem("", "what", "choose what the file is"))
    scope = Scope(source, window, request.POST.get("partner") or None)
    check_scope(study, scope)
    name, place = received_table(request)
    pending = keep(request.user, study, name, place, "extract")
    choose(pending, {"source": source, "window": window, "partner": scope.partner})
    return pending


def _came(study: Study, rows: Any, some: slice | None = None) -> Iterator[dict[str, Any]]:
    """Files, newest first, in words and numbers; all, or those of one page."""
    protocol = folder_of(study).protocol
    newest: dict[tuple[str, str, int | None], int] = {}
    for source, window, partner, version in rows.values_list("source", "window", "partner_id", "number"):
        key = (source, window, partner)
        newest[key] = max(version, newest.get(key, 0))
    rows = rows.select_related("partner").order_by("-pk")
    for each in rows if some is None else rows[some]:
        scope = Scope(each.source, each.window)
        stands = newest[each.source, each.window, each.partner_id] == each.number
        yield {
            "at": moment(each.at, protocol.study.timezone),
            "file": f"{_offered(study, scope)}; imported {day(each.at, protocol.study.timezone)}",
            "kept": each.counts["linked"] + each.counts["none"],
            "left_out": sum(each.counts[name] for name in _LEFT_OUT),
            "what": source_words(study, each.source),
            "days": days_words(study, scope),
            "partner": each.partner.title if each.partner else "Everybody's",
            "version": each.number,
            "counts_now": "Yes" if stands else "No, a later one does",
            **{name: each.counts.get(name, 0) for name in _NUMBERS if name != "version"},
            "hash": each.file_hash[:16],
        }


def _offered(study: Study, scope: Scope) -> str:
    return f"{source_words(study, scope.source)}: {days_words(study, scope)}"


def _written(scope: Scope) -> str:
    return f"{scope.source} {scope.window}"


def _partner_options(study: Study) -> list[tuple[str, str]]:
    known = partners(study)
    if len(known) < 2:
        return []
    return [("", "Everybody's"), *((each.name, each.title) for each in known)]


def _is_open(study: Study) -> bool:
    return (
        study.state in STUDY_ALLOWS["extracts.import"] and study.results in RESULTS_ALLOW["extracts.import"]
    )


_ROOT = "studies/<slug:name>/extracts"
urlpatterns = [
    path(f"{_ROOT}/", extracts, name="extracts"),
    path(f"{_ROOT}/<int:number>/columns", columns, name="extract-columns"),
    path(f"{_ROOT}/<int:number>/preview", preview, name="extract-preview"),
    path(f"{_ROOT}/<int:number>/lines/<slug:what>", lines, name="extract-lines"),
    path(f"{_ROOT}/<int:number>/discard", discard, name="extract-discard"),
]
