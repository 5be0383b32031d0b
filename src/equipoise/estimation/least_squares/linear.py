"""Least squares with covariances for unequal variances and clusters, and contrasts of its coefficients."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy import linalg, stats

from equipoise.estimation.arrays import (
    Dof,
    Floats,
    Ints,
    codes_of,
    finite,
    finite_columns,
    refuse,
    same_length,
)
from equipoise.estimation.inference import Estimate, JointTest, estimate_from
from equipoise.estimation.least_squares.basis import Absorbed, absorb, orthonormal, within
from equipoise.estimation.least_squares.covariance import (
    BLIND,
    CLUSTERED,
    FULL_LEVERAGE,
    Adjustment,
    Variance,
    adjust,
    check_variance,
    fitted_exactly,
)
from equipoise.estimation.least_squares.satterthwaite import contrast_dof, hotelling_dof

__all__ = ["LinearFit", "fit_linear"]


@dataclass(frozen=True, eq=False)
class LinearFit:
    """A least-squares fit; contrasts and tests are read off it.

    Attributes:
        coefficients: (k,) in the order of the design; NaN where the column was dropped.
        covariance: (k, k) of the coefficients; NaN where dropped.
        residuals: (n,) outcome minus fit.
        leverage: (n,) diagonal of the full design's hat matrix, absorbed strata included.
        uninformative: row numbers with leverage one, such as a singleton stratum.
        dropped: columns that are combinations of earlier ones (or of the strata).
        rank: columns of the full design that count, absorbed strata included.
        variance, dof: the kind of covariance and of degrees of freedom.
        clusters: number of clusters, or None.
        basis: (n, q) orthonormal basis of the columns kept, after absorbing strata and weighting.
        absorbed: the strata projected out, or None.
        blind: (b, q) directions in which residuals are always 0, such as that of an arm of one cluster.
    """

    coefficients: Floats
    covariance: Floats
    residuals: Floats
    leverage: Floats
    uninformative: Ints
    dropped: tuple[int, ...]
    rank: int
    variance: Variance
    dof: Dof
    clusters: int | None
    basis: Floats
    absorbed: Absorbed | None
    blind: Floats
    _scale: float
    _kept: Ints
    _triangle: Floats
    _adjustment: Adjustment | None

    @property
    def rows(self) -> int:
        """People (or rows) analysed."""
        return len(self.residuals)

    @cached_property
    def residual_dof(self) -> int:
        """Rows less rank, or clusters less one."""
        return self.rows - self.rank if self.clusters is None else self.clusters - 1

    def contrast(self, vector: npt.ArrayLike, level: float = 0.95) -> Estimate:
        """A linear combination of the coefficients.

        Args:
            vector: (k,) one weight a column of the design, dropped ones included (with weight 0).
            level: coverage of the interval.
        Returns:
            The estimate, with a t interval on the degrees of freedom the fit was asked for.
        Raises:
            DesignError: a dropped column has weight, or the error cannot be estimated (a cluster or a person
                that the design fits exactly carries weight).
        """
        weights = self._weights(np.atleast_2d(np.asarray(vector, dtype=np.float64)))[0]
        direction = self.direction(vector)
        variance = float(weights @ self._kept_covariance() @ weights)
        if self.variance == "two-way" and not variance > 0:
            raise refuse(
                "variance", "two-way gives a variance below 0 here; choose CR2 by the wider clusters."
            )
        return estimate_from(
            float(weights @ self.coefficients[self._kept]),
            float(np.sqrt(max(variance, 0.0))),
            self._dof_of(direction),
            level,
            scale=self._scale * float(np.linalg.norm(direction)),
        )

    def direction(self, vector: npt.ArrayLike) -> Floats:
        """A contrast in the coordinates of the basis: its estimate is `direction @ basis.T @ outcome`.

        Args:
            vector: (k,) one weight a column of the design.
        Returns:
            (q,) the direction.
        Raises:
            DesignError: as in `contrast`.
        """
        return self._directions(self._weights(np.atleast_2d(np.asarray(vector, dtype=np.float64))))[:, 0]

    def joint_test(self, matrix: npt.ArrayLike) -> JointTest:
        """Wald's test that every row of `matrix`, as a contrast, is 0.

        Args:
            matrix: (q, k) linearly independent contrasts.
        Returns:
            With `residual` degrees of freedom the plain F test; with `satterthwaite` the approximate
            Hotelling test of Pustejovsky & Tipton (2018), which for one contrast is the square of its t test.
        Raises:
            DesignError: contrasts that repeat each other, cannot be estimated, or are too many for the data.
        """
        weights = self._weights(np.atleast_2d(np.asarray(matrix, dtype=np.float64)))
        count = len(weights)
        directions = self._directions(weights)
        if np.linalg.matrix_rank(directions) < count:
            raise refuse(
                "matrix", f"holds {count} contrasts that repeat each other; expected independent ones."
            )
        values = weights @ self.coefficients[self._kept]
        covariance = weights @ self._kept_covariance() @ weights.T
        if np.linalg.matrix_rank(covariance, hermitian=True) < count:
            raise refuse(
                "matrix", f"tests {count} contrasts, more than the data can tell apart; test fewer at once."
            )
        wald = float(values @ np.linalg.solve(covariance, values))
        eta = self._eta(directions)
        left = eta - count + 1 if self.dof == "satterthwaite" and self._adjustment else eta
        if not left > 0:
            raise refuse(
                "matrix", f"tests {count} contrasts with {eta:.1f} degrees of freedom; test fewer at once."
            )
        shrink = left / eta if self.dof == "satterthwaite" and self._adjustment else 1.0
        statistic = wald * shrink / count
        return JointTest(statistic, count, float(left), float(stats.f.sf(statistic, count, left)))

    def _weights(self, matrix: Floats) -> Floats:
        """The contrasts' weights on the columns kept."""
        if matrix.shape[1] != len(self.coefficients):
            raise refuse(
                "contrast",
                f"has {matrix.shape[1]} weights; expected one for each of {len(self.coefficients)} columns.",
            )
        for column in self.dropped:
            if matrix[:, column].any():
                raise refuse(
                    "contrast",
                    f"cannot be estimated: column {column} of the design is fixed by others or by strata.",
                )
        if not matrix.any(axis=1).all():
            raise refuse("contrast", "gives every column the weight 0, so there is nothing to estimate.")
        return matrix[:, self._kept]

    def _directions(self, weights: Floats) -> Floats:
        """(k, q) contrasts in the coordinates of the orthonormal basis; refuses what has no error."""
        directions = linalg.solve_triangular(self._triangle, weights.T, trans="T", check_finite=False)
        if len(self.blind):
            unseen = (self.blind @ directions) ** 2
            if (unseen.sum(axis=0) > BLIND * (directions**2).sum(axis=0)).any():
                unit = "person" if self.clusters is None else "cluster"
                raise fitted_exactly(unit)
        return np.asarray(directions, dtype=np.float64)

    def _kept_covariance(self) -> Floats:
        return self.covariance[np.ix_(self._kept, self._kept)]

    def _dof_of(self, direction: Floats) -> float:
        if self.dof == "residual" or self._adjustment is None:
            return float(self.residual_dof)
        return contrast_dof(self._adjustment, self.basis, self.absorbed, direction)

    def _eta(self, directions: Floats) -> float:
        if self.dof == "residual" or self._adjustment is None:
            return float(self.residual_dof)
        return hotelling_dof(self._adjustment, self.basis, self.absorbed, directions)


