"""A mixed model as fitted: variance components, and contrasts with errors that allow for few clusters."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import linalg

from equipoise.estimation.arrays import (
    Floats,
    Ints,
    codes_of,
    finite,
    finite_columns,
    refuse,
    same_length,
)
from equipoise.estimation.inference import Estimate, JointTest, estimate_from
from equipoise.estimation.least_squares.basis import orthonormal
from equipoise.estimation.mixed.intercepts import random_intercepts
from equipoise.estimation.mixed.joint import by_kenward_roger, by_satterthwaite, enlarged
from equipoise.estimation.mixed.moments import Restricted
from equipoise.estimation.mixed.reml import Covariance, Maximum, NotConverged, maximise

__all__ = ["MixedDof", "MixedFit", "Prepared", "fit_mixed", "fitted_under", "prepare"]

MixedDof = Literal["satterthwaite", "kenward-roger"]
_NO_SPREAD = 1e-12
"""A residual spread below this share of the outcome's size is rounding."""


@dataclass(frozen=True, eq=False)
class MixedFit:
    """A linear mixed model fitted by restricted maximum likelihood; contrasts are read off it.

    Attributes:
        coefficients: (k,) in the order of the design; NaN where the column was dropped.
        parameters: variances (and covariances) by name, in the outcome's unit squared; AR(1)'s correlation is
            a number without unit.
        at_boundary: names of the variances that are exactly 0 because the data want them at or below.
        log_likelihood: restricted, with all its constants; of the outcome in its own unit.
        dropped: columns that are combinations of earlier ones.
        rows: rows analysed.
    """

    coefficients: Floats
    parameters: Mapping[str, float]
    at_boundary: tuple[str, ...]
    log_likelihood: float
    dropped: tuple[int, ...]
    rows: int
    _scale: float
    _kept: Ints
    _triangle: Floats
    _at: Restricted

    def contrast(
        self, vector: npt.ArrayLike, level: float = 0.95, dof: MixedDof = "kenward-roger"
    ) -> Estimate:
        """A linear combination of the coefficients.

        Args:
            vector: (k,) one weight a column of the design, dropped ones included (with weight 0).
            level: coverage of the interval.
            dof: `satterthwaite` keeps the model's standard error; `kenward-roger` enlarges it for the
                variances being estimated.
        Returns:
            The estimate, with a t interval.
        Raises:
            DesignError: a dropped column has weight.

        Kenward & Roger (1997), Biometrics 53:983, eq. 3 for the covariance. For one contrast their scaled F
        has the scale 1 and the degrees of freedom of Giesbrecht & Burns (1985), J. Am. Stat. Assoc. 80:853,
        under the expected information. `satterthwaite` takes the observed information (Fai & Cornelius 1996),
        and the expected one where a variance is 0, since the observed one need not be positive there.
        """
        weights = finite(vector, "vector")
        direction = self._direction(weights[None])[:, 0]
        spread = self._spread(dof)
        leaning = self._at.covariance @ direction
        slope = self._at.slopes @ leaning @ leaning
        plain = float(direction @ leaning)
        freedom = 2 * plain**2 / float(slope @ spread @ slope)
        if dof == "kenward-roger":
            plain += float(enlarged(self._at, leaning[:, None], spread)[0, 0])
        return estimate_from(
            float(weights[self._kept] @ self.coefficients[self._kept]),
            float(np.sqrt(plain)) * self._scale,
            freedom,
            level,
        )

    def joint_test(self, matrix: npt.ArrayLike, dof: MixedDof = "kenward-roger") -> JointTest:
        """The test that several linear combinations of the coefficients are all 0.

        Args:
            matrix: (l, k) a combination a row; none follows from the others.
            dof: as in `contrast`, whose t squared a single row gives.
        Raises:
            DesignError: a dropped column has weight, or combinations that repeat each other.
        """
        directions = self._direction(finite_columns(matrix, "matrix"))
        tested = by_kenward_roger if dof == "kenward-roger" else by_satterthwaite
        return tested(self._at, directions, self._spread(dof))

    def _direction(self, rows: Floats) -> Floats:
        """(k, l) combinations in the coordinates of the basis."""
        if rows.shape[1] != len(self.coefficients):
            raise refuse("vector", f"has {rows.shape[1]} weights; expected {len(self.coefficients)}.")
        if rows[:, list(self.dropped)].any():
            raise refuse("vector", "gives weight to a column that repeats others, so it cannot be estimated.")
        return np.asarray(linalg.solve_triangular(self._triangle.T, rows[:, self._kept].T, lower=True))

    def _spread(self, dof: MixedDof) -> Floats:
        """Covariance of the parameters."""
        certain = dof == "satterthwaite" and not self.at_boundary
        information = self._at.observed if certain else self._at.expected
        return np.asarray(np.linalg.inv(information), dtype=np.float64)

    def rearranged(self, order: Ints) -> "MixedFit":
        """The same fit with the columns of the design in another order.

        Args:
            order: (k,) where each new column stood.
        """
        place = np.argsort(order)
        return replace(
            self,
            coefficients=self.coefficients[order],
            dropped=tuple(sorted(int(place[column]) for column in self.dropped)),
            _kept=place[self._kept],
        )


