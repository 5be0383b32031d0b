"""Tables as data: what is printed, what goes into the CSV behind it, and which finding each number came
from."""

import csv
import io
import re
from dataclasses import dataclass

__all__ = ["PROVENANCE", "Cell", "Column", "Table", "slug"]

PROVENANCE = "provenance.html"
"""The page beside a report that lists every finding, and to which every number leads."""
# The full-width forms are formulas too, where the keyboard is set to Chinese or Japanese.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@dataclass(frozen=True)
class Cell:
    """A cell: `text` is printed, `raw` goes into the CSV; `finding` is the id of the finding that it was
    drawn from, and `page` the document that lists it."""

    text: str
    raw: float | int | str | None = None
    finding: str | None = None
    page: str = PROVENANCE

    @property
    def value(self) -> str:
        """What the CSV holds: the unrounded number where there is one."""
        return self.text if self.raw is None else str(self.raw)


@dataclass(frozen=True)
class Column:
    """A column's heading, with its unit; numbers are aligned to the right."""

    heading: str
    numeric: bool = False


@dataclass(frozen=True)
class Table:
    """A table with one header row; the first column heads its rows."""

    id: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        """The CSV's path beside the document."""
        return f"data/{self.id}.csv"

    def to_csv(self) -> str:
        """The table as CSV (RFC 4180): unrounded numbers, and the finding of each row."""
        sheet = io.StringIO()
        writer = csv.writer(sheet)
        writer.writerow([*(_safe(column.heading) for column in self.columns), "findings"])
        for row in self.rows:
            ids = dict.fromkeys(cell.finding for cell in row if cell.finding)
            writer.writerow([*(_safe(cell.value) for cell in row), "; ".join(ids)])
        return sheet.getvalue()


def _safe(value: str) -> str:
    """A text that a spreadsheet would run as a formula gets an apostrophe; a number keeps its sign."""
    return f"'{value}" if value.startswith(_FORMULA) and not _is_number(value) else value


def _is_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


def slug(text: str) -> str:
    """A text as an id of a document or file: lower-case letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "x"
