"""Sheets of an XLSX workbook as text, with the row numbers that the spreadsheet program shows."""

import html
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

import fastexcel
import polars as pl

from equipoise.errors import Problem, RosterError, nearest

__all__ = ["Sheet", "read_sheet"]

# A workbook is a zip file: beyond this it is a mistake or an attack, and either would exhaust the memory.
_LARGEST_UNPACKED = 2 << 30
_BROKEN_CELL = re.compile(
    rb'<c (?=[^>]*\bt="e")[^>]*\br="([A-Z]+)(\d+)"[^>]*>(?:<f.*?)?<v>([^<]*)</v>', re.DOTALL
)
_UNSAVED_FORMULA = re.compile(rb'<c [^>]*\br="([A-Z]+)(\d+)"[^>]*><f[^>]*>[^<]*</f>(?:<v ?/>|<v></v>)?</c>')


@dataclass(frozen=True)
class Sheet:
    """One sheet: its text cells from row 1 on, and what its broken cells say, by (row, column) from 0."""

    name: str
    others: tuple[str, ...]
    cells: pl.DataFrame
    broken: dict[tuple[int, int], str]


def read_sheet(path: Path, wanted: str | None = None) -> Sheet:
    """Reads one sheet of a workbook, every cell as text.

    Args:
        path: an XLSX file.
        wanted: the sheet's name; without it, the sheet with most filled cells (the first of equals).
    Returns:
        The sheet. Dates come out as ISO text; numbers without a needless `.0`.
    Raises:
        RosterError: no such sheet, nothing in any of them, or no workbook that can be opened.
    """
    _refuse_bombs(path)
    try:
        book = fastexcel.read_excel(path)
        names = tuple(book.sheet_names)
        if wanted is not None and wanted not in names:
            raise RosterError(
                Problem(path.name, "", f"there is no sheet “{wanted}”. Sheets: {nearest(wanted, names)}")
            )
        name, cells = _fullest(book, names if wanted is None else (wanted,))
    except fastexcel.FastExcelError as error:
        raise RosterError(
            Problem(
                path.name, "", "the workbook cannot be opened; it may be damaged or protected. Save it again."
            )
        ) from error
    if cells.width == 0:
        raise RosterError(Problem(path.name, "", "the workbook is empty: no sheet has a filled cell."))
    return Sheet(name, tuple(other for other in names if other != name), cells, _broken_cells(path, name))


def _fullest(book: fastexcel.ExcelReader, names: tuple[str, ...]) -> tuple[str, pl.DataFrame]:
    best, best_filled = ("", pl.DataFrame()), 0
    for name in names:
        # skip_rows=0 keeps the empty rows above the table, and with them the true row numbers
        cells = pl.DataFrame(book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string"))
        filled = sum(cells.height - column.null_count() for column in cells)
        if filled > best_filled:
            best, best_filled = (name, cells), filled
    return best


def _refuse_bombs(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
            is_workbook = "xl/workbook.xml" in archive.namelist()
    except zipfile.BadZipFile:
        raise RosterError(
            Problem(path.name, "", "the file is cut short or damaged. Save it again and send it whole.")
        ) from None
    if not is_workbook:
        raise RosterError(
            Problem(path.name, "", "this is a zip file but no XLSX workbook. Save it as XLSX or CSV.")
        )
    if unpacked > _LARGEST_UNPACKED:
        raise RosterError(Problem(path.name, "", "the workbook unpacks to more than 2 GB. Send it as CSV."))


def _broken_cells(path: Path, name: str) -> dict[tuple[int, int], str]:
    """Cells that show an error, or a formula without its value; the reader would pass both off as empty."""
    markup = _sheet_markup(path, name)
    broken: dict[tuple[int, int], str] = {}
    if b't="e"' in markup:
        for letters, row, shown in _BROKEN_CELL.findall(markup):
            broken[int(row) - 1, _column_number(letters)] = f"the cell shows the error {shown.decode()}"
    if b"<f" in markup:
        for letters, row in _UNSAVED_FORMULA.findall(markup):
            broken[int(row) - 1, _column_number(letters)] = "the cell holds a formula without its value"
    return broken


def _sheet_markup(path: Path, name: str) -> bytes:
    with zipfile.ZipFile(path) as archive:
        book = archive.read("xl/workbook.xml").decode("utf-8", "replace")
        links = archive.read("xl/_rels/workbook.xml.rels").decode("utf-8", "replace")
        for tag in re.findall(r"<(?:\w+:)?sheet\s[^>]*>", book):
            if html.unescape(_attribute(tag, "name")) != name:
                continue
            for link in re.findall(r"<Relationship\s[^>]*>", links):
                if _attribute(link, "Id") == _attribute(tag, r"\w+:id"):
                    target = _attribute(link, "Target")
                    member = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
                    return archive.read(member) if member in archive.namelist() else b""
    return b""


def _attribute(tag: str, name: str) -> str:
    found = re.search(rf'\s{name}="([^"]*)"', tag)
    return found.group(1) if found else ""


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number - 1
