"""Groups whose people must never be in two arms, such as a team in which both would meet."""

from collections.abc import Sequence

import polars as pl

from equipoise.allocation.people.columns import texts
from equipoise.errors import DesignError, Problem
from equipoise.protocol.models.allocation import Stage

__all__ = ["refuse_split"]

_MOST_TOLD = 20


def refuse_split(name: str, stage: Stage, people: pl.DataFrame, cluster: Sequence[str]) -> None:
    """Refuse a draw that could put people of one group into two arms.

    Args:
        name: the stage's name.
        stage: `whole` names the columns of the groups.
        people: those to be drawn.
        cluster: the unit of each.
    Raises:
        DesignError: a group whose people are in more than one unit; each is named.
    """
    problems = []
    for column in stage.whole:
        units: dict[str, set[str]] = {}
        for group, unit in zip(texts(people, column, f"allocation.{name}.whole"), cluster, strict=True):
            units.setdefault(group, set()).add(unit)
        for group, found in units.items():
            if len(found) > 1:
                told = ", ".join(f'"{unit}"' for unit in sorted(found)[:3])
                message = (
                    f'people of {column} "{group}" are in {len(found)} units that are drawn apart ({told}), '
                    f"so they could be in two arms; draw them whole, `unit: {column}`, or mend the roster"
                )
                problems.append(Problem("", f"allocation.{name}.whole", message))
    if problems:
        raise DesignError(problems[:_MOST_TOLD])
