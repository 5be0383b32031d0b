"""Columns of people as a draw takes them: texts, complete, and of clusters where these are drawn."""

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from equipoise.errors import DesignError, Problem

__all__ = ["in_days", "numbers_among", "of_clusters", "texts"]


def texts(people: pl.DataFrame, column: str, where: str) -> list[str]:
    """A column as text, complete.

    Raises:
        DesignError: a person has no value.
    """
    values = people[column]
    if (
        values.dtype == pl.Float64
        and values.drop_nulls().is_finite().all()
        and (values.drop_nulls() % 1 == 0).all()
    ):
        values = values.cast(pl.Int64)
    cells = values.cast(pl.String).to_list()
    missing = [row for row, value in enumerate(cells, start=1) if value is None]
    if missing:
        rows = ", ".join(map(str, missing[:5]))
        message = (
            f'{len(missing)} people have no "{column}" (rows {rows} of those eligible); all drawn need one'
        )
        raise DesignError(Problem("", where, message))
    return [str(value) for value in cells]


def in_days(people: pl.DataFrame, columns: Iterable[str]) -> pl.DataFrame:
    """The people with the dates among the columns as days since 1970, so that they are numbers."""
    dates = [column for column in columns if people[column].dtype.is_temporal()]
    return people.with_columns(pl.col(column).cast(pl.Date).dt.epoch("d") for column in dates)


def numbers_among(people: pl.DataFrame, columns: Iterable[str]) -> tuple[str, ...]:
    """Those of the columns that hold numbers; the others hold categories."""
    return tuple(column for column in columns if people[column].dtype.is_numeric())


def of_clusters(
    cluster: Sequence[str], units: Sequence[str], columns: Mapping[str, Sequence[str]], where: str
) -> dict[str, list[str]]:
    """The value of each cluster, which all its people must share.

    Raises:
        DesignError: people of one cluster differ; the first is named.
    """
    found = {}
    for column, values in columns.items():
        of_unit: dict[str, str] = {}
        for row, (unit, value) in enumerate(zip(cluster, values, strict=True), start=1):
            if of_unit.setdefault(unit, value) != value:
                message = (
                    f'row {row} of those eligible: "{unit}" has {column} "{value}" here and '
                    f'"{of_unit[unit]}" before; a cluster is drawn whole, so give all its people one value'
                )
                raise DesignError(Problem("", where, message))
        found[column] = [of_unit[unit] for unit in units]
    return found
