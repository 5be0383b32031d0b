"""Least squares of many trials at once: the estimates, errors and degrees of freedom of `fit_linear`.

What is not plain (columns that repeat others, full leverage, an arm without people) is left to `fit_linear`
itself, trial by trial.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from equipoise.diagnosis.batch.by_cluster import errors_by_cluster
from equipoise.diagnosis.batch.by_row import errors_by_row
from equipoise.diagnosis.batch.factored import Strata, factored
from equipoise.diagnosis.batch.rows import Fits, Rows
from equipoise.estimation.arrays import Floats, Ints
from equipoise.estimation.least_squares.covariance import Variance

__all__ = ["Clusters", "fit_each"]

_NO_ERROR = 1e-9
"""Error beside the outcome's size under which the outcome may not vary: not plain."""


@dataclass(frozen=True, eq=False)
class Clusters:
    """The cluster of each row, shape (rows,), and how many there are."""

    code: Ints
    count: int


def fit_each(
    rows: Rows,
    y: Floats,
    columns: Sequence[Floats],
    contrast: Floats,
    *,
    variance: str,
    dof: str,
    strata: Strata | None = None,
    clusters: Clusters | None = None,
) -> Fits:
    """Fit every trial and read off a contrast.

    Args:
        rows: whose rows they are.
        y: shape (rows,).
        columns: k of shape (rows,), the design; with strata without their intercepts.
        contrast: shape (k,).
        variance: classical, HC0 to HC3; of clusters CR0 to CR3.
        dof: satterthwaite or residual.
        strata: projected out.
        clusters: of the rows, for CR.
    """
    fit = factored(rows, y, columns, contrast, strata)
    if clusters is None:
        squared, freedom, plain = errors_by_row(fit, variance, dof)
    else:
        squared, freedom, plain = errors_by_cluster(
            fit, clusters.code, clusters.count, cast(Variance, variance), dof
        )
    error = np.sqrt(np.maximum(squared, 0.0))
    size = np.sqrt((fit.direction**2).sum(axis=1)) * rows.largest(y)
    plain = plain & fit.plain & (error > _NO_ERROR * size) & (freedom > 0)
    return Fits((fit.direction * fit.scores).sum(axis=1), error, freedom, plain)
