"""Differences in means of many trials at once: the numbers of `difference_in_means`."""

import numpy as np

from equipoise.diagnosis.batch.rows import Fits, Rows
from equipoise.estimation.arrays import Floats, Ints

__all__ = ["means_of_each"]

_NO_ERROR = 1e-9


def means_of_each(
    rows: Rows,
    y: Floats,
    arm: Ints,
    contrast: Floats,
    *,
    stratum: Ints | None = None,
    share: Floats | None = None,
) -> Fits:
    """A contrast of arm means in every trial, with Neyman's variance.

    Args:
        rows: whose rows they are.
        y, arm: shape (rows,); the codes of arms go by the contrast.
        contrast: shape (arms,).
        stratum: shape (rows,), codes; None without strata.
        share: shape (strata,), how much each stratum counts.
    """
    compared = np.flatnonzero(contrast)
    shares = np.ones(1) if share is None else share
    strata, arms = len(shares), len(contrast)
    cell = (rows.trial * strata + (0 if stratum is None else stratum)) * arms + arm
    shape = (rows.trials, strata, arms)
    counts = np.bincount(cell, minlength=int(np.prod(shape)))
    safe = np.maximum(counts, 1)
    means = np.bincount(cell, y, minlength=len(counts)) / safe
    squares = np.bincount(cell, (y - means[cell]) ** 2, minlength=len(counts))
    variances = (squares / np.maximum(counts - 1, 1)).reshape(shape)[:, :, compared]
    many, mean = counts.reshape(shape)[:, :, compared], means.reshape(shape)[:, :, compared]
    plain = (many >= 2).all(axis=(1, 2))
    terms = (shares[None, :, None] * contrast[compared]) ** 2 * variances / np.maximum(many, 1)
    squared = terms.sum(axis=(1, 2))
    freedom = many.sum(axis=(1, 2)).astype(np.float64) - many.shape[1] * many.shape[2]
    if stratum is None:
        below = (terms**2 / np.maximum(many - 1, 1)).sum(axis=(1, 2))
        freedom = np.where(below > 0, squared**2 / np.where(below > 0, below, 1.0), freedom)
    estimate = (mean @ contrast[compared]) @ shares
    error = np.sqrt(squared)
    plain &= (error > _NO_ERROR * np.abs(y).max(initial=0.0)) & (freedom > 0)
    return Fits(estimate, error, freedom, plain)
