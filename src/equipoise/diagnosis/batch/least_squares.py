"""Least squares of many trials at once: the estimates, errors and degrees of freedom of `fit_linear`.

Rows of a trial are padded to the longest; strata are projected out. What is not plain (columns that repeat
others, full leverage, an arm without people) is left to `fit_linear` itself, trial by trial.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from equipoise.estimation.arrays import Bools, Floats, Ints

__all__ = ["Fits", "Rows", "fit_each"]

_NOTHING = 1e-20
"""Share of a column's squares under which it has no part of its own: it is dropped, as `fit_linear` does."""
_DEPENDENT = 1e-9
"""Share under which it may be a combination of others: not plain."""
_FULL = 1e-7
"""One less a leverage under which a row may be fitted exactly: not plain."""
_NO_ERROR = 1e-9
"""Error beside the outcome's size under which the outcome may not vary: not plain."""
_POWER = {"HC2": -0.5, "HC3": -1.0}


@dataclass(frozen=True, eq=False)
class Rows:
    """The rows of many trials, trial after trial.

    Attributes:
        trials: how many trials.
        trial: shape (rows,), in order.
        place: shape (rows,), the place of each row in its trial.
        counts: shape (trials,), rows of each.
    """

    trials: int
    trial: Ints
    place: Ints
    counts: Ints

    @classmethod
    def of(cls, trials: int, trial: Ints) -> "Rows":
        """Rows by their trial."""
        counts = np.bincount(trial, minlength=trials)
        starts = np.cumsum(counts) - counts
        return cls(trials, trial, np.arange(len(trial)) - starts[trial], counts)

    def sums(self, values: Floats) -> Floats:
        """Sums by trial."""
        return np.asarray(np.bincount(self.trial, values, minlength=self.trials), dtype=np.float64)

    def centred(self, values: Floats) -> Floats:
        """Values less the mean of their trial."""
        return values - (self.sums(values) / np.maximum(self.counts, 1))[self.trial]

    def padded(self, columns: Sequence[Floats]) -> Floats:
        """Shape (trials, longest, columns), 0 beyond a trial's rows."""
        found = np.zeros((self.trials, int(self.counts.max(initial=0)), len(columns)))
        for number, column in enumerate(columns):
            found[self.trial, self.place, number] = column
        return found


@dataclass(frozen=True, eq=False)
class Fits:
    """A contrast in every trial, each of shape (trials,); `plain` says where the numbers can be relied on."""

    estimate: Floats
    std_error: Floats
    dof: Floats
    plain: Bools


def fit_each(
    rows: Rows,
    y: Floats,
    columns: Sequence[Floats],
    contrast: Floats,
    *,
    variance: str,
    dof: str,
    stratum: Ints | None = None,
    strata: int = 1,
) -> Fits:
    """Fit every trial and read off a contrast.

    Args:
        rows: whose rows they are.
        y: shape (rows,).
        columns: k of shape (rows,), the design; with strata without their intercepts.
        contrast: shape (k,).
        variance: classical, or HC0 to HC3.
        dof: satterthwaite or residual.
        stratum: shape (rows,), codes of strata that are projected out; None where there are none.
        strata: how many codes there are.
    """
    cell = None if stratum is None else rows.trial * strata + stratum
    size = None if cell is None else np.bincount(cell, minlength=rows.trials * strata)
    within = [_within(column, cell, size) for column in columns]
    outcome = rows.centred(y) if cell is None else _within(y, cell, size)
    x = rows.padded(within)
    lengths = np.stack([rows.sums(column**2) for column in columns], axis=1)
    inverse, kept, plain = _inverse_root(np.matmul(x.transpose(0, 2, 1), x), lengths)
    basis = np.matmul(x, inverse)
    left = rows.padded([outcome])[:, :, 0]
    scores = np.einsum("tmk,tm->tk", basis, left)
    residual = left - np.einsum("tmk,tk->tm", basis, scores)
    leverage = np.einsum("tmk,tmk->tm", basis, basis)
    rank = kept.sum(axis=1)
    share = np.zeros_like(leverage)
    if cell is not None and size is not None:
        share[rows.trial, rows.place] = 1 / np.sqrt(size[cell])
        leverage = leverage + share**2
        rank = rank + (size.reshape(rows.trials, strata) > 0).sum(axis=1)
    plain &= (leverage.max(axis=1, initial=0.0) < 1 - _FULL) & (rows.counts > rank)
    plain &= ~((~kept) & (contrast != 0)).any(axis=1)
    direction = np.matmul(inverse.transpose(0, 2, 1), contrast)
    free = np.where(leverage < 1, 1 - leverage, 1.0)
    rows_left = np.maximum(rows.counts - rank, 1)
    residual_dof = rows_left.astype(np.float64)
    if variance == "classical":
        squared = (direction**2).sum(axis=1) * (residual**2).sum(axis=1) / rows_left
        found_dof = residual_dof
    else:
        weight = np.einsum("tmk,tk->tm", basis, direction) * free ** _POWER.get(variance, 0.0)
        factor = rows.counts / rows_left if variance == "HC1" else 1.0
        squared = factor * ((weight * residual) ** 2).sum(axis=1)
        found_dof = residual_dof
        if dof == "satterthwaite":
            found_dof = _satterthwaite(rows, basis, weight**2, leverage, share, cell, strata)
    error = np.sqrt(squared)
    size_of = np.sqrt((direction**2).sum(axis=1)) * np.maximum.reduceat(
        np.concatenate((np.abs(y), [0.0])), np.minimum(np.cumsum(rows.counts) - rows.counts, len(y))
    )
    plain &= (error > _NO_ERROR * size_of) & (found_dof > 0)
    return Fits((direction * scores).sum(axis=1), error, found_dof, plain)


