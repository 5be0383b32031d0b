"""The codebook as people read it: a page in Markdown, or one table for a spreadsheet."""

import re
from collections.abc import Iterator

import polars as pl

from equipoise.exchange.codebook import Codebook, Table
from equipoise.exchange.spreadsheets import spreadsheet_csv
from equipoise.exchange.variables import Variable

__all__ = ["codebook_csv", "codebook_markdown"]

_HEADINGS = ("Name", "What it is", "Type", "Values", "From", "Reason when missing")


def codebook_markdown(codebook: Codebook) -> str:
    """A page with a table of variables for each table of data."""
    return "\n".join(_lines(codebook))


def codebook_csv(codebook: Codebook) -> bytes:
    """One row for each variable of every table, to be opened in a spreadsheet."""
    rows = [_row(table, variable) for table in codebook.tables for variable in table.variables]
    return spreadsheet_csv(pl.DataFrame(rows, infer_schema_length=None, schema=_SCHEMA))


_SCHEMA = {
    "table": pl.String,
    "name": pl.String,
    "label": pl.String,
    "type": pl.String,
    "values": pl.String,
    "low": pl.Float64,
    "high": pl.Float64,
    "unit": pl.String,
    "missing_reason_in": pl.String,
    "wave": pl.String,
    "question": pl.String,
    "instrument": pl.String,
    "item": pl.String,
    "score": pl.String,
    "source": pl.String,
    "withheld": pl.String,
}


def _row(table: Table, variable: Variable) -> dict[str, object]:
    return {
        "table": table.name,
        "values": "; ".join(_values(variable)) or None,
        "missing_reason_in": variable.why,
        **{
            name: getattr(variable, name)
            for name in _SCHEMA
            if name not in ("table", "values", "missing_reason_in")
        },
    }


def _lines(codebook: Codebook) -> Iterator[str]:
    yield f"# Codebook: {_cell(codebook.title)}"
    yield ""
    if codebook.synthetic:
        yield "All participants of this study are invented."
        yield ""
    if codebook.masked:
        yield "The arms are masked: they stand under other names, and what would tell them apart is withheld."
        yield ""
        for limit in codebook.limits:
            yield limit
            yield ""
    yield "A missing value is an empty cell."
    for table in codebook.tables:
        yield ""
        yield f"## {table.name}"
        yield ""
        yield f"{_cell(table.title)}."
        yield ""
        yield f"| {' | '.join(_HEADINGS)} |"
        yield f"|{' --- |' * len(_HEADINGS)}"
        for variable in table.shown:
            yield f"| {' | '.join(_cells(variable))} |"
        gone = [variable for variable in table.variables if variable.withheld is not None]
        if gone:
            yield ""
            yield "Not in this file:"
            yield ""
            yield from (f"- `{one.name}` ({_cell(one.label)}): {one.withheld}." for one in gone)
    yield ""


def _cells(variable: Variable) -> tuple[str, ...]:
    measured = f"{variable.type}, {variable.unit}" if variable.unit else variable.type
    values = [*_values(variable), *([span] if (span := _span(variable)) else [])]
    origin = [variable.source, *([f"wave {variable.wave}"] if variable.wave else [])]
    why = f"`{variable.why}`" if variable.why else ""
    return (
        f"`{variable.name}`", _cell(variable.label), _cell(measured), _cell("; ".join(values)),
        _cell(", ".join(origin)), why,
    )  # fmt: skip


def _values(variable: Variable) -> list[str]:
    return [code if code == words else f"{code} = {words}" for code, words in variable.values.items()]


def _span(variable: Variable) -> str:
    if variable.low is None and variable.high is None:
        return ""
    if variable.high is None:
        return f"from {variable.low:g}"
    return f"up to {variable.high:g}" if variable.low is None else f"{variable.low:g} to {variable.high:g}"


def _cell(text: str) -> str:
    """One line without marks: what a study's authors wrote cannot become markup of this page."""
    line = " ".join(text.split())
    return re.sub(r"([\\`*_{}\[\]<>|#])", r"\\\1", line)
