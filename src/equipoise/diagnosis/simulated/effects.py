"""Whom an assumed effect is on, and how much of it they get."""

import numpy as np
import polars as pl

from equipoise.errors import DesignError
from equipoise.estimation.arrays import Bools, Floats
from equipoise.protocol.models.assumptions import Assume, AssumedEffect

__all__ = ["doses", "mean_dose", "selected", "share_selected"]


def selected(people: pl.DataFrame, effect: AssumedEffect) -> Bools:
    """Those whose columns have the levels that an effect asks for, shape (n,).

    Raises:
        DesignError: a column that the participants do not have.
    """
    found = np.ones(people.height, dtype=bool)
    for column, level in effect.when.items():
        if column not in people.columns:
            raise DesignError(
                f'an effect of {effect.arm} is for {column} = "{level}", and the participants have no '
                f'column "{column}"'
            )
        found &= (people[column].cast(pl.String) == level).fill_null(False).to_numpy()
    return found


def share_selected(people: pl.DataFrame | None, effect: AssumedEffect) -> float:
    """The share of the people whom an effect is for; NaN where it is not for all and they are not known."""
    if not effect.when:
        return 1.0
    return np.nan if people is None else float(selected(people, effect).mean())


def doses(assume: Assume, ranks: Floats) -> Floats:
    """How much of the whole effect people get who take it up, from uniform chance of any shape."""
    if not assume.dose:
        return np.ones_like(ranks)
    levels, shares = np.array(list(assume.dose)), np.cumsum(list(assume.dose.values()))
    return np.asarray(levels[np.minimum(np.searchsorted(shares / shares[-1], ranks), len(levels) - 1)])


def mean_dose(assume: Assume) -> float:
    """The mean dose of those who take it up; 1 where none is assumed."""
    total = sum(assume.dose.values())
    return sum(dose * share for dose, share in assume.dose.items()) / total if assume.dose else 1.0