def _within(column: Floats, cell: Ints | None, size: Ints | None) -> Floats:
    """A column less its mean in each stratum of each trial."""
    if cell is None or size is None:
        return column
    means = np.bincount(cell, column, minlength=len(size)) / np.maximum(size, 1)
    return np.asarray(column - means[cell])


def _inverse_root(products: Floats, lengths: Floats) -> tuple[Floats, Bools, Bools]:
    """The inverse of the upper triangle of every trial, the columns kept, and which trials are plain.

    Args:
        products: shape (trials, k, k), X'X of what is left of the columns within strata.
        lengths: shape (trials, k), the squares of the columns as they came.
    """
    trials, k, _ = products.shape
    root, kept = np.zeros_like(products), np.ones((trials, k), dtype=bool)
    plain = np.ones(trials, dtype=bool)
    for place in range(k):
        row = products[:, place, place:].copy()
        if place:
            row -= np.einsum("tp,tpk->tk", root[:, :place, place], root[:, :place, place:])
        own = products[:, place, place]
        kept[:, place] = own > _NOTHING * np.maximum(lengths[:, place], 1e-300)
        plain &= ~kept[:, place] | (row[:, 0] > _DEPENDENT * lengths[:, place])
        pivot = np.where(kept[:, place] & (row[:, 0] > 0), row[:, 0], 1.0)
        root[:, place, place:] = np.where(kept[:, place, None], row / np.sqrt(pivot)[:, None], 0.0)
        root[:, place, place] = np.sqrt(pivot)
    root = np.where(kept[:, :, None] & kept[:, None, :], root, np.eye(k))
    inverse = np.linalg.inv(root)
    return np.where(kept[:, :, None] & kept[:, None, :], inverse, 0.0), kept, plain


def _satterthwaite(
    rows: Rows,
    basis: Floats,
    weight: Floats,
    leverage: Floats,
    share: Floats,
    cell: Ints | None,
    strata: int,
) -> Floats:
    """tr(W)^2 / tr(W^2) of every trial, with W as in `estimation.least_squares.satterthwaite`.

    Where every row is a block, the products of F are weight times leverage, and F'F falls into the part of
    the basis, that of the strata and what is between them.
    """
    norms = weight * leverage
    dense = np.matmul((basis * weight[:, :, None]).transpose(0, 2, 1), basis)
    squared = (dense**2).sum(axis=(1, 2))
    if cell is not None:
        flat = weight[rows.trial, rows.place] * share[rows.trial, rows.place]
        size = rows.trials * strata
        for column in range(basis.shape[2]):
            across = np.bincount(cell, flat * basis[rows.trial, rows.place, column], minlength=size)
            squared += 2 * (across**2).reshape(rows.trials, strata).sum(axis=1)
        own = np.bincount(cell, flat * share[rows.trial, rows.place], minlength=size)
        squared += (own**2).reshape(rows.trials, strata).sum(axis=1)
    trace = weight.sum(axis=1) - norms.sum(axis=1)
    below = (weight**2).sum(axis=1) - 2 * (weight * norms).sum(axis=1) + squared
    return np.asarray(trace**2 / np.where(below > 0, below, np.inf))
