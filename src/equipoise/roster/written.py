"""A roster as Equipoise writes it, with ISO dates whatever the file had, and how to read that again."""

import io
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from equipoise.errors import InputError, Problem
from equipoise.protocol.models.participants import RosterColumn
from equipoise.roster.reading import read_table

__all__ = ["as_imported", "roster_bytes"]

_ISO = r"^\s*(?:[0-9]{4}-[0-9]{2}-[0-9]{2})?\s*$"


def roster_bytes(people: pl.DataFrame, path: Path) -> bytes:
    """People as a CSV or Parquet file, as its name says; dates are ISO.

    Raises:
        InputError: another kind of file.
    """
    buffer = io.BytesIO()
    if path.suffix.lower() == ".parquet":
        people.write_parquet(buffer)
    elif path.suffix.lower() == ".csv":
        people.write_csv(buffer)
    else:
        raise InputError(Problem(str(path), "", "write a roster to a name that ends in .csv or .parquet"))
    return buffer.getvalue()


def as_imported(path: Path, columns: Mapping[str, RosterColumn]) -> dict[str, RosterColumn]:
    """The columns as this file writes them: what `import roster` wrote has its dates in ISO form.

    Args:
        path: a roster, as it came or as `import roster` wrote it.
        columns: as declared; a date may have a format of its own there.
    """
    as_declared = dict(columns)
    dated = [name for name, column in columns.items() if column.type == "date" and column.format is not None]
    if not dated:
        return as_declared
    cells = read_table(path).cells
    if not set(dated) <= set(cells.columns):
        return as_declared
    if not all(cells[name].drop_nulls().str.contains(_ISO).all() for name in dated):
        return as_declared
    return as_declared | {name: columns[name].model_copy(update={"format": None}) for name in dated}
