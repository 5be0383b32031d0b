"""Main and interaction effects of several factors, from a mean for every cell."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from equipoise.errors import DesignError
from equipoise.estimation.arrays import Dof, Floats, Ints, finite, finite_columns, refuse, same_length
from equipoise.estimation.inference import Estimate, JointTest
from equipoise.estimation.least_squares.covariance import Variance
from equipoise.estimation.least_squares.linear import LinearFit, fit_linear

__all__ = ["FactorialTerm", "LevelEffect", "factorial_effects"]

Levels = tuple[int, ...]
_EMPTY, _REFERENCE = -1, -2


@dataclass(frozen=True)
class LevelEffect:
    """One contrast of a term: `levels`, one a factor of the term, each against the first of its factor."""

    levels: Levels
    effect: Estimate


@dataclass(frozen=True)
class FactorialTerm:
    """A main effect (one factor) or an interaction (several).

    Attributes:
        factors: their numbers, in order.
        effects: one for each combination of levels other than the first.
        joint: that all of them are 0; None where the term cannot be estimated.
        not_estimable: why.
    """

    factors: tuple[int, ...]
    effects: tuple[LevelEffect, ...]
    joint: JointTest | None
    not_estimable: str | None


def factorial_effects(
    outcome: npt.ArrayLike,
    levels: npt.ArrayLike,
    counts: Sequence[int],
    *,
    shares: Sequence[Sequence[float]] | None = None,
    order: int = 2,
    covariates: npt.ArrayLike | None = None,
    strata: npt.ArrayLike | None = None,
    cluster: npt.ArrayLike | None = None,
    variance: Variance | None = None,
    dof: Dof = "satterthwaite",
    level: float = 0.95,
) -> tuple[FactorialTerm, ...]:
    """Every main effect and interaction up to an order.

    Args:
        outcome: (n,) in its own unit; NaN is refused, not dropped.
        levels: (n, f) codes from 0, one column a factor.
        counts: (f,) number of levels of each factor.
        shares: of each factor's levels, the weights in which the *other* factors' effects average over it;
            left out, all its levels alike.
        order: of the highest interactions.
        covariates: (n, p) measured before allocation.
        strata: (n,) labels whose intercepts are absorbed.
        cluster: (n,) labels.
        variance: kind of covariance; left out, HC2, or CR2 with clusters.
        dof: degrees of freedom.
        level: coverage of the intervals.
    Returns:
        Main effects, then interactions. A main effect is a level's mean less the first level's, averaged over
        the other factors. An interaction is a difference of such differences, not halved. With two levels and
        equal shares, regression on columns coded -1 and +1 has half of the main effect and a quarter of the
        interaction of two as its coefficients; the tests are the same. The joint tests with equal shares are
        those of effect coding ("type III").
    Raises:
        DesignError: codes outside the factors' levels, or shares that do not fit.

    Wu & Hamada (2009), Experiments, chapter 4; averaging by the design's shares: Hainmueller, Hopkins &
    Yamamoto (2014), Polit. Anal. 22:1, section 3.
    """
    y, codes = finite(outcome, "outcome"), np.asarray(levels, dtype=np.int64)
    same_length(len(y), levels=codes)
    weights = _weights(codes, counts, shares)
    fit, used = _cell_means(y, codes, counts, covariates, strata, cluster, variance, dof)
    model = _Cells(fit, used, tuple(counts), weights, level)
    return tuple(
        model.term(factors)
        for size in range(1, order + 1)
        for factors in combinations(range(len(counts)), size)
    )


@dataclass(frozen=True, eq=False)
class _Cells:
    """The fit of cells; `used` is the column of each cell, or says that it has none and why."""

    fit: LinearFit
    used: Ints
    counts: tuple[int, ...]
    shares: tuple[Floats, ...]
    level: float

    def term(self, factors: tuple[int, ...]) -> FactorialTerm:
        parts = [
            _differences(count) if factor in factors else share[None, :]
            for factor, (count, share) in enumerate(zip(self.counts, self.shares, strict=True))
        ]
        try:
            matrix = self._columns(_crossed(parts))
            joint = self.fit.joint_test(matrix)
            found = [self.fit.contrast(row, self.level) for row in matrix]
        except DesignError as error:
            return FactorialTerm(factors, (), None, str(error))
        tuples = np.ndindex(*(self.counts[factor] - 1 for factor in factors))
        levels = (tuple(place + 1 for place in places) for places in tuples)
        effects = tuple(LevelEffect(each, one) for each, one in zip(levels, found, strict=True))
        return FactorialTerm(factors, effects, joint, None)

    def _columns(self, matrix: Floats) -> Floats:
        """Weights of cells as weights of columns; a cell without people must have no weight."""
        empty = (self.used == _EMPTY) & (np.abs(matrix) > 0).any(axis=0)
        if empty.any():
            cell = np.unravel_index(int(np.flatnonzero(empty)[0]), self.counts)
            named = ", ".join(f"level {int(place)} of factor {at}" for at, place in enumerate(cell))
            raise refuse("levels", f"nobody is in the cell of {named}, which this effect averages over.")
        full = np.zeros((len(matrix), len(self.fit.coefficients)))
        held = self.used >= 0
        full[:, self.used[held]] = matrix[:, held]
        return full


def _weights(
    codes: Ints, counts: Sequence[int], shares: Sequence[Sequence[float]] | None
) -> tuple[Floats, ...]:
    if codes.ndim != 2 or codes.shape[1] != len(counts):
        raise refuse(
            "levels", f"has shape {codes.shape}; expected one column for each of {len(counts)} factors."
        )
    for factor, count in enumerate(counts):
        if count < 2 or codes[:, factor].min() < 0 or codes[:, factor].max() >= count:
            raise refuse("levels", f"of factor {factor} are not codes 0 to {count - 1}, two levels at least.")
    if shares is None:
        return tuple(np.full(count, 1 / count) for count in counts)
    if [len(each) for each in shares] != list(counts):
        raise refuse("shares", "do not give one share for each level of each factor.")
    given = [finite(each, "shares") for each in shares]
    if any((each < 0).any() or not each.sum() > 0 for each in given):
        raise refuse("shares", "hold a negative share, or none above 0.")
    return tuple(each / each.sum() for each in given)


def _cell_means(
    y: Floats,
    codes: Ints,
    counts: Sequence[int],
    covariates: npt.ArrayLike | None,
    strata: npt.ArrayLike | None,
    cluster: npt.ArrayLike | None,
    variance: Variance | None,
    dof: Dof,
) -> tuple[LinearFit, Ints]:
    """A column for each cell that has people; beside strata the first such cell is the reference."""
    cell = np.ravel_multi_index(tuple(codes.T), tuple(counts))
    first, held = np.split(np.unique(cell), [int(strata is not None)])
    used = np.full(int(np.prod(counts)), _EMPTY, dtype=np.int64)
    used[first], used[held] = _REFERENCE, np.arange(len(held))
    columns = [(cell[:, None] == held).astype(np.float64)]
    if covariates is not None:
        extra = finite_columns(covariates, "covariates")
        same_length(len(y), covariates=extra)
        columns.append(extra - extra.mean(axis=0))
    design = np.concatenate(columns, axis=1)
    kind: Variance = variance or ("HC2" if cluster is None else "CR2")
    return fit_linear(y, design, variance=kind, strata=strata, cluster=cluster, dof=dof), used


def _crossed(parts: Sequence[Floats]) -> Floats:
    crossed: Floats = np.ones((1, 1))
    for part in parts:
        crossed = np.asarray(np.kron(crossed, part), dtype=np.float64)
    return crossed


def _differences(count: int) -> Floats:
    """Every level but the first, less the first."""
    return np.concatenate((-np.ones((count - 1, 1)), np.eye(count - 1)), axis=1)
