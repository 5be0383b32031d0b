"""Errors that take rows as independent: classical, and HC0 to HC3, with their degrees of freedom."""

import numpy as np

from equipoise.diagnosis.batch.factored import Factored
from equipoise.estimation.arrays import Bools, Floats

__all__ = ["errors_by_row"]

_FULL = 1e-7
"""One less a leverage under which a row may be fitted exactly: not plain."""
_POWER = {"HC2": -0.5, "HC3": -1.0}


def errors_by_row(fit: Factored, variance: str, dof: str) -> tuple[Floats, Floats, Bools]:
    """The variance and the degrees of freedom of every trial's contrast, and where they are plain.

    Args:
        fit: the designs, with their contrast.
        variance: classical, or HC0 to HC3.
        dof: satterthwaite or residual.
    """
    leverage = np.einsum("tmk,tmk->tm", fit.basis, fit.basis) + fit.share**2
    plain = leverage.max(axis=1, initial=0.0) < 1 - _FULL
    left = np.maximum(fit.rows.counts - fit.rank, 1)
    if variance == "classical":
        squared = (fit.direction**2).sum(axis=1) * (fit.residual**2).sum(axis=1) / left
        return squared, left.astype(np.float64), plain
    free = np.where(leverage < 1, 1 - leverage, 1.0)
    weight = np.einsum("tmk,tk->tm", fit.basis, fit.direction) * free ** _POWER.get(variance, 0.0)
    factor = fit.rows.counts / left if variance == "HC1" else 1.0
    squared = factor * ((weight * fit.residual) ** 2).sum(axis=1)
    if dof == "residual":
        return squared, left.astype(np.float64), plain
    return squared, _satterthwaite(fit, weight**2, leverage), plain


def _satterthwaite(fit: Factored, weight: Floats, leverage: Floats) -> Floats:
    """tr(W)^2 / tr(W^2) of every trial, with W as in `estimation.least_squares.satterthwaite`.

    Where every row is a block, the products of F are weight times leverage, and F'F falls into the part of
    the basis, that of the strata and what is between them.
    """
    rows, strata = fit.rows, fit.strata
    norms = weight * leverage
    dense = np.matmul((fit.basis * weight[:, :, None]).transpose(0, 2, 1), fit.basis)
    squared = (dense**2).sum(axis=(1, 2))
    if strata is not None:
        shape = (rows.trials, strata.count)
        shared = (weight * fit.share)[rows.trial, rows.place]
        for column in range(fit.basis.shape[2]):
            across = strata.sums(shared * fit.basis[rows.trial, rows.place, column])
            squared += 2 * (across**2).reshape(shape).sum(axis=1)
        own = strata.sums(shared * fit.share[rows.trial, rows.place])
        squared += (own**2).reshape(shape).sum(axis=1)
    trace = weight.sum(axis=1) - norms.sum(axis=1)
    below = (weight**2).sum(axis=1) - 2 * (weight * norms).sum(axis=1) + squared
    return np.asarray(trace**2 / np.where(below > 0, below, np.inf))
