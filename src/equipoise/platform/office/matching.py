"""Which column of an uploaded table is which, and where their names stand: one page for each kind of file."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from equipoise.errors import EquipoiseError, InputError, Problem
from equipoise.platform.office.access import problems_in
from equipoise.platform.people.models import PendingImport
from equipoise.platform.people.pending import choose, source_of
from equipoise.platform.people.reading import RosterSource
from equipoise.platform.registry.models import Study
from equipoise.protocol.models.participants import RosterColumn
from equipoise.roster import read_table
from equipoise.roster.reading import RawTable

__all__ = ["ENCODINGS", "Sought", "matching"]

_NONE = ""
ENCODINGS = [("", "As detected"), ("utf-8", "UTF-8"), ("cp1252", "Windows-1252"), ("utf-16", "UTF-16")]


@dataclass(frozen=True)
class Sought:
    """What is sought in a file.

    Attributes:
        what: the file is, in words.
        declared: the columns that it should have.
        header: in which line their names stand, where nobody has said so.
        propose: which column is which, as it looks.
        kind: what the names of its pages' addresses begin with.
        onward: what the button leads to, in words.
        trail: the way up.
    """

    what: str
    declared: Mapping[str, RosterColumn]
    header: Callable[[RosterSource, Mapping[str, Any]], int | None]
    propose: Callable[[RawTable], Mapping[str, str]]
    kind: str
    onward: str
    trail: list[dict[str, str]]


def matching(request: HttpRequest, study: Study, pending: PendingImport, sought: Sought) -> HttpResponse:
    """Say which column is which; then on to what would come of the file."""
    chosen: dict[str, Any] = dict(pending.choices)
    problems: list[dict[str, str]] = []
    table: RawTable | None = None
    with source_of(pending) as source:
        try:
            if request.method == "POST":
                chosen |= _said_of_reading(request)
            if "look" in request.POST:
                chosen.pop("columns", None)
            table = _table(source, sought, chosen)
            if request.method == "POST" and "look" not in request.POST:
                chosen["columns"] = _matched(request, sought.declared, table)
            elif "columns" not in chosen:
                chosen["columns"] = dict(sought.propose(table))
        except EquipoiseError as error:
            columns = {name: f"column-{name}" for name in sought.declared}
            problems = problems_in(error, **columns, header="header")
            if table is None and request.method == "POST":
                table, chosen = _as_before(source, sought, pending)
    if request.method == "POST" and not problems:
        choose(pending, chosen)
        onward = "columns" if "look" in request.POST else "preview"
        address = reverse(f"{sought.kind}-{onward}", args=[study.name, pending.pk])
        return HttpResponseRedirect(address, status=303)
    page = {
        "page_title": "Which column is which?",
        "problems": problems,
        "what": sought.what,
        "table": table.source if table is not None else None,
        "rows": list(_rows(table, sought.declared, chosen)) if table is not None else [],
        "header": _header(request, chosen, table),
        "encodings": ENCODINGS,
        "encoding": chosen.get("encoding") or "",
        "button_text": sought.onward,
        "discard": reverse(f"{sought.kind}-discard", args=[study.name, pending.pk]),
        "trail": sought.trail,
    }
    return render(request, "office/table_columns.html", page, status=422 if problems else 200)


def _header(request: HttpRequest, chosen: Mapping[str, Any], table: RawTable | None) -> str:
    """The line to show: what was typed last, what was chosen, or where the names were found."""
    found = table.source.header_line if table is not None else ""
    return request.POST.get("header") or str(chosen.get("header") or found or "")


def _as_before(
    source: RosterSource, sought: Sought, pending: PendingImport
) -> tuple[RawTable | None, dict[str, Any]]:
    """The file as it was read before it was to be read in another way that fails; the page asks again."""
    chosen: dict[str, Any] = dict(pending.choices)
    try:
        table = _table(source, sought, chosen)
    except EquipoiseError:
        return None, chosen
    return table, {"columns": dict(sought.propose(table))} | chosen


def _said_of_reading(request: HttpRequest) -> dict[str, Any]:
    """How the file is to be read; read in another way its columns are proposed anew."""
    encoding, line = request.POST.get("encoding", ""), request.POST.get("header", "").strip()
    if line and not (line.isdecimal() and 0 < len(line) < 6):
        raise InputError(Problem("", "header", "write the number of a line, such as 2"))
    return {
        "encoding": encoding if encoding and encoding in dict(ENCODINGS) else None,
        "header": int(line) if line else None,
    }


def _table(source: RosterSource, sought: Sought, chosen: dict[str, Any]) -> RawTable:
    """The file as it was chosen to be read; where nothing was, from the line that names what is sought."""
    line = chosen.get("header") or sought.header(source, chosen)
    table = read_table(source.path, encoding=chosen.get("encoding"), header=line)
    if not set(chosen.get("columns", {}).values()) <= set(table.source.columns):
        del chosen["columns"]
    return table


def _matched(request: HttpRequest, declared: Mapping[str, RosterColumn], table: RawTable) -> dict[str, str]:
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


def _rows(
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
