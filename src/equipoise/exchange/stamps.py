"""The moment that SPSS and Stata files say they were made at, in place of the clock of whoever wrote them.

The same data then give the same bytes. Where the moments stand: GNU PSPP Developers Guide, "System file
format", file header record; Stata's `help dta`, header.
"""

from datetime import UTC, datetime
from pathlib import Path

__all__ = ["UNDATED", "stamp_spss", "stamp_stata"]

UNDATED = datetime(1970, 1, 1, tzinfo=UTC)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SPSS_AT = 92  # after magic, product name, five numbers and the bias
_STATA_BEFORE = b"<timestamp>\x11"
_STATA_HEADER = 1_000  # bytes at the start, within which the header of a file of one label lies


def stamp_spss(path: Path, made: datetime) -> None:
    """Write the moment into a .sav file, in UTC."""
    moment = made.astimezone(UTC)
    text = f"{moment.day:02} {_MONTHS[moment.month - 1]} {moment.year % 100:02}{moment:%H:%M:%S}"
    _overwrite(path, _SPSS_AT, text.encode("ascii"))


def stamp_stata(path: Path, made: datetime) -> None:
    """Write the moment into a .dta file, in UTC."""
    moment = made.astimezone(UTC)
    text = f"{moment.day:02} {_MONTHS[moment.month - 1]} {moment.year:04} {moment:%H:%M}"
    with path.open("rb") as file:
        found = file.read(_STATA_HEADER).index(_STATA_BEFORE)
    _overwrite(path, found + len(_STATA_BEFORE), text.encode("ascii"))


def _overwrite(path: Path, place: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        file.write(content)
