"""Spells of absence, a row each, summed to days within a window."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

__all__ = ["SummedSpells", "sum_spells"]


@dataclass(frozen=True)
class SummedSpells:
    """Days of absence by person.

    Attributes:
        days: the persons, under the name of their column, and `days`; in the order of their first rows.
        faults: row, column, and what is wrong; such rows are not in the sum.
        outside: how many spells have no day in the window.
    """

    days: pl.DataFrame
    faults: tuple[tuple[int, str, str], ...]
    outside: int


def sum_spells(
    spells: pl.DataFrame,
    person: str,
    first: str,
    last: str,
    *,
    window: tuple[date, date],
    weekdays: bool = False,
) -> SummedSpells:
    """Count the days of each person's spells that lie in a window.

    Args:
        spells: the column `row` (any whole numbers, each once), the person's and the two of dates.
        person: the column that tells people apart.
        first: the column with the first day.
        last: the column with the last day; where it is missing, the spell lasts to the end of the window.
        window: its first and its last day.
        weekdays: count Monday to Friday only.
    Returns:
        Everybody of whom there is a spell, those without a day in the window with 0.

    A spell that ends before it begins is a fault; so is one that shares a day with an earlier one of the same
    person, because the day would count twice.
    """
    opens, closes = window
    ended = pl.col(last).fill_null(pl.max_horizontal(first, pl.lit(closes)))
    known = spells.select("row", person, first, ended.alias(last)).sort(first, "row")
    backwards = known.filter(pl.col(last) < pl.col(first))
    known = known.filter(pl.col(last) >= pl.col(first)).with_columns(
        pl.col(last).cum_max().shift().over(person).alias("before")
    )
    twice = known.filter(pl.col(first) <= pl.col("before"))
    within = known.filter((pl.col(first) > pl.col("before")) | pl.col("before").is_null())
    clipped = within.with_columns(
        pl.max_horizontal(first, pl.lit(opens)).alias("from"),
        pl.min_horizontal(last, pl.lit(closes)).alias("to"),
    )
    counted = clipped.with_columns(_days(clipped["from"], clipped["to"], weekdays=weekdays))
    days = counted.sort("row").group_by(person, maintain_order=True).agg(pl.col("days").sum())
    outside = int((clipped["to"] < clipped["from"]).sum())
    return SummedSpells(days, tuple(sorted(_faults(backwards, twice, first, last))), outside)


def _faults(
    backwards: pl.DataFrame, twice: pl.DataFrame, first: str, last: str
) -> Iterator[tuple[int, str, str]]:
    for row in backwards["row"].to_list():
        yield row, last, "the last day is before the first"
    for row in twice["row"].to_list():
        yield row, first, "shares a day with another spell of the same person; keep each day once"


def _days(starts: pl.Series, ends: pl.Series, *, weekdays: bool) -> pl.Series:
    """Days from the first to the last, both counted; 0 where the last is before the first."""
    begin = starts.to_numpy().astype("datetime64[D]")
    after = ends.to_numpy().astype("datetime64[D]") + np.timedelta64(1, "D")
    count = np.busday_count(begin, after) if weekdays else (after - begin).astype(np.int64)
    return pl.Series("days", np.maximum(count, 0), dtype=pl.Int64)
