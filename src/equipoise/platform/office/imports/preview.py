"""What an uploaded roster would do, in numbers, by line and by the first people; and confirm."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from equipoise.errors import EquipoiseError
from equipoise.platform.office.access import problems_in, study_page
from equipoise.platform.office.imports.lines import (
    LISTS,
    Looked,
    cell,
    counts_for,
    file_of,
    listed,
    looked_at,
    named,
    read_counts,
    seen_in,
    shown_lists,
    trail_of,
    unreadable,
    written_counts,
)
from equipoise.platform.people.actions import import_source, update_from
from equipoise.platform.people.models import PendingImport, RosterImport
from equipoise.platform.people.pending import choose, drop, source_of
from equipoise.platform.people.previews import Preview
from equipoise.platform.permissions import NotAllowedError
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import roster_columns
from equipoise.roster import ImportReport

__all__ = ["preview"]

_SHOWN = 10
_A_PAGE = 100
_WOULD = {
    "new": "Would be enrolled",
    "contact": "Contact details would change",
    "facts": "Attributes would change",
    "moved": "Would move to another partner",
    "left": "Would be marked as having left their employer",
    "returned": "Would be marked as back",
    "kept": "Differ in what lots hang on, and would stay as they are",
    "known": "Take part already",
    "unchanged": "Stay as they are",
    "absent": "Take part, belong to the same partner and are not in the file",
    "kept_out": "Left the study earlier, and would be kept out",
    "ineligible": "Are not eligible",
    "unknown": "Cannot be told to be eligible or not, and would be left out",
    "late": "Are eligible, but enrolment has ended",
    "refused": "Rows with a problem",
}


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("people.import", by_partner=True)
def preview(request: HttpRequest, study: Study, number: int) -> HttpResponse:
    """Look; then confirm, or take the good rows only."""
    pending = file_of(request, study, number)
    problems: list[dict[str, str]] = []
    if request.method == "POST":
        if request.POST.get("rows") in ("good", "all"):
            choose(pending, {"good_rows_only": request.POST["rows"] == "good"})
            return HttpResponseRedirect(request.path, status=303)
        try:
            imported = _confirmed(request, study, pending)
        except NotAllowedError:
            raise
        except EquipoiseError as error:
            problems = problems_in(error)[:_SHOWN]
        else:
            drop(pending)
            messages.success(request, _done(imported))
            onward = reverse("import-done", args=[study.name, imported.pk])
            return HttpResponseRedirect(onward, status=303)
    try:
        looked = looked_at(request, study, pending)
    except EquipoiseError as error:
        return unreadable(request, pending, error, trail_of(study, pending)[:-1])
    page = _page(request, study, pending, looked, problems)
    return render(request, "office/import_preview.html", page, status=422 if problems else 200)


def _confirmed(request: HttpRequest, study: Study, pending: PendingImport) -> RosterImport:
    expected = read_counts(request.POST.get("expected", ""))
    with source_of(pending) as source:
        if pending.choices["kind"] == "update":
            whole = bool(pending.choices.get("whole"))
            return update_from(request.user, study, source, whole=whole, expected=expected)
        return import_source(request.user, study, source, expected=expected.get("new", -1))


def _page(
    request: HttpRequest,
    study: Study,
    pending: PendingImport,
    looked: Looked,
    problems: list[dict[str, str]],
) -> dict[str, Any]:
    seen = seen_in(looked)
    report, counts = seen.read.report, counts_for(request, looked.counts)
    told = {name: text for name, text in _WOULD.items() if name != "known" or isinstance(looked, Preview)}
    lists = {name: list(listed(looked, name)) for name in LISTS}
    return {
        "page_title": "What would happen",
        "problems": problems,
        "pending": pending,
        "numbers": [(text, f"{counts[name]:,}") for name, text in told.items() if counts.get(name)],
        "facts_read": _facts_read(report),
        "lists": shown_lists(LISTS, lists),
        "first": list(_first(study, seen)),
        "first_columns": named([column.label or name for name, column in roster_columns(study).items()]),
        "blocked": [problem.message for problem in looked.refusals()[:1]],
        "good_rows_only": seen.read.source.good_rows_only,
        "some_refused": bool(counts["refused"]),
        "expected": written_counts(_expected_of(request, counts)),
        "button_text": _button(looked),
        "trail": trail_of(study, pending)[:-1],
    }


def _facts_read(report: ImportReport) -> list[tuple[str, str]]:
    file = report.files[0]
    rows = [("File", file.file), ("Rows", f"{report.read:,}")]
    rows += [("Read as", file.encoding or (f"sheet {file.sheet}" if file.sheet else file.kind))]
    rows += [("Guessed", "; ".join(file.guesses))] if file.guesses else []
    rows += [("Blank rows left out", f"{file.blank_rows:,}")] if file.blank_rows else []
    return rows


def _first(study: Study, seen: Preview) -> Iterator[dict[str, str]]:
    names = list(roster_columns(study))
    for row in seen.first:
        yield {str(at): cell(row.get(name)) for at, name in enumerate(names)}


def _button(looked: Looked) -> str:
    new = len((seen_in(looked)).newcomers)
    enrol = f"{new:,} {'person' if new == 1 else 'people'}"
    if isinstance(looked, Preview):
        return f"Enrol {enrol}"
    changed = sum(change.alters for change in looked.changes)
    update = f"{changed:,} {'participant' if changed == 1 else 'participants'}"
    return f"Update {update} and enrol {enrol}" if new else f"Update {update}"


def _done(imported: RosterImport) -> str:
    new = imported.counts["new"]
    who = "1 person is" if new == 1 else f"{new:,} people are"
    return f"{who} enrolled." if imported.kind == "import" else f"The update is done; {who} newly enrolled."


def _expected_of(request: HttpRequest, counts: Mapping[str, int]) -> dict[str, int]:
    """What must still be so when it is confirmed; what a partner is shown added up is left out."""
    return {name: count for name, count in counts.items() if request.reach.everybody or name != "known"}
