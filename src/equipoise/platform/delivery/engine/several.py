"""Parts of a statement about several dispatches, each with its own value; the values stay apart from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from equipoise.platform.delivery.models import Dispatch

__all__ = ["Piece", "case_of", "held_by", "hidden"]


@dataclass(frozen=True)
class Piece:
    """A piece of a statement, and the values of its placeholders in their order."""

    sql: str
    values: tuple[Any, ...]


def hidden(column: str) -> str:
    """A column by which no index is looked up, in a statement about rows that others find sooner.

    PostgreSQL would combine the index of the numbers with that of a state or a time, and the latter holds all
    that was in that state, or was sent, lately.
    """
    return f"COALESCE({column}, {column})"


def case_of(numbers: Sequence[int], given: Sequence[int | None]) -> Piece:
    """A value for each row, by the row's number; NULL where all have none."""
    if all(each is None for each in given):
        return Piece("NULL", ())
    pairs = [value for pair in zip(numbers, given, strict=True) for value in pair]
    return Piece("CASE id" + " WHEN %s THEN %s" * len(numbers) + " END", tuple(pairs))


def held_by(dispatches: Sequence[Dispatch]) -> Piece:
    """That a row is one of these, and still of the claim that each of them was read from."""
    numbers = [each.pk for each in dispatches]
    fences = case_of(numbers, [each.fence for each in dispatches])
    places = ", ".join(["%s"] * len(numbers))
    return Piece(f"id IN ({places}) AND fence = {fences.sql}", (*numbers, *fences.values))