def fit_linear(
    outcome: npt.ArrayLike,
    design: npt.ArrayLike,
    *,
    variance: Variance = "HC2",
    strata: npt.ArrayLike | None = None,
    cluster: npt.ArrayLike | None = None,
    dof: Dof = "satterthwaite",
    weights: npt.ArrayLike | None = None,
) -> LinearFit:
    """Least squares of an outcome on a design.

    Args:
        outcome: (n,) in its own unit; NaN is refused, not dropped.
        design: (n, k) with its intercept, unless strata are given.
        variance: `classical`, `HC0` to `HC3`, or with clusters `CR0` to `CR3`.
        strata: (n,) labels whose intercepts are absorbed: the same fit as with a column for each.
        cluster: (n,) labels of clusters.
        dof: `satterthwaite` (Bell & McCaffrey 2002) or `residual` (n - rank; clusters - 1).
        weights: (n,) above 0; variances are taken as inversely proportional to them in adjustments and dof.
    Returns:
        The fit. Leverage is that of the full design: P_strata plus the within part, never the latter alone.
    Raises:
        DesignError: sizes that differ, missing values, nothing left to estimate, CR0 or CR1 where strata hold
            two clusters (they are off by a half there).
    """
    y, x = finite(outcome, "outcome"), finite_columns(design, "design")
    check_variance(variance, clustered=cluster is not None)
    if dof not in ("satterthwaite", "residual"):
        raise refuse("dof", f'is "{dof}"; expected satterthwaite or residual.')
    root = _root_weights(weights, len(y))
    blocks = None if cluster is None else codes_of(cluster, "cluster")[0]
    stratum = None if strata is None else codes_of(strata, "strata")[0]
    same_length(len(y), design=x, strata=stratum, cluster=blocks, weights=root)
    if blocks is not None:
        _check_clusters(variance, blocks, stratum)
    absorbed = None if stratum is None else absorb(stratum, root)
    basis, triangle, kept = orthonormal(x * root[:, None], absorbed)
    residual = within((y * root)[:, None], absorbed)[:, 0]
    scores = basis.T @ residual
    residual = residual - basis @ scores
    rank = basis.shape[1] + (absorbed.count if absorbed else 0)
    if len(y) <= rank:
        raise refuse(
            "design",
            f"has {rank} columns (strata included) for {len(y)} rows; no rows are left for the error.",
        )
    leverage = (basis**2).sum(axis=1) + (absorbed.share**2 if absorbed else 0.0)
    adjustment = (
        None if variance == "classical" else adjust(variance, basis, leverage, absorbed, blocks, rank)
    )
    inner = _inner_covariance(adjustment, residual, len(y) - rank, basis.shape[1])
    coefficients, covariance = _spread(triangle, scores, inner, kept, x.shape[1])
    # One refinement gives back the digits that an outcome far from 0 costs.
    left = within(((y - x[:, kept] @ coefficients[kept]) * root)[:, None], absorbed)[:, 0]
    coefficients[kept] += linalg.solve_triangular(triangle, basis.T @ left, check_finite=False)
    return LinearFit(
        coefficients=coefficients,
        covariance=covariance,
        residuals=residual / root,
        leverage=leverage,
        uninformative=np.flatnonzero(1 - leverage < FULL_LEVERAGE),
        dropped=tuple(int(column) for column in np.setdiff1d(np.arange(x.shape[1]), kept)),
        rank=rank,
        variance=variance,
        dof=dof,
        clusters=None if blocks is None else int(blocks.max()) + 1,
        basis=basis,
        absorbed=absorbed,
        blind=np.empty((0, basis.shape[1])) if adjustment is None else adjustment.blind,
        _scale=float(np.abs(y * root).max()),
        _kept=kept,
        _triangle=triangle,
        _adjustment=adjustment,
    )


