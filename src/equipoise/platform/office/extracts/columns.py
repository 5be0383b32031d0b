"""Which column of an uploaded extract is which, and where the names of its columns stand."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from equipoise.errors import EquipoiseError, InputError, Problem
from equipoise.platform.extracts.reading import columns_of
from equipoise.platform.extracts.scopes import Scope
from equipoise.platform.office.access import problems_in, study_page
from equipoise.platform.office.extracts.words import scope_words
from equipoise.platform.people.models import PendingImport
from equipoise.platform.people.pending import choose, source_of, the_pending
from equipoise.platform.people.reading import RosterSource
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of
from equipoise.protocol.models.participants import RosterColumn
from equipoise.roster import propose_mapping, read_table
from equipoise.roster.headers import header_line
from equipoise.roster.reading import RawTable

__all__ = [
    "ENCODINGS",
    "column_rows",
    "columns",
    "matched_columns",
    "pending_of",
    "said_of_reading",
    "scope_of",
    "table_as_chosen",
    "trail_of",
]

_NONE = ""
ENCODINGS = [("", "As detected"), ("utf-8", "UTF-8"), ("cp1252", "Windows-1252"), ("utf-16", "UTF-16")]


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("extracts.import")
def columns(request: HttpRequest, study: Study, number: int) -> HttpResponse:
    """Say which column is which."""
    pending = pending_of(request, study, number)
    declared = columns_of(folder_of(study), pending.choices["source"])
    chosen: dict[str, Any] = dict(pending.choices)
    problems: list[dict[str, str]] = []
    table: RawTable | None = None
    try:
        with source_of(pending) as source:
            if request.method == "POST":
                chosen |= said_of_reading(request)
            if "look" in request.POST:
                chosen.pop("columns", None)
            table = table_as_chosen(source, declared, chosen)
            if request.method == "POST" and "look" not in request.POST:
                chosen["columns"] = matched_columns(request, declared, table)
            elif "columns" not in chosen:
                chosen["columns"] = propose_mapping(table, declared).mapping.columns
    except EquipoiseError as error:
        problems = problems_in(error, **{name: f"column-{name}" for name in declared}, header="header")
    else:
        if request.method == "POST":
            choose(pending, chosen)
            onward = "extract-columns" if "look" in request.POST else "extract-preview"
            return HttpResponseRedirect(reverse(onward, args=[study.name, number]), status=303)
    page = {
        "page_title": "Which column is which?",
        "problems": problems,
        "pending": pending,
        "what": scope_words(study, scope_of(pending)),
        "table": table.source if table is not None else None,
        "rows": list(column_rows(table, declared, chosen)) if table is not None else [],
        "header": chosen.get("header") or (table.source.header_line if table is not None else ""),
        "encodings": ENCODINGS,
        "encoding": chosen.get("encoding") or "",
        "button_text": "See what would be kept",
        "discard": reverse("extract-discard", args=[study.name, number]),
        "trail": trail_of(study, pending)[:1],
    }
    return render(request, "office/extract_columns.html", page, status=422 if problems else 200)


def pending_of(request: HttpRequest, study: Study, number: int) -> PendingImport:
    """The uploaded extract of an address.

    Raises:
        Http404: there is none any more, or it is somebody else's.
    """
    found = the_pending(request.user, study, number, kinds=("extract",))
    if found is None:
        raise Http404
    return found


def scope_of(pending: PendingImport) -> Scope:
    """What an uploaded file was said to be."""
    chosen = pending.choices
    return Scope(chosen["source"], chosen["window"], chosen["partner"])


def trail_of(study: Study, pending: PendingImport) -> list[dict[str, str]]:
    """The way up from the pages of a file."""
    return [
        {"text": "HR extracts", "href": reverse("extracts", args=[study.name])},
        {"text": "Columns", "href": reverse("extract-columns", args=[study.name, pending.pk])},
        {"text": "What would be kept", "href": reverse("extract-preview", args=[study.name, pending.pk])},
    ]


def said_of_reading(request: HttpRequest) -> dict[str, Any]:
    """How the file is to be read; read in another way its columns are proposed anew."""
    encoding, line = request.POST.get("encoding", ""), request.POST.get("header", "").strip()
    if line and not (line.isdecimal() and 0 < len(line) < 6):
        raise InputError(Problem("", "header", "write the number of a line, such as 2"))
    return {
        "encoding": encoding if encoding and encoding in dict(ENCODINGS) else None,
        "header": int(line) if line else None,
    }


def table_as_chosen(
    source: RosterSource, declared: Mapping[str, RosterColumn], chosen: dict[str, Any]
) -> RawTable:
    """The file as it was chosen to be read; where nothing was, from the line that names what is sought."""
    encoding, line = chosen.get("encoding"), chosen.get("header")
    line = line or header_line(source.path, declared, mapping=source.mapping, encoding=encoding)
    table = read_table(source.path, encoding=encoding, header=line)
    if not set(chosen.get("columns", {}).values()) <= set(table.source.columns):
        del chosen["columns"]
    return table


def matched_columns(
    request: HttpRequest, declared: Mapping[str, RosterColumn], table: RawTable
) -> dict[str, str]:
    """The columns that were chosen.

    Raises:
        InputError: one is missing or chosen twice, each beside its column.
    """
    sent = {name: request.POST.get(f"column-{name}", _NONE) for name in declared}
    mapped = {name: found for name, found in sent.items() if found in table.source.columns}
    problems = []
    for name, column in declared.items():
        if name not in mapped and (column.required or column.role == "identifier"):
            problems.append(Problem("", name, f"choose the column that holds “{column.label or name}”"))
        elif name in mapped and list(mapped.values()).count(mapped[name]) > 1:
            problems.append(Problem("", name, f"“{mapped[name]}” is chosen for another column as well"))
    if problems:
        raise InputError(problems)
    return mapped


def column_rows(
    table: RawTable, declared: Mapping[str, RosterColumn], chosen: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Each declared column with the file's columns to choose from."""
    options = [(_NONE, "Not in the file"), *((name, name) for name in table.source.columns)]
    for name, column in declared.items():
        yield {
            "id": f"column-{name}",
            "label": column.label or name,
            "hint": _hint(column),
            "options": options,
            "chosen": chosen.get("columns", {}).get(name, _NONE),
        }


def _hint(column: RosterColumn) -> str:
    if column.role == "identifier":
        return "Finds the participant, and is not kept"
    kinds = {"integer": "A whole number", "number": "A number", "yes-no": "Yes or no"}
    said = kinds.get(column.type) or f"A date written like {date(2021, 3, 31):{column.format or '%Y-%m-%d'}}"
    if column.low is not None or column.high is not None:
        ends = (("from", column.low), ("to", column.high))
        said += ", " + " ".join(f"{word} {end:g}" for word, end in ends if end is not None)
    return said if column.required else f"{said}. May be missing"