@dataclass(frozen=True, eq=False)
class Prepared:
    """Rows ready for a likelihood: an orthonormal design, and the outcome with variance 1.

    Attributes:
        columns: (n, k + 1) the basis of the design, and the scaled outcome last.
        scale: standard deviation of the outcome around its least-squares fit.
        width: columns of the design as given.
        kept: which of them are no combination of earlier ones.
        triangle: (k, k) the design is basis times triangle.
    """

    columns: Floats
    scale: float
    width: int
    kept: Ints
    triangle: Floats


def fit_mixed(
    outcome: npt.ArrayLike, design: npt.ArrayLike, intercepts: Mapping[str, npt.ArrayLike]
) -> MixedFit:
    """A linear mixed model with independent random intercepts.

    Args:
        outcome: (n,) in its own unit; NaN is refused, not dropped.
        design: (n, k) fixed effects, with a constant among them where one is wanted.
        intercepts: by name, the label of each row, shape (n,): clusters, people, periods within clusters;
            nested or crossed.
    Returns:
        The fit, with a variance for each name and `residual`.
    Raises:
        DesignError: an outcome that does not vary, intercepts that the data cannot tell apart, or no maximum.

    Laird & Ware (1982), Biometrics 38:963, for the model.
    """
    codes = {name: codes_of(labels, name)[0] for name, labels in intercepts.items()}
    ready = prepare(outcome, design)
    same_length(len(ready.columns), **codes)
    try:
        return fitted_under(random_intercepts(codes, ready.columns), ready)
    except NotConverged:
        raise refuse(
            "intercepts",
            "the likelihood has no maximum that can be found; use fewer intercepts or covariates.",
        ) from None


def prepare(outcome: npt.ArrayLike, design: npt.ArrayLike) -> Prepared:
    """An orthonormal basis of the design, and the outcome scaled to variance 1 around it.

    Raises:
        DesignError: no rows beyond the columns, or an outcome that the design fits exactly.
    """
    y, x = finite(outcome, "outcome"), finite_columns(design, "design")
    same_length(len(y), design=x)
    basis, triangle, kept = orthonormal(x, None)
    left = len(y) - len(kept)
    if left < 1:
        raise refuse("design", f"has {len(kept)} columns for {len(y)} rows; use fewer covariates.")
    residual = y - basis @ (basis.T @ y)
    scale = float(np.sqrt(residual @ residual / left))
    if not scale > _NO_SPREAD * float(np.abs(y).max()):
        raise refuse("outcome", "does not vary around the design, so its error cannot be estimated.")
    return Prepared(np.column_stack((basis, y / scale)), scale, x.shape[1], kept, triangle)


def fitted_under(covariance: Covariance, ready: Prepared) -> MixedFit:
    """The fit under a covariance of the prepared rows.

    Raises:
        NotConverged: no maximum was found.
        DesignError: parameters that the data cannot tell apart.
    """
    best = maximise(covariance)
    units = np.where([name.endswith("correlation") for name in covariance.names], 1.0, ready.scale**2)
    coefficients = np.full(ready.width, np.nan)
    coefficients[ready.kept] = linalg.solve_triangular(ready.triangle, best.at.coefficients) * ready.scale
    return MixedFit(
        coefficients,
        dict(zip(covariance.names, (best.values * units).tolist(), strict=True)),
        _at_boundary(covariance, best),
        _log_likelihood(best, ready),
        tuple(int(column) for column in np.setdiff1d(np.arange(ready.width), ready.kept)),
        len(ready.columns),
        ready.scale,
        ready.kept,
        ready.triangle,
        best.at,
    )


def _at_boundary(covariance: Covariance, best: Maximum) -> tuple[str, ...]:
    held = covariance.nonnegative & (best.values == 0)
    return tuple(name for name, zero in zip(covariance.names, held, strict=True) if zero)


def _log_likelihood(best: Maximum, ready: Prepared) -> float:
    """In the outcome's own unit and for the design as given, as other programs print it."""
    left = len(ready.columns) - len(ready.kept)
    turned = float(np.log(np.abs(np.diagonal(ready.triangle))).sum())
    constant = left * (np.log(2 * np.pi) / 2 + np.log(ready.scale)) + turned
    return float(best.at.log_likelihood - constant)
