"""The orthonormal basis of the designs of many trials, strata projected out, and what it leaves over."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from equipoise.diagnosis.batch.rows import Rows
from equipoise.estimation.arrays import Bools, Floats, Ints

__all__ = ["Factored", "Strata", "factored"]

_NOTHING = 1e-20
"""Share of a column's squares under which it has no part of its own: it is dropped, as `fit_linear` does."""
_DEPENDENT = 1e-9
"""Share under which it may be a combination of others: not plain."""


@dataclass(frozen=True, eq=False)
class Strata:
    """Strata that are projected out: the code of each row, shape (rows,), and how many there are."""

    rows: Rows
    code: Ints
    count: int

    @property
    def cell(self) -> Ints:
        """Trial and stratum of each row as one number."""
        return self.rows.trial * self.count + self.code

    def sums(self, values: Floats | None = None) -> Floats:
        """Sums (or rows) by trial and stratum, shape (trials * strata,)."""
        return np.bincount(self.cell, values, minlength=self.rows.trials * self.count).astype(np.float64)

    def within(self, column: Floats) -> Floats:
        """A column less its mean in each stratum of each trial."""
        cell = self.cell
        return np.asarray(column - (self.sums(column) / np.maximum(self.sums(), 1))[cell])


@dataclass(frozen=True, eq=False)
class Factored:
    """Designs of many trials, rows padded to the longest trial.

    Attributes:
        basis: shape (trials, longest, k), 0 beyond a trial's rows and in columns that were dropped.
        scores: shape (trials, k), the basis by the outcome.
        residual: shape (trials, longest).
        share: shape (trials, longest), 1 over the root of the rows of the row's stratum; 0 without strata.
        direction: shape (trials, k), the contrast in the coordinates of the basis.
        rank: shape (trials,), columns that count, strata included.
        plain: shape (trials,), where no column repeats others and the contrast can be told.
        strata: projected out, or None.
    """

    rows: Rows
    basis: Floats
    scores: Floats
    residual: Floats
    share: Floats
    direction: Floats
    rank: Ints
    plain: Bools
    strata: Strata | None


def factored(
    rows: Rows, y: Floats, columns: Sequence[Floats], contrast: Floats, strata: Strata | None
) -> Factored:
    """Factor the design of every trial.

    Args:
        rows: whose rows they are.
        y: shape (rows,).
        columns: k of shape (rows,), the design; with strata without their intercepts.
        contrast: shape (k,).
        strata: to project out.
    """
    within = columns if strata is None else [strata.within(column) for column in columns]
    x = rows.padded(within)
    lengths = np.stack([rows.sums(column**2) for column in columns], axis=1)
    inverse, kept, plain = _inverse_root(np.matmul(x.transpose(0, 2, 1), x), lengths)
    basis = np.matmul(x, inverse)
    outcome = rows.padded([rows.centred(y) if strata is None else strata.within(y)])[:, :, 0]
    scores = np.einsum("tmk,tm->tk", basis, outcome)
    rank, share = kept.sum(axis=1), np.zeros(outcome.shape)
    if strata is not None:
        sizes = strata.sums()
        share[rows.trial, rows.place] = 1 / np.sqrt(sizes[strata.cell])
        rank = rank + (sizes.reshape(rows.trials, strata.count) > 0).sum(axis=1)
    return Factored(
        rows=rows,
        basis=basis,
        scores=scores,
        residual=outcome - np.einsum("tmk,tk->tm", basis, scores),
        share=share,
        direction=np.matmul(inverse.transpose(0, 2, 1), contrast),
        rank=rank,
        plain=plain & (rows.counts > rank) & ~((~kept) & (contrast != 0)).any(axis=1),
        strata=strata,
    )


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
        kept[:, place] = products[:, place, place] > _NOTHING * np.maximum(lengths[:, place], 1e-300)
        plain &= ~kept[:, place] | (row[:, 0] > _DEPENDENT * lengths[:, place])
        pivot = np.where(kept[:, place] & (row[:, 0] > 0), row[:, 0], 1.0)
        root[:, place, place:] = np.where(kept[:, place, None], row / np.sqrt(pivot)[:, None], 0.0)
        root[:, place, place] = np.sqrt(pivot)
    both = kept[:, :, None] & kept[:, None, :]
    inverse = np.linalg.inv(np.where(both, root, np.eye(k)))
    return np.where(both, inverse, 0.0), kept, plain
