"""Logistic and Poisson regression as checks on the linear model: average marginal effects, robust errors.

Both use their canonical link, so the mean need only be right on average: the covariance is the sandwich, and
the effect is the average over everyone of their fitted mean in one arm less that in another.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import special

from equipoise.errors import nearest
from equipoise.estimation.arrays import (
    Dof,
    Floats,
    Ints,
    arms_compared,
    codes_of,
    contrast_weights,
    finite,
    finite_columns,
    name_of,
    refuse,
    same_length,
)
from equipoise.estimation.inference import Estimate, estimate_from
from equipoise.estimation.least_squares.linear import fit_linear

__all__ = ["logistic_effect", "poisson_effect"]

Robust = Literal["HC0", "HC1", "CR0", "CR1"]
_ROUNDS = 100
_CONVERGED = 1e-9
"""Change of the linear predictor after which Newton's next step is below rounding."""
_DIVERGED = 30.0
"""A linear predictor this far out means a fitted rate of 0 or 1: the estimate does not exist."""


@dataclass(frozen=True)
class _Family:
    name: str
    mean: Callable[[Floats], Floats]
    slope: Callable[[Floats], Floats]
    cumulant: Callable[[Floats], Floats]
    link: Callable[[Floats], Floats]


_LOGISTIC = _Family(
    "logistic",
    special.expit,
    lambda eta: special.expit(eta) * special.expit(-eta),
    lambda eta: np.logaddexp(0.0, eta),
    lambda y: np.log((y + 0.5) / (1.5 - y)),
)
_POISSON = _Family("Poisson", np.exp, np.exp, np.exp, lambda y: np.log(y + 0.5))


def logistic_effect(
    outcome: npt.ArrayLike,
    arm: npt.ArrayLike,
    contrast: npt.ArrayLike,
    *,
    covariates: npt.ArrayLike | None = None,
    strata: npt.ArrayLike | None = None,
    cluster: npt.ArrayLike | None = None,
    variance: Robust | None = None,
    dof: Dof = "residual",
    level: float = 0.95,
    arm_names: Sequence[str] | None = None,
) -> Estimate:
    """Difference in probability between arms, averaged over everyone, from a logistic regression.

    Args:
        outcome: (n,) 0 or 1.
        arm: (n,) codes from 0.
        contrast: one weight an arm, adding up to 0.
        covariates: (n, p) measured before allocation.
        strata: (n,) labels, entered as columns.
        cluster: (n,) labels.
        variance: `HC1` (default) or `HC0`, with clusters `CR1` (default) or `CR0`.
        dof: only `residual` is known; the reference is the normal.
        level: coverage of the interval.
        arm_names: for messages.
    Returns:
        The average marginal effect and its delta-method error, covariates taken as fixed.
    Raises:
        DesignError: an outcome other than 0 and 1, or one that an arm or a covariate predicts perfectly.

    Freedman (2008), Statistical Science 23:237, on why the coefficient itself is not reported.
    """
    y = finite(outcome, "outcome")
    if not np.isin(y, (0.0, 1.0)).all():
        raise refuse("outcome", f"holds {y[~np.isin(y, (0.0, 1.0))][0]:g}; a logistic model needs 0 and 1.")
    return _effect(_LOGISTIC, y, arm, contrast, covariates, strata, cluster, variance, level, arm_names)


def poisson_effect(
    outcome: npt.ArrayLike,
    arm: npt.ArrayLike,
    contrast: npt.ArrayLike,
    *,
    covariates: npt.ArrayLike | None = None,
    strata: npt.ArrayLike | None = None,
    cluster: npt.ArrayLike | None = None,
    variance: Robust | None = None,
    dof: Dof = "residual",
    level: float = 0.95,
    arm_names: Sequence[str] | None = None,
) -> Estimate:
    """Difference in the expected count between arms, averaged over everyone, by Poisson pseudo-likelihood.

    Args:
        outcome: (n,) 0 or above; counts need not be Poisson, nor whole.
        arm, contrast, covariates, strata, cluster, variance, dof, level, arm_names: as in `logistic_effect`.
    Returns:
        The average marginal effect and its delta-method error.
    Raises:
        DesignError: a negative outcome, or an arm compared in which all are 0.

    Wooldridge (2010), Econometric Analysis of Cross Section and Panel Data, ch. 18.2.
    """
    y = finite(outcome, "outcome")
    if (y < 0).any():
        raise refuse("outcome", f"holds {y.min():g}; a Poisson model needs counts of 0 or above.")
    return _effect(_POISSON, y, arm, contrast, covariates, strata, cluster, variance, level, arm_names)


