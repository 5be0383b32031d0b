"""Any file of rows, as text: CSV, XLSX or Parquet, with what was guessed and the true line of each row."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import time
from pathlib import Path
from typing import Literal

import polars as pl

from equipoise.errors import Problem, RosterError
from equipoise.roster.spreadsheets import Sheet, read_sheet
from equipoise.roster.text_files import (
    SEPARATORS,
    detect_encoding,
    detect_separator,
    named_encoding,
    records,
    sample_of,
)

__all__ = ["FileRead", "RawTable", "read_table"]

Kind = Literal["csv", "xlsx", "parquet"]

_CHUNK = 50_000
_MOST_COLUMNS = 1_000
_WHOLE_DOUBLES = 2**53
_BROKEN = "#BROKEN"


@dataclass(frozen=True)
class FileRead:
    """How a file was read; `guesses` are sentences to be shown to whoever sent it."""

    file: str
    kind: Kind
    columns: tuple[str, ...]
    header_line: int
    rows: int
    blank_rows: int
    encoding: str | None = None
    separator: str | None = None
    sheet: str | None = None
    guesses: tuple[str, ...] = ()

    def place(self, line: int) -> str:
        """Where a row stands, as people look it up: `staff.csv:41`, `staff.xlsx (sheet Staff):41`."""
        return f"{self.file} (sheet {self.sheet}):{line}" if self.sheet else f"{self.file}:{line}"


@dataclass(frozen=True)
class RawTable:
    """The rows of a file as text, nothing interpreted.

    `lines` holds, for each row, the line or row on which it begins in the file. `faults` says, by row, why
    the row cannot be read (too many or too few cells); `broken` says so for a single cell, by row and column
    name; `surplus` keeps the text of cells beyond the last named column.
    """

    source: FileRead
    cells: pl.DataFrame
    lines: pl.Series
    faults: dict[int, str] = field(default_factory=dict)
    broken: dict[tuple[int, str], str] = field(default_factory=dict)
    surplus: dict[int, str] = field(default_factory=dict)


def read_table(
    path: Path,
    *,
    encoding: str | None = None,
    separator: str | None = None,
    sheet: str | None = None,
    header: int | None = None,
) -> RawTable:
    """Reads a file of rows without interpreting a cell.

    Args:
        path: a CSV (UTF-8, UTF-16 or Windows-1252; comma, semicolon or tab), XLSX or Parquet file. Its
            beginning, not its name, tells which.
        encoding, separator, sheet: what to use in place of what would be detected.
        header: the line with the names of the columns, where titles stand above it; the first line with
            text when left out.
    Returns:
        At least one row; rows without any text are left out and counted.
    Raises:
        RosterError: the file is missing, empty, of another kind, without rows, or not well formed.
    """
    kind = _file_kind(path)
    if kind == "xlsx":
        return _from_workbook(path, sheet, header)
    if kind == "parquet":
        return _from_parquet(path)
    return _from_text(path, encoding, separator, header)


def _file_kind(path: Path) -> Kind:
    """Which kind of file this is, by its first bytes.

    Raises:
        RosterError: there is no such file, it is empty, or it is of a kind that cannot be read.
    """
    if not path.is_file():
        raise RosterError(Problem(path.name, "", "there is no such file."))
    with path.open("rb") as stream:
        start = stream.read(8)
    if not start:
        raise RosterError(Problem(path.name, "", "the file is empty."))
    if start.startswith(b"PK"):
        return "xlsx"
    if start.startswith(b"PAR1"):
        return "parquet"
    if start.startswith(b"\xd0\xcf\x11\xe0"):
        raise RosterError(
            Problem(
                path.name,
                "",
                "this is an old or password-protected workbook. Save it as XLSX, without a password.",
            )
        )
    if start.startswith(b"%PDF"):
        raise RosterError(
            Problem(path.name, "", "this is a PDF. Send the table that it was made from, as CSV or XLSX.")
        )
    return "csv"


def _parquet_frame(path: Path) -> pl.DataFrame:
    """A Parquet file with the types that it declares.

    Raises:
        RosterError: the file is cut short or damaged, or a column holds lists or records.
    """
    try:
        frame = pl.read_parquet(path)
    except pl.exceptions.PolarsError:
        raise RosterError(
            Problem(path.name, "", "the Parquet file is cut short or damaged. Write it again.")
        ) from None
    nested = [
        name for name, kind in frame.schema.items() if kind.is_nested() or kind in (pl.Binary, pl.Object)
    ]
    if nested:
        raise RosterError(
            [
                Problem(path.name, name, "holds lists, records or bytes; one value a cell is expected.")
                for name in nested
            ]
        )
    return frame


def _from_text(path: Path, encoding: str | None, separator: str | None, header: int | None) -> RawTable:
    read_as = detect_encoding(path) if encoding is None else named_encoding(path, encoding)
    guesses = [f"taken to be {read_as.name}: {read_as.guess}"] if read_as.guess else []
    sample = sample_of(path, read_as.codec)
    declared = re.match(r"sep=(.)\r?\n", sample)  # a line that Excel writes for itself
    first = max(2 if declared else 1, header or 1)
    if separator is None:
        table = "".join(sample.splitlines(keepends=True)[first - 1 :])  # titles are not split as rows are
        separator = declared.group(1) if declared else detect_separator(table)
        guesses.append(f"columns taken to be split by a {SEPARATORS.get(separator, separator)}")
    rows = _Rows(path, records(path, read_as.codec, separator), first)
    return rows.table("csv", tuple(guesses), encoding=read_as.name, separator=separator)


def _from_workbook(path: Path, wanted: str | None, header: int | None) -> RawTable:
    sheet = read_sheet(path, wanted)
    guesses: tuple[str, ...] = ()
    if wanted is None and sheet.others:
        guesses = (f"sheet “{sheet.name}” taken; left unread: {', '.join(sheet.others)}",)
    numbered = enumerate(_filled(sheet), start=1)
    rows = _Rows(path, numbered, header or 1)
    return rows.table("xlsx", guesses, sheet=sheet.name, broken=sheet.broken)


def _filled(sheet: Sheet) -> Iterator[list[str]]:
    broken_by_row: dict[int, list[int]] = {}
    for row, column in sheet.broken:
        broken_by_row.setdefault(row, []).append(column)
    for row, cells in enumerate(sheet.cells.iter_rows()):
        filled = ["" if cell is None else cell for cell in cells]
        for column in broken_by_row.get(row, ()):
            if column < len(filled):
                filled[column] = _BROKEN  # a row is not blank for having nothing but a broken cell
        yield filled


def _from_parquet(path: Path) -> RawTable:
    typed = _parquet_frame(path)
    if typed.height == 0:
        raise RosterError(Problem(path.name, "", "the file has column names but no rows."))
    cells = typed.select(_as_text(column) for column in typed)
    source = FileRead(path.name, "parquet", tuple(cells.columns), 0, cells.height, 0)
    return RawTable(source, cells, pl.Series("line", range(1, cells.height + 1), dtype=pl.Int64))


def _as_text(column: pl.Series) -> pl.Series:
    if column.dtype.is_float():
        column = column.fill_nan(None)
        filled = column.drop_nulls()
        if filled.is_finite().all() and ((filled == filled.round()) & (filled.abs() < _WHOLE_DOUBLES)).all():
            column = column.cast(pl.Int64)  # whole numbers that became doubles around a gap
    if isinstance(column.dtype, pl.Datetime):
        return column.dt.to_string(_moment_format(column, column.dtype.time_zone)).alias(column.name)
    return column.cast(pl.String)


def _moment_format(column: pl.Series, zone: str | None) -> str:
    """Moments of a zone say how far it is from UTC; midnights alone are dates, which have no zone."""
    local = zone not in (None, "UTC") and (column.dt.time() != time(0)).any()
    return "%Y-%m-%d %H:%M:%S%:z" if local else "%Y-%m-%d %H:%M:%S"


class _Rows:
    """Gathers records into columns, a chunk at a time so that a million rows never exist as Python lists.

    What stands above the line `first` is passed over.
    """

    def __init__(self, path: Path, numbered: Iterable[tuple[int, list[str]]], first: int) -> None:
        self.path = path
        self.records = iter(numbered)
        self.blank = 0
        self.faults: dict[int, str] = {}
        self.surplus: dict[int, str] = {}
        self.header_line, self.header = self._header(first)

    def table(
        self,
        kind: Kind,
        guesses: tuple[str, ...],
        *,
        encoding: str | None = None,
        separator: str | None = None,
        sheet: str | None = None,
        broken: dict[tuple[int, int], str] | None = None,
    ) -> RawTable:
        cells, lines = self._gather()
        if cells.height == 0:
            raise RosterError(
                Problem(self.path.name, "", "there is a row of column names but no row of people below it.")
            )
        source = FileRead(
            self.path.name, kind, tuple(cells.columns), self.header_line, cells.height, self.blank,
            encoding, separator, sheet, guesses,
        )  # fmt: skip
        return RawTable(source, cells, lines, self.faults, self._located(broken or {}, lines), self.surplus)

    def _header(self, first: int) -> tuple[int, list[str]]:
        for line, record in self.records:
            names = [" ".join(cell.split()) for cell in record]
            if line >= first and any(names):
                while not names[-1]:
                    names.pop()  # columns without a name at the end: their cells must be empty too
                return line, self._checked(line, names)
        raise RosterError(Problem(self.path.name, "", "the file holds no text."))

    def _checked(self, line: int, names: list[str]) -> list[str]:
        place = f"{self.path.name}:{line}"
        if len(names) > _MOST_COLUMNS:
            message = (
                f"{len(names):,} columns; at most {_MOST_COLUMNS:,} are read. Leave out those not needed."
            )
            raise RosterError(Problem(place, "", message))
        named = [name or f"(column {number})" for number, name in enumerate(names, 1)]
        twice = [name for name, times in Counter(named).items() if times > 1]
        if twice:
            raise RosterError(
                Problem(place, name, "more than one column has this name. Give each column its own.")
                for name in twice
            )
        return named

    def _gather(self) -> tuple[pl.DataFrame, pl.Series]:
        width = len(self.header)
        schema = dict.fromkeys(self.header, pl.String)
        chunks: list[pl.DataFrame] = []
        rows: list[list[str]] = []
        lines: list[int] = []
        for line, record in self.records:
            joined = "".join(record)
            if not joined or joined.isspace():
                self.blank += 1
                continue
            if len(record) != width:
                record = self._squared(len(lines), record)
            rows.append(record)
            lines.append(line)
            if len(rows) == _CHUNK:
                chunks.append(_columns(rows, schema))
                rows = []
        chunks.append(_columns(rows, schema))
        return pl.concat(chunks), pl.Series("line", lines, dtype=pl.Int64)

    def _squared(self, row: int, record: list[str]) -> list[str]:
        width = len(self.header)
        extra = record[width:]
        if len(record) < width:
            self.faults[row] = (
                f"{_cells(len(record))} where the first row names {width} columns. "
                "Look for a missing separator, or a line break inside a cell that is not quoted."
            )
        elif "".join(extra).strip():
            self.surplus[row] = " | ".join(extra)
            self.faults[row] = (
                f"{_cells(len(record))} where the first row names {width} columns. "
                "Put quotation marks round a cell that contains the separator."
            )
        return (record + [""] * width)[:width]

    def _located(self, broken: dict[tuple[int, int], str], lines: pl.Series) -> dict[tuple[int, str], str]:
        if not broken:
            return {}
        rows = {line: row for row, line in enumerate(lines.to_list())}
        return {
            (rows[row + 1], self.header[column]): what
            for (row, column), what in sorted(broken.items())
            if row + 1 in rows and column < len(self.header)
        }


def _columns(rows: list[list[str]], schema: dict[str, type[pl.String]]) -> pl.DataFrame:
    if not rows:
        return pl.DataFrame(schema=schema)
    columns = zip(*rows, strict=True)
    return pl.DataFrame(
        [pl.Series(name, column, dtype=pl.String) for name, column in zip(schema, columns, strict=True)]
    )


def _cells(count: int) -> str:
    return "1 cell" if count == 1 else f"{count} cells"
