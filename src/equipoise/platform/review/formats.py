"""The formats of an export, each with the ending of its files and the way to write a table."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import polars as pl

from equipoise.errors import InputError, Problem, nearest
from equipoise.exchange import (
    Table,
    analysis_csv,
    conversion_csv,
    spreadsheet_csv,
    write_spss,
    write_stata,
)

__all__ = ["FORMATS", "refuse_unknown", "write_table", "written_name"]


def refuse_unknown(formats: Sequence[str]) -> None:
    """Stop where a format is asked for that there is not.

    Raises:
        InputError: names each, and the formats that there are.
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown:
        listed = [nearest(name, FORMATS) for name in unknown]
        raise InputError(
            Problem("formats", name, f"is not a format. Formats: {there}")
            for name, there in zip(unknown, listed, strict=True)
        )


def written_name(form: str, table: str) -> str:
    """The name of a table's file in a format."""
    return f"{table}.{_FORMS[form].ending}"


def write_table(form: str, table: pl.DataFrame, described: Table, path: Path, made: datetime) -> None:
    """Write a table, made at a moment; what had to be changed for a program lies beside it."""
    _FORMS[form].write(table, described, path, made)


class _Form(NamedTuple):
    """A format: how its files end, and how a table is written."""

    ending: str
    write: Callable[[pl.DataFrame, Table, Path, datetime], None]


def _parquet(table: pl.DataFrame, _: Table, path: Path, __: datetime) -> None:
    table.write_parquet(path)


def _csv(table: pl.DataFrame, _: Table, path: Path, __: datetime) -> None:
    path.write_bytes(analysis_csv(table))


def _spreadsheet(table: pl.DataFrame, _: Table, path: Path, __: datetime) -> None:
    path.write_bytes(spreadsheet_csv(table))


def _spss(table: pl.DataFrame, described: Table, path: Path, made: datetime) -> None:
    changed = write_spss(table, described.shown, path, title=described.title, made=made)
    path.with_suffix(".changes.csv").write_bytes(conversion_csv(changed))


def _stata(table: pl.DataFrame, described: Table, path: Path, made: datetime) -> None:
    changed = write_stata(table, described.shown, path, title=described.title, made=made)
    path.with_suffix(".changes.csv").write_bytes(conversion_csv(changed))


_FORMS = {
    "parquet": _Form("parquet", _parquet),
    "csv": _Form("csv", _csv),
    "spreadsheet": _Form("csv", _spreadsheet),
    "spss": _Form("sav", _spss),
    "stata": _Form("dta", _stata),
}
FORMATS = tuple(_FORMS)
