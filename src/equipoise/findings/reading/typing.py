"""Cells as text into the type that the protocol declares, with the fault of every cell that is not."""

from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from equipoise.errors import nearest

__all__ = ["Declared", "typed_column"]

_SHOWN = 10
_DAY = r"^\d{4}-\d{2}-\d{2}$"
_MIDNIGHT = r"[T ]00:00(:00(\.0+)?)?$"
_TO_ITS_END = timedelta(days=1) - timedelta(microseconds=1)
_YES = {"true": 1.0, "yes": 1.0, "1": 1.0, "1.0": 1.0, "false": 0.0, "no": 0.0, "0": 0.0, "0.0": 0.0}
_MOMENTS = ("%Y-%m-%dT%H:%M:%S%.f%:z", "%Y-%m-%d %H:%M:%S%.f%:z", "%+")
_LOCAL_MOMENTS = ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M")


@dataclass(frozen=True)
class Declared:
    """What a column may hold: a kind of value, and where declared its levels, range and format of dates.

    `day_ends` is the zone in which a day without an hour is the end of that day; None: its start in UTC.
    """

    kind: str
    levels: tuple[str, ...] | None = None
    span: tuple[float, float] | None = None
    format: str | None = None
    day_ends: str | None = None


def typed_column(cells: pl.Series, declared: Declared | None) -> tuple[pl.Series, list[tuple[int, str]]]:
    """A column of the declared type.

    Args:
        cells: text, empty or null where missing.
        declared: what it may hold; None for a column that the protocol does not name, which stays text.
    Returns:
        The typed column, missing where the cell was empty, and the fault of each bad cell by its row.
    """
    name = cells.name
    text = cells.cast(pl.String).str.strip_chars()
    text = text.set(text.str.len_chars() == 0, None).alias(name)
    if declared is None or declared.kind in ("text", "guess"):
        return (text if declared is None or declared.kind == "text" else _guessed(text)), []
    if declared.kind == "identifier":
        return text, _faults(text.is_null(), text, "the identifier is missing")
    if declared.kind in ("category", "arm"):
        return _category(text, declared)
    if declared.kind in ("yes-no", "yes-no-number"):
        numbers = (
            text.str.to_lowercase().replace_strict(_YES, default=None, return_dtype=pl.Float64).alias(name)
        )
        bad = text.is_not_null() & numbers.is_null()
        typed = numbers if declared.kind == "yes-no-number" else numbers.cast(pl.Boolean)
        return typed, _faults(bad, text, "expected yes or no (or 1 and 0), found {}")
    if declared.kind == "moment":
        return _moment(text, declared.day_ends)
    if declared.kind == "date":
        typed = text.str.slice(0, 10).str.to_date("%Y-%m-%d", strict=False)
        if declared.format is not None:  # the roster's way of writing dates, where the data keep it
            typed = typed.zip_with(typed.is_not_null(), text.str.to_date(declared.format, strict=False))
        typed = typed.alias(name)
        return typed, _faults(
            text.is_not_null() & typed.is_null(), text, "expected a date such as 2021-03-01, found {}"
        )
    return _number(text, declared)


def _category(text: pl.Series, declared: Declared) -> tuple[pl.Series, list[tuple[int, str]]]:
    if declared.levels is None:
        return text, []
    bad = text.is_not_null() & ~text.is_in(list(declared.levels))
    what = "an arm" if declared.kind == "arm" else "a level"
    found = [
        (
            row,
            f'"{text[row]}" is not {what} of this study. Allowed: {nearest(str(text[row]), declared.levels)}',
        )
        for row in bad.arg_true().to_list()[:_SHOWN]
    ]
    return text, found + _more(bad)


def _number(text: pl.Series, declared: Declared) -> tuple[pl.Series, list[tuple[int, str]]]:
    numbers = text.cast(pl.Float64, strict=False).alias(text.name)
    faults = _faults(text.is_not_null() & numbers.is_null(), text, "expected a number, found {}")
    wild = numbers.is_not_null() & ~numbers.is_finite().fill_null(True)
    faults += _faults(
        wild, text, "expected a finite number, found {}; leave the cell empty where there is none"
    )
    if declared.kind == "integer":
        broken = numbers.is_finite() & (numbers != numbers.floor())
        faults += _faults(broken.fill_null(False), text, "expected a whole number, found {}")
    if declared.span is not None:
        low, high = declared.span
        outside = (numbers.is_finite() & ((numbers < low) | (numbers > high))).fill_null(False)
        faults += _faults(outside, text, f"{{}} lies outside the possible range {low:g} to {high:g}")
    return numbers, faults


def _moment(text: pl.Series, day_ends: str | None) -> tuple[pl.Series, list[tuple[int, str]]]:
    """A moment, or yes and no where only that is known."""
    typed = pl.Series(text.name, [None] * len(text), dtype=pl.Datetime("us", "UTC"))
    if text.null_count() < len(text):
        answered = text.str.to_lowercase().replace_strict(_YES, default=None, return_dtype=pl.Float64)
        if answered.null_count() == text.null_count():
            return answered.cast(pl.Boolean).alias(text.name), []
    if day_ends is not None:
        text = _without_midnights(text)
    for form in _MOMENTS:
        typed = typed.zip_with(
            typed.is_not_null(), text.str.to_datetime(form, strict=False, time_unit="us", time_zone="UTC")
        )
    for form in _LOCAL_MOMENTS:
        local = text.str.to_datetime(form, strict=False, time_unit="us").dt.replace_time_zone("UTC")
        typed = typed.zip_with(typed.is_not_null(), local)
    days = _days(text.str.to_date("%Y-%m-%d", strict=False), day_ends)
    typed = typed.zip_with(typed.is_not_null(), days).alias(text.name)
    bad = text.is_not_null() & typed.is_null()
    return typed, _faults(bad, text, "expected a moment such as 2021-03-01T09:30:00+00:00, found {}")


def _without_midnights(text: pl.Series) -> pl.Series:
    """Days alone, where every moment is a midnight: so spreadsheets and other programs write dates."""
    days = text.str.replace(_MIDNIGHT, "").alias(text.name)
    return days if days.str.contains(_DAY).fill_null(True).all() else text


def _days(days: pl.Series, zone: str | None) -> pl.Series:
    """The start of each day in UTC; where a zone is given, the last moment of it there."""
    if zone is None:
        return days.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    ends = days.cast(pl.Datetime("us")) + _TO_ITS_END
    return ends.dt.replace_time_zone(zone, ambiguous="latest", non_existent="null").dt.convert_time_zone(
        "UTC"
    )


def _guessed(text: pl.Series) -> pl.Series:
    """A number where every cell is one, otherwise text."""
    numbers = text.cast(pl.Float64, strict=False)
    return numbers.alias(text.name) if numbers.null_count() == text.null_count() else text


def _faults(bad: pl.Series, text: pl.Series, message: str) -> list[tuple[int, str]]:
    rows = bad.arg_true().to_list()
    found = [(row, message.format(f'"{str(text[row])[:40]}"')) for row in rows[:_SHOWN]]
    return found + _more(bad)


def _more(bad: pl.Series) -> list[tuple[int, str]]:
    rows = bad.arg_true().to_list()
    if len(rows) <= _SHOWN:
        return []
    return [(rows[_SHOWN], f"and {len(rows) - _SHOWN} more cells of this column like it")]
