"""What a look at a roster lists, line by line: problems, changes, possible doubles; by page or as a file."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from equipoise.errors import EquipoiseError
from equipoise.platform.office.access import problems_in, study_page
from equipoise.platform.office.downloads import csv_file, wants_csv
from equipoise.platform.office.listing import leaf_of
from equipoise.platform.people.actions import look_at_update
from equipoise.platform.people.comparison import Comparison
from equipoise.platform.people.models import PendingImport
from equipoise.platform.people.pending import source_of, the_pending
from equipoise.platform.people.previews import Preview, look_at_import
from equipoise.platform.registry.models import Study

__all__ = [
    "LISTS",
    "Looked",
    "cell",
    "counts_for",
    "file_of",
    "keyed",
    "lines",
    "listed",
    "looked_at",
    "named",
    "read_counts",
    "seen_in",
    "shown_lists",
    "trail_of",
    "unreadable",
    "written_counts",
]

LISTS = {
    "problems": ("Problems", ("Line", "Column", "Problem")),
    "changes": ("Changes", ("Line", "Change", "Participant")),
    "doubles": ("Possible doubles", ("Lines", "Why")),
    "unknown": ("Eligibility unknown", ("Line",)),
    "notes": ("Changed or noticed in reading", ("Column", "What", "Rows")),
}
Looked = Preview | Comparison
_A_PAGE = 100
_TOLD = 10


@require_safe
@study_page("people.import", by_partner=True)
def lines(request: HttpRequest, study: Study, number: int, what: str) -> HttpResponse:
    """Everything of one kind, line by line: a page at a time, or as a file."""
    if what not in LISTS:
        raise Http404
    pending = file_of(request, study, number)
    try:
        looked = looked_at(request, study, pending)
    except EquipoiseError as error:
        return unreadable(request, pending, error, trail_of(study, pending)[:-1])
    title, header = LISTS[what]
    rows = list(listed(looked, what))
    if wants_csv(request):
        return csv_file(f"{study.name}-{what}", header, rows)
    leaf = leaf_of(request, len(rows), _A_PAGE)
    page = {
        "page_title": title,
        "back": reverse("import-preview", args=[study.name, pending.pk]),
        "back_text": "Back to what would happen",
        "columns": named(header),
        "rows": keyed(rows[leaf.rows]),
        "count": len(rows),
        **leaf.values({}),
        "trail": trail_of(study, pending),
    }
    return render(request, "office/table_lines.html", page)


def file_of(request: HttpRequest, study: Study, number: int) -> PendingImport:
    """The uploaded file of an address.

    Raises:
        Http404: there is none any more, or it is somebody else's.
    """
    found = the_pending(request.user, study, number)
    if found is None:
        raise Http404
    return found


def looked_at(request: HttpRequest, study: Study, pending: PendingImport) -> Looked:
    """What an uploaded file would do, as it was chosen to be read.

    Raises:
        EquipoiseError: it cannot be read, or cannot be compared.
    """
    with source_of(pending) as source:
        if pending.choices["kind"] == "update":
            whole = bool(pending.choices.get("whole"))
            return look_at_update(study, source, whole=whole, reach=request.reach)
        return look_at_import(study, source)


def seen_in(looked: Looked) -> Preview:
    """The file sorted as for an import, whatever it was looked at for."""
    return looked.preview if isinstance(looked, Comparison) else looked


def listed(looked: Looked, what: str) -> Iterator[tuple[Any, ...]]:
    """The rows of one list; nothing in them says how to reach anybody."""
    seen, report = seen_in(looked), seen_in(looked).read.report
    if what == "problems":
        yield from report.refusals.select("place", "column", "reason").iter_rows()
    elif what == "changes" and isinstance(looked, Comparison):
        for change in looked.changes:
            yield change.place or "Not in the file", "; ".join(change.said), change.participant.key
    elif what == "doubles":
        for each in report.duplicates:
            yield ", ".join(report.place(row) for row in each.rows[:20]), each.reason
    elif what == "unknown":
        yield from ((place,) for place in seen.unknown_places)
    elif what == "notes":
        yield from ((note.column, note.message, note.rows) for note in report.notes)


def counts_for(request: HttpRequest, counts: Mapping[str, int]) -> dict[str, int]:
    """The counts of a file as somebody may see them: who has left the study is no partner's to know."""
    if request.reach.everybody:
        return dict(counts)
    rest = {name: count for name, count in counts.items() if name != "kept_out"}
    return {**rest, "known": counts.get("known", 0) + counts.get("kept_out", 0)}


def cell(value: object) -> str:
    """A value as a page shows it."""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return "–" if value is None else str(value)


def named(header: Iterable[str]) -> list[dict[str, str]]:
    """Columns of a table, by their place."""
    return [{"key": str(at), "text": text} for at, text in enumerate(header)]


def keyed(rows: Sequence[tuple[Any, ...]]) -> list[dict[str, str]]:
    """Rows of such a table."""
    return [{str(at): cell(value) for at, value in enumerate(row)} for row in rows]


def shown_lists(
    headed: Mapping[str, tuple[str, Sequence[str]]], lists: Mapping[str, Sequence[tuple[Any, ...]]]
) -> list[dict[str, Any]]:
    """The first rows of each list that has any, for the page that says what a file would do.

    Args:
        headed: title and columns of each list, by name.
        lists: all of its rows.
    """
    return [
        {
            "name": name,
            "title": headed[name][0],
            "columns": named(headed[name][1]),
            "rows": keyed(rows[:_TOLD]),
            "count": len(rows),
            "more": len(rows) > _TOLD,
        }
        for name, rows in lists.items()
        if rows
    ]


def written_counts(counts: Mapping[str, int]) -> str:
    """Counts as a hidden field sends them back when what was shown is confirmed."""
    return " ".join(f"{name}={count}" for name, count in counts.items())


def read_counts(text: str) -> dict[str, int]:
    """The counts of such a field; what is none is left out."""
    pairs = (part.partition("=") for part in text.split())
    return {name: int(count) for name, _, count in pairs if count.isdecimal() and len(count) < 9}


def unreadable(
    request: HttpRequest,
    pending: PendingImport,
    error: EquipoiseError,
    trail: list[dict[str, str]],
    *,
    kind: str = "import",
    another: str = "import",
) -> HttpResponse:
    """The page that says why a file cannot be looked at, and what to do.

    Args:
        request: for it.
        pending: the file.
        error: why not.
        trail: the way up.
        kind: what the names of its pages' addresses begin with.
        another: the name of the page on which a file is chosen.
    """
    page = {
        "page_title": "The file cannot be read like this",
        "problems": problems_in(error)[:_TOLD],
        "columns": reverse(f"{kind}-columns", args=[request.study.name, pending.pk]),
        "another": reverse(another, args=[request.study.name]),
        "trail": trail,
    }
    return render(request, "office/table_unreadable.html", page, status=422)


def trail_of(study: Study, pending: PendingImport) -> list[dict[str, str]]:
    """The way up from the lists of a file."""
    return [
        {"text": "People", "href": reverse("people", args=[study.name])},
        {"text": "Import a roster", "href": reverse("import", args=[study.name])},
        {"text": "Columns", "href": reverse("import-columns", args=[study.name, pending.pk])},
        {"text": "What would happen", "href": reverse("import-preview", args=[study.name, pending.pk])},
    ]
