"""A file of exclusions as somebody uploads it: a CSV with the columns participant, of, reason."""

import csv
import io
from typing import Any

from equipoise.errors import InputError, Problem
from equipoise.platform.review.actions import Wanted

__all__ = ["wanted_in"]

_COLUMNS = ("participant", "of", "reason")
_LARGEST = 2_000_000  # bytes
_MOST = 20_000  # lines


def wanted_in(upload: Any) -> list[Wanted]:
    """What a file asks for, line by line; whether it can be done is for the review.

    Args:
        upload: the file as Django has it, or None.
    Raises:
        InputError: there is no file, it is too large, is no CSV in UTF-8, or lacks a column.
    """
    if upload is None:
        raise _refused("choose a file")
    if upload.size > _LARGEST:
        raise _refused(f"the file is larger than {_LARGEST // 1_000_000} MB; send it in parts")
    try:
        text = upload.read().decode("utf-8-sig")
        rows = list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error):
        raise _refused("this is no CSV in UTF-8; save the table as CSV") from None
    found = tuple(rows[0]) if rows else ()
    lacking = [name for name in _COLUMNS if name not in found]
    if lacking:
        there = ", ".join(str(name)[:40] for name in found if name is not None) or "none"
        raise _refused(f"the column {lacking[0]} is missing. Columns: {there}")
    if len(rows) > _MOST:
        raise _refused(f"the file has more than {_MOST:,} lines; send it in parts")
    return [_wanted(line, row) for line, row in enumerate(rows, start=2)]


def _wanted(line: int, row: dict[str, str | None]) -> Wanted:
    said = {name: (row[name] or "").strip() for name in _COLUMNS}
    of = tuple(name for each in said["of"].split(";") if (name := each.strip()))
    return Wanted(said["participant"], of, said["reason"], f"Line {line}")


def _refused(message: str) -> InputError:
    return InputError(Problem("", "file", message))
