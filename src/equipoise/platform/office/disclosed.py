"""Counts as a partner may see them: no employer can tell which of its people have answered.

A count is told to the ten below it, once ten have answered and as long as ten have not: that all have
answered says as much of each as that one has. Each number is told so by itself: differences tell no more.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date

from equipoise.platform.fieldwork.queries import Response
from equipoise.platform.permissions import Reach

__all__ = ["THRESHOLD", "at_least", "reached", "so_far", "told"]

THRESHOLD = 10  # people; the rule of thumb of the ONS for what an employer is shown


def at_least(count: int, of: int) -> int:
    """How many are told: a multiple of ten, 0 where they are too few to tell.

    Args:
        count: people who did something.
        of: people who could have.
    """
    return max(0, min(count, of - THRESHOLD)) // THRESHOLD * THRESHOLD


def told(number: int) -> str:
    """Such a number in words."""
    return f"At least {number:,}" if number else "Too few to show"


def reached(rows: Iterable[Response], whose: Reach) -> list[Response]:
    """The response of the partners that somebody reaches, in tens; whole for whoever reaches everybody."""
    if whose.everybody:
        return list(rows)
    return [
        replace(row, started=at_least(row.started, row.asked), complete=at_least(row.complete, row.asked))
        for row in rows
        if row.partner_id is not None and whose.covers(row.partner_id)
    ]


def so_far(days: Sequence[tuple[date, int]], of: int) -> Iterator[tuple[date, int]]:
    """How many had answered by the end of each day, told in tens."""
    whole = 0
    for day, number in days:
        whole += number
        yield day, at_least(whole, of)