def _effect(
    family: _Family,
    y: Floats,
    arm: npt.ArrayLike,
    contrast: npt.ArrayLike,
    covariates: npt.ArrayLike | None,
    strata: npt.ArrayLike | None,
    cluster: npt.ArrayLike | None,
    variance: Robust | None,
    level: float,
    arm_names: Sequence[str] | None,
) -> Estimate:
    codes = np.asarray(arm, dtype=np.int64)
    same_length(len(y), arm=codes)
    weights = contrast_weights(contrast, codes)
    blocks = None if cluster is None else codes_of(cluster, "cluster")[0]
    same_length(len(y), cluster=blocks)
    kind = _kind(variance, blocks)
    for code in arms_compared(weights):
        if not (codes == code).any():
            raise refuse("arm", f"{name_of(code, arm_names, 'arm')} has nobody with an outcome to compare.")
    present = np.flatnonzero(np.bincount(codes, minlength=len(weights)))
    design = _design(y, codes, present, covariates, strata)
    beta = _maximise(family, y, design)
    covariance = _sandwich(family, y, design, beta, kind, blocks)
    estimate, gradient = 0.0, np.zeros(len(beta))
    for position, code in enumerate(present.tolist()):
        moved = design.copy()
        moved[:, : len(present)] = np.arange(len(present)) == position
        eta = moved @ beta
        estimate += weights[code] * float(family.mean(eta).mean())
        gradient += weights[code] * (family.slope(eta) @ moved) / len(y)
    error = float(np.sqrt(gradient @ covariance @ gradient))
    return estimate_from(estimate, error, np.inf, level, scale=float(np.abs(y).max()))


def _kind(variance: Robust | None, cluster: Ints | None) -> Robust:
    allowed = ("HC1", "HC0") if cluster is None else ("CR1", "CR0")
    kind = variance or allowed[0]
    if kind not in allowed:
        raise refuse("variance", f'is "{kind}"; expected one of {nearest(kind, allowed)}')
    return kind  # type: ignore[return-value]


def _design(
    y: Floats, arm: Ints, present: Ints, covariates: npt.ArrayLike | None, strata: npt.ArrayLike | None
) -> Floats:
    """Arms, covariates on a common scale, stratum columns; less those that repeat earlier ones."""
    parts = [(arm[:, None] == present).astype(np.float64)]
    if covariates is not None:
        columns = finite_columns(covariates, "covariates")
        same_length(len(y), covariates=columns)
        spread = columns.std(axis=0)
        parts.append((columns - columns.mean(axis=0)) / np.where(spread > 0, spread, 1.0))
    if strata is not None:
        stratum, labels = codes_of(strata, "strata")
        same_length(len(y), strata=stratum)
        parts.append((stratum[:, None] == np.arange(1, len(labels))).astype(np.float64))
    design = np.concatenate(parts, axis=1)
    return np.delete(design, fit_linear(y, design, variance="classical").dropped, axis=1)


def _maximise(family: _Family, y: Floats, design: Floats) -> Floats:
    """Newton's method with halved steps; the likelihood of a canonical link is concave."""
    beta = np.asarray(np.linalg.lstsq(design, family.link(y), rcond=None)[0])
    for _ in range(_ROUNDS):
        eta = design @ beta
        slope = family.slope(eta)
        try:
            score = design.T @ (y - family.mean(eta))
            step = np.asarray(np.linalg.solve(design.T @ (design * slope[:, None]), score), dtype=np.float64)
        except np.linalg.LinAlgError:
            break
        step = _shortened(family, y, design, beta, step)
        beta = beta + step
        if np.abs(design @ beta).max() > _DIVERGED:
            break
        if np.abs(design @ step).max() < _CONVERGED:
            return beta
    raise refuse(
        "outcome",
        f"is predicted perfectly for some people (an arm or level where all answer alike), so a "
        f"{family.name} model has no estimate; the linear model has one.",
    )


def _shortened(family: _Family, y: Floats, design: Floats, beta: Floats, step: Floats) -> Floats:
    def likelihood(at: Floats) -> float:
        eta = np.clip(design @ at, -700.0, 700.0)
        return float(y @ eta - family.cumulant(eta).sum())

    before = likelihood(beta)
    for _ in range(30):
        if likelihood(beta + step) >= before - 1e-10 * abs(before):
            break
        step = step / 2
    return step


def _sandwich(
    family: _Family, y: Floats, design: Floats, beta: Floats, kind: Robust, cluster: Ints | None
) -> Floats:
    eta = design @ beta
    bread = np.linalg.inv(design.T @ (design * family.slope(eta)[:, None]))
    scores = design * (y - family.mean(eta))[:, None]
    rows, columns = design.shape
    factor = 1.0
    if cluster is not None:
        blocks = int(cluster.max()) + 1
        if blocks < 2:
            raise refuse("cluster", "holds one cluster; errors by cluster need at least two.")
        scores = np.stack([np.bincount(cluster, column) for column in scores.T], axis=1)
        factor = blocks / (blocks - 1) * (rows - 1) / (rows - columns)
    elif kind == "HC1":
        factor = rows / (rows - columns)
    meat = scores.T @ scores * (factor if kind.endswith("1") else 1.0)
    return np.asarray(bread @ meat @ bread)
