"""What an uploaded extract would add, in numbers; its problems and unmatched rows by line; and confirm.

Rows that nobody matches are shown by line, here only: nothing of them is stored.
"""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from equipoise.errors import EquipoiseError
from equipoise.platform.extracts.actions import import_extract, look_at_extract
from equipoise.platform.extracts.linking import Linkage
from equipoise.platform.extracts.models import Extract
from equipoise.platform.extracts.reading import ExtractFile
from equipoise.platform.office.access import problems_in, study_page
from equipoise.platform.office.downloads import csv_file, wants_csv
from equipoise.platform.office.extracts.columns import pending_of, scope_of, trail_of
from equipoise.platform.office.extracts.words import scope_words
from equipoise.platform.office.imports.lines import (
    keyed,
    named,
    read_counts,
    shown_lists,
    unreadable,
    written_counts,
)
from equipoise.platform.office.listing import leaf_of
from equipoise.platform.people.models import PendingImport
from equipoise.platform.people.pending import drop, source_of
from equipoise.platform.people.reading import RosterSource
from equipoise.platform.permissions import NotAllowedError
from equipoise.platform.registry.models import Study

__all__ = ["lines", "preview"]

_SHOWN = 10
_A_PAGE = 100
LISTS = {
    "problems": ("Problems", ("Line", "Column", "Problem")),
    "unmatched": ("Not in the study", ("Line",)),
    "notes": ("Changed or noticed in reading", ("Column", "What", "Rows")),
}
_WOULD = {
    "linked": "Are participants and would be linked",
    "none": "Have no spell in the file and would have 0 days",
    "not_linked": "Take part but did not agree, and would be left out",
    "left": "Left the study, and would be left out",
    "elsewhere": "Take part through another partner, and would be left out",
    "unmatched": "Are not in the study; their rows are listed below and not kept",
    "absent": "Take part and may be linked, but are not in the file",
    "outside": "Spells without a day in the window",
    "refused": "Rows with a problem",
}


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("extracts.import")
def preview(request: HttpRequest, study: Study, number: int) -> HttpResponse:
    """Look, then confirm."""
    pending = pending_of(request, study, number)
    problems: list[dict[str, str]] = []
    if request.method == "POST":
        try:
            done = _confirmed(request, study, pending)
        except NotAllowedError:
            raise
        except EquipoiseError as error:
            problems = problems_in(error, reason="reason")[:_SHOWN]
        else:
            drop(pending)
            messages.success(request, _done(done))
            return HttpResponseRedirect(reverse("extracts", args=[study.name]), status=303)
    try:
        looked = _looked(study, pending)
    except EquipoiseError as error:
        return _unreadable(request, study, pending, error)
    page = _page(study, pending, looked) | {"problems": problems, "reason": request.POST.get("reason", "")}
    return render(request, "office/extract_preview.html", page, status=422 if problems else 200)


@require_safe
@study_page("extracts.import")
def lines(request: HttpRequest, study: Study, number: int, what: str) -> HttpResponse:
    """Everything of one kind, line by line: a page at a time, or as a file."""
    if what not in LISTS:
        raise Http404
    pending = pending_of(request, study, number)
    try:
        rows = _listed(_looked(study, pending), what)
    except EquipoiseError as error:
        return _unreadable(request, study, pending, error)
    title, header = LISTS[what]
    if wants_csv(request):
        return csv_file(f"{study.name}-extract-{what}", header, rows)
    leaf = leaf_of(request, len(rows), _A_PAGE)
    page = {
        "page_title": title,
        "back": reverse("extract-preview", args=[study.name, pending.pk]),
        "back_text": "Back to what would be kept",
        "columns": named(header),
        "rows": keyed(rows[leaf.rows]),
        "count": len(rows),
        **leaf.values({}),
        "trail": trail_of(study, pending),
    }
    return render(request, "office/table_lines.html", page)


def _looked(study: Study, pending: PendingImport) -> Linkage:
    with source_of(pending) as source:
        return look_at_extract(study, scope_of(pending), _file(pending, source))


def _file(pending: PendingImport, source: RosterSource) -> ExtractFile:
    return ExtractFile(source.path, source.mapping, source.encoding, pending.choices.get("header"))


def _confirmed(request: HttpRequest, study: Study, pending: PendingImport) -> Extract:
    expected = read_counts(request.POST.get("expected", ""))
    reason = request.POST.get("reason", "")
    with source_of(pending) as source:
        file, scope = _file(pending, source), scope_of(pending)
        return import_extract(request.user, study, scope, file, reason=reason, expected=expected)


def _page(study: Study, pending: PendingImport, looked: Linkage) -> dict[str, Any]:
    counts = looked.counts
    lists = {name: _listed(looked, name) for name in LISTS}
    blocked = looked.refusals()
    return {
        "page_title": "What would be kept",
        "pending": pending,
        "what": scope_words(study, scope_of(pending)),
        "numbers": [
            (text, f"{counts[name]:,}") for name, text in _WOULD.items() if counts[name] or name == "linked"
        ],
        "facts_read": _facts_read(looked),
        "lists": shown_lists(LISTS, lists),
        "blocked": blocked[0].message if blocked else "",
        "earlier": looked.current,
        "expected": written_counts(counts),
        "button_text": _button(counts["linked"] + counts["none"]),
        "trail": trail_of(study, pending)[:-1],
    }


def _listed(looked: Linkage, what: str) -> Sequence[tuple[Any, ...]]:
    """The rows of one list; nothing in them says who somebody is."""
    report = looked.read.report
    if what == "problems":
        return report.refusals.select("place", "column", "reason").rows()
    if what == "unmatched":
        return [(place,) for place in looked.unmatched]
    return [(note.column, note.message, note.rows) for note in report.notes]


def _facts_read(looked: Linkage) -> list[tuple[str, str]]:
    file = looked.read.report.files[0]
    how = file.encoding or (f"sheet {file.sheet}" if file.sheet else file.kind)
    rows = [("File", file.file), ("Rows", f"{file.rows:,}"), ("Read as", how)]
    rows += [("Names of the columns", f"Line {file.header_line}")] if file.header_line else []
    rows += [("Guessed", "; ".join(file.guesses))] if file.guesses else []
    return [*rows, ("Hash of the file", looked.read.file_hash[:16])]


def _unreadable(
    request: HttpRequest, study: Study, pending: PendingImport, error: EquipoiseError
) -> HttpResponse:
    trail = trail_of(study, pending)[:-1]
    return unreadable(request, pending, error, trail, kind="extract", another="extracts")


def _button(people: int) -> str:
    return f"Keep the values of {people:,} {'participant' if people == 1 else 'participants'}"


def _done(extract: Extract) -> str:
    counts = extract.counts
    people = counts["linked"] + counts["none"]
    who = "1 participant are" if people == 1 else f"{people:,} participants are"
    return f"The values of {who} kept."
