"""Errors of clusters: CR0 to CR3, with their degrees of freedom, from the products of each cluster alone.

With Q the full orthonormal basis (strata among its columns) and M = Q'Q over the rows of a cluster, the
adjustment of the cluster acts through M: the weights of its rows are p = Q w with w = z + V C V' M z, where
V are the eigenvectors of M and C the correction of its eigenvalues. Then the score of the cluster is w'Q'e,
its p'p is w'Mw, and its row of F is w'M (Bell & McCaffrey 2002; see `estimation.least_squares.covariance`).
"""

import numpy as np

from equipoise.diagnosis.batch.factored import Factored
from equipoise.estimation.arrays import Bools, Floats, Ints
from equipoise.estimation.least_squares.covariance import Variance, correction

__all__ = ["errors_by_cluster"]

_FULL = 1e-7
_FEWEST_DOF = 10
"""Under this an analysis may test by re-drawing the allocation instead: not plain."""


def errors_by_cluster(
    fit: Factored, cluster: Ints, count: int, variance: Variance, dof: str
) -> tuple[Floats, Floats, Bools]:
    """The variance and the degrees of freedom of every trial's contrast, and where they are plain.

    Args:
        fit: the designs, with their contrast.
        cluster: shape (rows,), the cluster of each row, from 0 to `count` - 1.
        count: how many clusters there are.
        variance: CR0 to CR3.
        dof: satterthwaite or residual.
    """
    rows = fit.rows
    columns = _full_basis(fit)
    direction = np.zeros((rows.trials, columns.shape[1]))
    direction[:, : fit.direction.shape[1]] = fit.direction
    cell = rows.trial * count + cluster
    products, scores = _by_cell(columns, fit.residual[rows.trial, rows.place], cell, rows.trials * count)
    products = products.reshape(rows.trials, count, *products.shape[1:])
    scores = scores.reshape(rows.trials, count, -1)
    many = (np.bincount(cell, minlength=rows.trials * count).reshape(rows.trials, count) > 0).sum(axis=1)
    weight, plain = _adjusted(products, direction, variance)
    factor = np.ones(rows.trials)
    if variance == "CR1":
        factor = many / np.maximum(many - 1, 1) * (rows.counts - 1) / np.maximum(rows.counts - fit.rank, 1)
    squared = factor * (np.einsum("tgk,tgk->tg", weight, scores) ** 2).sum(axis=1)
    plain &= many > 1
    if dof == "residual":
        return squared, (many - 1).astype(np.float64), plain
    found = _satterthwaite(np.einsum("tgk,tgkl->tgl", weight, products), weight)
    return squared, found, plain & (found >= _FEWEST_DOF)


def _full_basis(fit: Factored) -> Floats:
    """The basis of every row with a column for each stratum, shape (rows, k + strata)."""
    rows = fit.rows
    dense = fit.basis[rows.trial, rows.place]
    if fit.strata is None:
        return dense
    share = fit.share[rows.trial, rows.place]
    own = share[:, None] * (fit.strata.code[:, None] == np.arange(fit.strata.count))
    return np.concatenate((dense, own), axis=1)


def _by_cell(columns: Floats, residual: Floats, cell: Ints, cells: int) -> tuple[Floats, Floats]:
    """For every cluster of every trial its products Q'Q, and Q'e."""
    order = np.argsort(cell, kind="stable")
    sizes = np.bincount(cell, minlength=cells)
    place = np.arange(len(cell)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    padded = np.zeros((cells, int(sizes.max(initial=1)), columns.shape[1] + 1))
    padded[cell[order], place] = np.concatenate((columns, residual[:, None]), axis=1)[order]
    products = np.matmul(padded.transpose(0, 2, 1), padded)
    return products[:, :-1, :-1], products[:, :-1, -1]


def _adjusted(products: Floats, direction: Floats, variance: Variance) -> tuple[Floats, Bools]:
    """The weights w of every cluster, shape (trials, clusters, columns), and which trials are plain."""
    shape = (*products.shape[:2], direction.shape[1])
    weight = np.broadcast_to(direction[:, None, :], shape)
    if variance in ("CR0", "CR1"):
        return weight, np.ones(len(products), dtype=bool)
    share, vectors = np.linalg.eigh(products)
    free = np.clip(1 - share, 0.0, 1.0)
    plain = free.min(axis=(1, 2)) > _FULL
    towards = np.einsum("tgkl,tk->tgl", vectors, direction) * share
    change = np.einsum("tgkl,tgl->tgk", vectors, correction(variance, free, free <= _FULL) * towards)
    return weight + change, plain


def _satterthwaite(rows_of_f: Floats, weight: Floats) -> Floats:
    """tr(W)^2 / tr(W^2), with rows w'M of F, shape (trials, clusters, columns)."""
    own = np.einsum("tgk,tgk->tg", rows_of_f, weight)
    norms = np.einsum("tgk,tgk->tg", rows_of_f, rows_of_f)
    dense = np.matmul(rows_of_f.transpose(0, 2, 1), rows_of_f)
    below = (own**2).sum(axis=1) - 2 * (own * norms).sum(axis=1) + (dense**2).sum(axis=(1, 2))
    trace = (own - norms).sum(axis=1)
    return np.asarray(trace**2 / np.where(below > 0, below, np.inf))