def _root_weights(weights: npt.ArrayLike | None, rows: int) -> Floats:
    if weights is None:
        return np.ones(rows)
    given = finite(weights, "weights")
    if (given <= 0).any():
        raise refuse("weights", f"has {int((given <= 0).sum())} weights of 0 or below; leave those rows out.")
    return np.sqrt(given)


def _check_clusters(variance: Variance, cluster: Ints, stratum: Ints | None) -> None:
    """At least two clusters; CR0 and CR1 are refused where a stratum holds just two whole clusters."""
    count = int(cluster.max()) + 1
    if count < 2:
        raise refuse("cluster", "holds one cluster; errors by cluster need at least two.")
    if stratum is None or variance not in CLUSTERED[:2]:
        return
    pairs = np.unique(np.stack((cluster, stratum)), axis=1)
    if pairs.shape[1] == count and (np.bincount(pairs[1]) == 2).any():
        raise refuse("variance", f"{variance} is too small where a stratum holds two clusters; choose CR2.")


def _inner_covariance(adjustment: Adjustment | None, residual: Floats, left: int, columns: int) -> Floats:
    """Covariance of the scores Q'y."""
    if adjustment is None:
        return np.eye(columns) * float(residual @ residual) / left
    weighted = adjustment.adjusted * residual[:, None]
    if adjustment.blocks < len(residual):
        weighted = np.stack([np.bincount(adjustment.block, part) for part in weighted.T], axis=1)
    return np.asarray(adjustment.factor * (weighted.T @ weighted))


def _spread(
    triangle: Floats, scores: Floats, inner: Floats, kept: Ints, columns: int
) -> tuple[Floats, Floats]:
    """Coefficients and covariance in the design's own columns, NaN for the dropped."""
    coefficients, covariance = np.full(columns, np.nan), np.full((columns, columns), np.nan)
    inverse = linalg.solve_triangular(triangle, np.eye(len(kept)), check_finite=False)
    coefficients[kept] = inverse @ scores
    covariance[np.ix_(kept, kept)] = inverse @ inner @ inverse.T
    return coefficients, covariance
