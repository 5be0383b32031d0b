"""Which column of an uploaded file is which: proposed from names and contents, and confirmed by a person."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import polars as pl
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from equipoise.errors import EquipoiseError, InputError, Problem
from equipoise.platform.office.access import problems_in, study_page
from equipoise.platform.office.imports.lines import file_of
from equipoise.platform.office.matching import ENCODINGS
from equipoise.platform.people.partners import partner_column
from equipoise.platform.people.pending import choose, source_of
from equipoise.platform.people.reading import RosterSource
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of, partners, roster_columns
from equipoise.protocol.models.participants import RosterColumn
from equipoise.roster import mapping_path, propose_mapping, read_mapping, read_table
from equipoise.roster.reading import RawTable
from equipoise.roster.values import convert

__all__ = ["columns"]

_NONE = ""


@require_http_methods(["GET", "HEAD", "POST"])
@study_page("people.import", by_partner=True)
def columns(request: HttpRequest, study: Study, number: int) -> HttpResponse:
    """Say which column is which, what is the same for everybody, and whose people they are."""
    pending = file_of(request, study, number)
    problems: list[dict[str, str]] = []
    table: RawTable | None = None
    chosen: dict[str, Any] = dict(pending.choices)
    try:
        with source_of(pending) as source:
            encoding = request.POST.get("encoding") or chosen.get("encoding")
            table = read_table(source.path, encoding=encoding if encoding in dict(ENCODINGS) else None)
            if request.method == "POST":
                chosen |= _sent(request, study, table)
                _check(request, study, table, chosen)
            elif "columns" not in chosen:
                chosen |= _proposed(study, source, table)
    except EquipoiseError as error:
        problems = problems_in(
            error, **{name: f"column-{name}" for name in roster_columns(study)}, partner="partner"
        )
    else:
        if request.method == "POST":
            choose(pending, chosen)
            return HttpResponseRedirect(reverse("import-preview", args=[study.name, number]), status=303)
    page = {
        "page_title": "Which column is which?",
        "problems": problems,
        "pending": pending,
        "table": table.source if table is not None else None,
        "rows": list(_rows(study, table, chosen)) if table is not None else [],
        "partners": _partner_options(request, study),
        "partner": chosen.get("partner") or "",
        "encodings": ENCODINGS,
        "encoding": chosen.get("encoding") or "",
        "whole": bool(chosen.get("whole")),
        "is_update": chosen["kind"] == "update",
        "trail": [
            {"text": "People", "href": reverse("people", args=[study.name])},
            {"text": "Import a roster", "href": reverse("import", args=[study.name])},
        ],
    }
    return render(request, "office/import_columns.html", page, status=422 if problems else 200)


def _sent(request: HttpRequest, study: Study, table: RawTable) -> dict[str, Any]:
    there, mapped, constants = set(table.source.columns), {}, {}
    for name, column in roster_columns(study).items():
        found = request.POST.get(f"column-{name}", _NONE)
        same = request.POST.get(f"same-{name}", "").strip()
        if found in there:
            mapped[name] = found
        elif same and column.role == "attribute":
            constants[name] = same
    encoding = request.POST.get("encoding", "")
    return {
        "columns": mapped,
        "constants": constants,
        "partner": _partner(request, study),
        "encoding": encoding if encoding and encoding in dict(ENCODINGS) else None,
        "whole": request.POST.get("whole") == "yes",
    }


def _check(request: HttpRequest, study: Study, table: RawTable, chosen: Mapping[str, Any]) -> None:
    """Raise what is missing or chosen twice, beside its column.

    Raises:
        InputError: each with its column.
    """
    problems = []
    mine = {each.name for each in partners(study) if request.reach.covers(each.pk)}
    if not request.reach.everybody and chosen["partner"] not in mine:
        problems.append(Problem("", "partner", "choose whose people the file lists"))
    filled = partner_column(study) if chosen["partner"] else None
    for name, column in roster_columns(study).items():
        if name in chosen["columns"] or name == filled:
            found = chosen["columns"].get(name)
            if list(chosen["columns"].values()).count(found) > 1:
                problems.append(Problem("", name, f"“{found}” is chosen for another column as well"))
        elif name in chosen["constants"]:
            wrong = convert(pl.Series([chosen["constants"][name]]), column).refusals["reason"]
            problems += [Problem("", name, reason) for reason in wrong]
        elif column.required or column.role == "identifier":
            message = f"choose the column that holds {_label(name, column)}"
            problems.append(Problem("", name, message))
    if problems:
        raise InputError(problems)


def _proposed(study: Study, source: RosterSource, table: RawTable) -> dict[str, Any]:
    """The matching that is stored with the study for a file of this name, else what looks most alike."""
    declared = roster_columns(study)
    stored = mapping_path(folder_of(study).folder, source.path)
    if stored.is_file():
        known = read_mapping(stored, declared)
        if set(known.columns.values()) <= set(table.source.columns):
            return {"columns": known.columns, "constants": known.constants}
    return {"columns": propose_mapping(table, declared).mapping.columns, "constants": {}}


def _rows(study: Study, table: RawTable, chosen: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    found = [(_NONE, "Not in the file"), *((name, name) for name in table.source.columns)]
    for name, column in roster_columns(study).items():
        yield {
            "name": name,
            "label": column.label or name,
            "hint": _hint(column),
            "options": found,
            "chosen": chosen.get("columns", {}).get(name, _NONE),
            "same": chosen.get("constants", {}).get(name, ""),
            "levels": [(_NONE, "Differs, or not known"), *((level, level) for level in column.levels or ())],
            "asks_same": column.role == "attribute",
            "is_category": column.levels is not None,
        }


def _hint(column: RosterColumn) -> str:
    kinds = {
        "text": "Text",
        "category": "One of " + ", ".join(column.levels or ()) if column.levels else "A word for each",
        "integer": "A whole number",
        "number": "A number",
        "date": f"A date written like {date(2021, 3, 31):{column.format or '%Y-%m-%d'}}",
        "yes-no": "Yes or no",
        "email": "An e-mail address",
        "phone": "A telephone number",
    }
    role = ". Tells people apart" if column.role == "identifier" else ""
    need = "" if column.required or column.role == "identifier" else ". May be missing"
    return kinds[column.type] + role + need


def _label(name: str, column: RosterColumn) -> str:
    return f"“{column.label or name}”"


def _partner(request: HttpRequest, study: Study) -> str | None:
    """The partner that was chosen; the only one, for whoever reaches no other."""
    mine = [each.name for each in partners(study) if request.reach.covers(each.pk)]
    if not request.reach.everybody and len(mine) == 1:
        return mine[0]
    return request.POST.get("partner") or None


def _partner_options(request: HttpRequest, study: Study) -> list[tuple[str, str]]:
    mine = [(each.name, each.title) for each in partners(study) if request.reach.covers(each.pk)]
    if len(mine) < 2:
        return []
    return [("", "As the rows say" if request.reach.everybody else "Choose a partner"), *mine]
