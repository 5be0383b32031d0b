"""Data to analyse that come as files: typed as the protocol declares, otherwise as their contents allow."""

from collections.abc import Mapping as Lookup
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from equipoise.errors import Problem, RosterError
from equipoise.protocol.models.participants import RosterColumn
from equipoise.roster.reading import FileRead, RawTable, file_kind, parquet_frame, read_table
from equipoise.roster.values import convert

__all__ = ["DataFiles", "read_data"]

_READABLE = (".csv", ".parquet", ".tsv", ".txt", ".xlsx")
_MOST_PROBLEMS = 1_000
# A leading zero is part of a reference, not of a number: 007 stays text.
_NUMBER = r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$"
_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_TIME = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?$"
_INSTANT = _TIME.replace("$", r"(?:Z|[+-][0-9]{2}:[0-9]{2})$")


@dataclass(frozen=True)
class DataFiles:
    """Frames by the stem of their file, and how each file was read."""

    frames: dict[str, pl.DataFrame]
    reads: tuple[FileRead, ...]

    @property
    def only(self) -> pl.DataFrame:
        """The frame, where there is one file.

        Raises:
            RosterError: there are several.
        """
        if len(self.frames) > 1:
            raise RosterError(
                f"one file of data is expected, and there are {len(self.frames)}: {', '.join(self.frames)}."
            )
        return next(iter(self.frames.values()))


def read_data(path: Path, columns: Lookup[str, RosterColumn] | None = None) -> DataFiles:
    """Reads a file of data, or a folder of them, one row for each unit of observation.

    Args:
        path: a CSV, XLSX or Parquet file, or a folder of them.
        columns: the columns that the protocol speaks of; those not in a file are passed over.
    Returns:
        Typed frames: declared columns as declared; of the others, those whose every filled cell is a number,
        an ISO date or an ISO time (with an offset: in UTC) become such, and the rest are text. Empty and NaN
        are null.
    Raises:
        RosterError: a file cannot be read, or a cell is not as declared, or is infinite; all at once.
    """
    files = _files(path)
    problems: list[Problem] = []
    frames: dict[str, pl.DataFrame] = {}
    reads: list[FileRead] = []
    for file in files:
        table = read_table(file)
        frame, found = _typed(file, table, dict(columns or {}))
        if file.stem in frames:
            raise RosterError(Problem(file.name, "", "two files of the folder differ only in their ending."))
        frames[file.stem] = frame
        reads.append(table.source)
        problems += found
    if problems:
        more = len(problems) - _MOST_PROBLEMS
        raise RosterError(
            problems[:_MOST_PROBLEMS] + ([Problem("", "", f"and {more:,} more.")] if more > 0 else [])
        )
    return DataFiles(frames, tuple(reads))


def _files(path: Path) -> list[Path]:
    if not path.exists():
        raise RosterError(Problem(path.name, "", "there is no such file or folder."))
    if not path.is_dir():
        return [path]
    files = sorted(
        file for file in path.iterdir() if file.suffix.lower() in _READABLE and not file.name.startswith(".")
    )
    if not files:
        raise RosterError(Problem(path.name, "", "the folder holds no CSV, XLSX or Parquet file."))
    return files


def _typed(
    file: Path, table: RawTable, columns: dict[str, RosterColumn]
) -> tuple[pl.DataFrame, list[Problem]]:
    stored = parquet_frame(file) if file_kind(file) == "parquet" else None
    place, lines = table.source.place, table.lines
    problems = [Problem(place(lines[row]), "", reason) for row, reason in table.faults.items()]
    problems += [Problem(place(lines[row]), name, f"{why}.") for (row, name), why in table.broken.items()]
    series: list[pl.Series] = []
    for name in table.cells.columns:
        if name in columns:
            values, refusals = _declared(table, name, columns[name])
        elif stored is not None:
            values, refusals = _stored(stored[name])
        else:
            values, refusals = _inferred(table.cells[name])
        series.append(values)
        known = table.faults.keys() | {row for row, column in table.broken if column == name}
        problems += [
            Problem(place(lines[row]), name, reason)
            for row, reason in refusals.iter_rows()
            if row not in known
        ]
    return pl.DataFrame(series), sorted(problems, key=lambda problem: _line(problem.place))


def _line(place: str) -> int:
    return int(place.rpartition(":")[2])


def _declared(table: RawTable, name: str, column: RosterColumn) -> tuple[pl.Series, pl.DataFrame]:
    read = convert(table.cells[name], column, true_dates=table.source.kind != "csv")
    return read.values, read.refusals


def _stored(values: pl.Series) -> tuple[pl.Series, pl.DataFrame]:
    if values.dtype in (pl.Categorical, pl.Enum):
        return values.cast(pl.String), _infinities(pl.Series([None], dtype=pl.Float64))
    if values.dtype.is_float():
        values = values.cast(pl.Float64).fill_nan(None)
        return values, _infinities(values)
    return values, _infinities(pl.Series([None], dtype=pl.Float64))


def _inferred(cells: pl.Series) -> tuple[pl.Series, pl.DataFrame]:
    text = cells.str.strip_chars().replace("", None)
    filled = text.drop_nulls()
    infinite = filled.str.contains(r"(?i)^[+-]?inf(?:inity)?$")
    numbers = filled.str.contains(_NUMBER) | infinite
    if filled.len() and numbers.all() and not infinite.all():
        values = text.cast(pl.Float64)
        return values, _infinities(values)
    return _times(text, filled), _infinities(pl.Series([None], dtype=pl.Float64))


def _times(text: pl.Series, filled: pl.Series) -> pl.Series:
    if not filled.len():
        return text
    try:
        if filled.str.contains(_DATE).all():
            return text.str.to_date("%Y-%m-%d")
        if filled.str.contains(_INSTANT).all():
            return (
                text.str.replace("T", " ")
                .str.replace("Z$", "+00:00")
                .str.to_datetime(time_unit="us", time_zone="UTC")
            )
        if filled.str.contains(_TIME).all():
            return text.str.replace("T", " ").str.to_datetime(time_unit="us")
    except pl.exceptions.PolarsError:
        pass  # written like times, but not times: 2021-02-30
    return text


def _infinities(values: pl.Series) -> pl.DataFrame:
    rows = values.is_infinite().fill_null(False).arg_true().cast(pl.Int64)
    reason = pl.lit("infinite, where a number is expected; leave the cell empty if missing")
    return pl.DataFrame({"row": rows}).select("row", reason.alias("reason"))
