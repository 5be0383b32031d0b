"""The people of a study as a table: pseudonym and attributes, in the types that the roster declares.

The method half takes people as a frame whose identifier tells them apart. Here that is the random key, so
that a draw, its record and the data can be shown to anybody.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, TypeVar

import polars as pl

from equipoise.protocol import Study as StudyFolder
from equipoise.protocol.models.participants import RosterColumn
from equipoise.roster import declared_columns, identifier_of
from equipoise.roster.values import polars_type

__all__ = ["facts_frame", "people_frame", "pieces"]

_AT_ONCE = 10_000
Row = TypeVar("Row")


def people_frame(loaded: StudyFolder, participants: Any) -> pl.DataFrame:
    """Participants with what the roster says of them, a row each, by their keys.

    Args:
        loaded: what the study says.
        participants: a query of participants; one query more is made, however many there are.
    """
    rows = participants.order_by("key").values_list("key", "facts__values").iterator(_AT_ONCE)
    return facts_frame(loaded, rows)


def facts_frame(loaded: StudyFolder, rows: Iterable[tuple[str, Mapping[str, Any] | None]]) -> pl.DataFrame:
    """A frame from keys and what is stored of the roster's attributes; null where nothing is stored."""
    identifier = identifier_of(loaded)
    columns = {
        name: column for name, column in declared_columns(loaded).items() if column.role == "attribute"
    }
    frames = [_typed(identifier, columns, some) for some in pieces(rows, _AT_ONCE)]
    return pl.concat(frames) if frames else _typed(identifier, columns, [])


def pieces(rows: Iterable[Row], size: int) -> Iterator[list[Row]]:
    """Some rows at a time, so that memory holds columns and not a record for each person."""
    remaining = iter(rows)
    while some := list(islice(remaining, size)):
        yield some


def _typed(
    identifier: str,
    columns: Mapping[str, RosterColumn],
    rows: list[tuple[str, Mapping[str, Any] | None]],
) -> pl.DataFrame:
    facts = [values or {} for _, values in rows]
    cells = [pl.Series(identifier, [key for key, _ in rows], dtype=pl.String)]
    for name, column in columns.items():
        kind = polars_type(column)
        values = [known.get(name) for known in facts]
        if kind == pl.Date():
            cells.append(pl.Series(name, values, dtype=pl.String).str.to_date("%Y-%m-%d"))
        else:
            cells.append(pl.Series(name, values, dtype=kind, strict=False))
    return pl.DataFrame(cells)
