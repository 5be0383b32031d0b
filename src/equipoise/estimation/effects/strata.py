"""Strata by arm: how many, their means and variances, and how much each stratum counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from equipoise.estimation.arrays import Bools, Floats, Ints, Labels, refuse

__all__ = ["Cells", "cells_of", "stratum_sizes"]


@dataclass(frozen=True, eq=False)
class Cells:
    """Count, mean and variance (divisor n - 1) of every stratum by arm; NaN where a cell is too small."""

    counts: Floats
    means: Floats
    variances: Floats

    def only(self, arms: Sequence[int]) -> "Cells":
        """These arms."""
        return Cells(self.counts[:, arms], self.means[:, arms], self.variances[:, arms])

    def rows(self, strata: Bools) -> "Cells":
        """These strata."""
        return Cells(self.counts[strata], self.means[strata], self.variances[strata])


def cells_of(outcome: Floats, arm: Ints, stratum: Ints, strata: int, arms: int) -> Cells:
    """The cells, each array of shape (strata, arms)."""
    cell = stratum * arms + arm
    counts = np.bincount(cell, minlength=strata * arms).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        means = np.bincount(cell, outcome, minlength=strata * arms) / counts
        squares = np.bincount(cell, (outcome - means[cell]) ** 2, minlength=strata * arms)
        variances = squares / (counts - 1)
    shape = (strata, arms)
    return Cells(counts.reshape(shape), means.reshape(shape), variances.reshape(shape))


def stratum_sizes(stratum: Ints, labels: Labels, randomised: Mapping[Any, float] | None) -> Floats:
    """The share of each stratum: of the people randomised where that is given, else of the rows.

    Raises:
        DesignError: a stratum randomised of which nobody has an outcome, or the other way round.
    """
    if randomised is None:
        return np.bincount(stratum) / len(stratum)
    heard = labels.tolist()
    for label in randomised:
        if label not in heard:
            raise refuse("strata", f'stratum "{label}" was randomised, but nobody in it has an outcome.')
    sizes = np.array([float(randomised.get(label, 0)) for label in heard])
    if not (sizes > 0).all():
        first = heard[int(np.flatnonzero(~(sizes > 0))[0])]
        raise refuse(
            "randomised", f'has no count above 0 for stratum "{first}", in which people have outcomes.'
        )
    return np.asarray(sizes / sizes.sum())
