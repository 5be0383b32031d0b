"""Errors for two ways of clustering that cross each other, such as respondents and the names they saw."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from equipoise.estimation.arrays import codes_of, refuse
from equipoise.estimation.least_squares.linear import LinearFit, fit_linear

__all__ = ["fit_two_way"]


def fit_two_way(
    outcome: npt.ArrayLike,
    design: npt.ArrayLike,
    clusters: npt.ArrayLike | None,
    *,
    strata: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
) -> LinearFit:
    """Least squares whose errors may be alike within either of two kinds of cluster.

    Args:
        outcome: (n,) in its own unit; NaN is refused, not dropped.
        design: (n, k) with its intercept, unless strata are given.
        clusters: (n, 2) labels, one column for each way of clustering.
        strata: (n,) labels whose intercepts are absorbed.
        weights: (n,) above 0.
    Returns:
        The fit with covariance V1 + V2 - V12, where V12 clusters by both together. Each part is CR1 with the
        factor of its own number of clusters, G/(G-1) (n-1)/(n-rank); other programs take the smaller number
        for all three. Degrees of freedom: the smaller number of clusters less one. A contrast whose variance
        comes out below 0 is refused, not repaired, since a repair hangs on how columns are written.
    Raises:
        DesignError: not two columns, one cluster alone, or what `fit_linear` refuses with CR1.

    Cameron, Gelbach & Miller (2011), J. Bus. Econ. Stat. 29:238, section 2.
    """
    labels = np.asarray(clusters)
    if labels.ndim != 2 or labels.shape[1] != 2:
        raise refuse("cluster", "two-way errors need two columns of clusters, one for each way.")
    first, second = (codes_of(column, "cluster")[0] for column in labels.T)
    both = first * (int(second.max()) + 1) + second
    one, other, cell = (
        fit_linear(
            outcome, design, variance="CR1", strata=strata, cluster=codes, dof="residual", weights=weights
        )
        for codes in (first, second, both)
    )
    fewest = min((one, other), key=lambda fit: fit.clusters or 0)
    return replace(
        fewest,
        covariance=one.covariance + other.covariance - cell.covariance,
        variance="two-way",
        blind=np.concatenate((one.blind, other.blind)),
    )
