"""CSV files: lossless for analysis, or safe to open in a spreadsheet.

A spreadsheet takes a text that begins like a formula for one, and a formula can send what stands beside it to
somebody else. What people typed is therefore marked as text in the files that are meant to be opened so.
"""

import csv
import io

import polars as pl

from equipoise.diagnosis.simulated.writing import writable

__all__ = ["analysis_csv", "neutralised", "spreadsheet_csv"]

# The full-width forms are formulas too, where the keyboard is set to Chinese or Japanese.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def analysis_csv(table: pl.DataFrame) -> bytes:
    """A table as CSV for analysis, every text as it was: UTF-8, ISO dates, moments in UTC to the second."""
    return writable(_plain(table)).write_csv().encode("utf-8")


def spreadsheet_csv(table: pl.DataFrame) -> bytes:
    """A table as CSV for a spreadsheet: UTF-8 with its mark, and no text that could run as a formula.

    A text that begins like a formula gets an apostrophe in front. Numbers stay as they are. Not for analysis.
    """
    plain = writable(_plain(table))
    columns = [
        [neutralised(cell) if isinstance(cell, str) else cell for cell in plain[name].to_list()]
        for name in plain.columns
    ]
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow([neutralised(name) for name in plain.columns])
    writer.writerows(zip(*columns, strict=True))
    return written.getvalue().encode("utf-8-sig")


def neutralised(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _plain(table: pl.DataFrame) -> pl.DataFrame:
    """Moments in UTC, and one kind of missing value."""
    moments = [
        name for name, kind in table.schema.items() if isinstance(kind, pl.Datetime) and kind.time_zone
    ]
    numbers = [name for name, kind in table.schema.items() if kind.is_float()]
    return table.with_columns(
        *(pl.col(name).dt.convert_time_zone("UTC") for name in moments),
        *(pl.col(name).fill_nan(None) for name in numbers),
    )
