"""Logistic and Poisson regression as checks on the linear model: average marginal effects, robust errors.

Both use their canonical link, so the mean need only be right on average: the covariance is the sandwich, and
the effect is the average over everyone of their fitted mean in one arm less that in another.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Unpack

import numpy as np
import numpy.typing as npt
from scipy import special

from equipoise.estimation.arrays import Floats, codes_of, finite, refuse, same_length
from equipoise.estimation.inference import Estimate
from equipoise.estimation.likelihood.marginal_means import MarginalMeans
from equipoise.estimation.likelihood.named_design import NamedDesign, named_design
from equipoise.estimation.likelihood.null_scores import NullScores
from equipoise.estimation.likelihood.sandwich import LikelihoodOptions, Robust, robust_kind, sandwich
from equipoise.estimation.likelihood.separation import separation_error

__all__ = [
    "logistic_effect",
    "logistic_means",
    "logistic_scores",
    "poisson_effect",
    "poisson_means",
    "poisson_scores",
]

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


def logistic_means(
    outcome: npt.ArrayLike,
    arm: npt.ArrayLike,
    *,
    covariates: npt.ArrayLike | None = None,
    strata: npt.ArrayLike | None = None,
    cluster: npt.ArrayLike | None = None,
    variance: Robust | None = None,
    arm_names: Sequence[str] | None = None,
    covariate_names: Sequence[str] | None = None,
) -> MarginalMeans:
    """Probabilities by arm, averaged over everyone, from a logistic regression.

    Args:
        outcome: (n,) 0 or 1.
        arm: (n,) codes from 0.
        covariates: (n, p) measured before allocation.
        strata: (n,) labels, entered as columns.
        cluster: (n,) labels.
        variance: `HC1` (default) or `HC0`, with clusters `CR1` (default) or `CR0`.
        arm_names, covariate_names: for messages; p names of the covariates' columns.
    Returns:
        The probabilities and their delta-method covariance, from which differences and ratios follow.
    Raises:
        DesignError: an outcome other than 0 and 1, or one that is predicted perfectly: what by is named.
    """
    y = finite(outcome, "outcome")
    if not np.isin(y, (0.0, 1.0)).all():
        raise refuse("outcome", f"holds {y[~np.isin(y, (0.0, 1.0))][0]:g}; a logistic model needs 0 and 1.")
    design = _named(y, arm, covariates, strata, arm_names, covariate_names)
    return _means(_LOGISTIC, y, design, cluster, variance, arm_names)


def poisson_means(
    outcome: npt.ArrayLike,
    arm: npt.ArrayLike,
    *,
    covariates: npt.ArrayLike | None = None,
    strata: npt.ArrayLike | None = None,
    cluster: npt.ArrayLike | None = None,
    variance: Robust | None = None,
    arm_names: Sequence[str] | None = None,
    covariate_names: Sequence[str] | None = None,
) -> MarginalMeans:
    """Expected counts by arm, averaged over everyone, by Poisson pseudo-likelihood.

    Args:
        outcome: (n,) 0 or above; counts need not be Poisson, nor whole.
        arm, covariates, strata, cluster, variance, arm_names, covariate_names: as in `logistic_means`.
    Returns:
        The expected counts and their delta-method covariance.
    Raises:
        DesignError: a negative outcome, or an arm or a level in which all are 0: it is named.

    Wooldridge (2010), Econometric Analysis of Cross Section and Panel Data, ch. 18.2.
    """
    y = finite(outcome, "outcome")
    if (y < 0).any():
        raise refuse("outcome", f"holds {y.min():g}; a Poisson model needs counts of 0 or above.")
    design = _named(y, arm, covariates, strata, arm_names, covariate_names)
    return _means(_POISSON, y, design, cluster, variance, arm_names)


def logistic_scores(y: Floats, covariates: Floats | None, strata: npt.ArrayLike | None) -> NullScores:
    """The scores of a logistic regression on covariates and strata, without the arms.

    Args:
        y: (n,) 0 or 1.
        covariates: (n, p), or None.
        strata: (n,) labels, or None.
    Raises:
        DesignError: an outcome that covariates or strata predict perfectly.
    """
    return _null_scores(_LOGISTIC, y, covariates, strata)


def poisson_scores(y: Floats, covariates: Floats | None, strata: npt.ArrayLike | None) -> NullScores:
    """The scores of a Poisson regression without the arms: arguments and errors as in `logistic_scores`."""
    return _null_scores(_POISSON, y, covariates, strata)


def logistic_effect(
    outcome: npt.ArrayLike,
    arm: npt.ArrayLike,
    contrast: npt.ArrayLike,
    *,
    level: float = 0.95,
    **design: Unpack[LikelihoodOptions],
) -> Estimate:
    """Difference in probability between arms, averaged over everyone, from a logistic regression.

    Args:
        outcome, arm: as in `logistic_means`.
        contrast: one weight an arm, adding up to 0.
        level: coverage of the interval, on the normal distribution.
        design: the further arguments of `logistic_means`.
    Returns:
        The average marginal effect and its delta-method error, covariates taken as fixed.
    Raises:
        DesignError: as in `logistic_means`, or an arm compared has nobody.

    Freedman (2008), Statistical Science 23:237, on why the coefficient itself is not reported.
    """
    return logistic_means(outcome, arm, **design).contrast(contrast, level)


def poisson_effect(
    outcome: npt.ArrayLike,
    arm: npt.ArrayLike,
    contrast: npt.ArrayLike,
    *,
    level: float = 0.95,
    **design: Unpack[LikelihoodOptions],
) -> Estimate:
    """Difference in the expected count between arms, averaged over everyone, by Poisson pseudo-likelihood.

    Args:
        outcome, arm: as in `poisson_means`.
        contrast, level, design: as in `logistic_effect`.
    Returns:
        The average marginal effect and its delta-method error.
    Raises:
        DesignError: as in `poisson_means`, or an arm compared has nobody.
    """
    return poisson_means(outcome, arm, **design).contrast(contrast, level)


def _named(
    y: Floats,
    arm: npt.ArrayLike,
    covariates: npt.ArrayLike | None,
    strata: npt.ArrayLike | None,
    arm_names: Sequence[str] | None,
    covariate_names: Sequence[str] | None,
) -> NamedDesign:
    codes = np.asarray(arm, dtype=np.int64)
    same_length(len(y), arm=codes)
    return named_design(codes, covariates, strata, arm_names, covariate_names)


def _means(
    family: _Family,
    y: Floats,
    design: NamedDesign,
    cluster: npt.ArrayLike | None,
    variance: Robust | None,
    arm_names: Sequence[str] | None,
) -> MarginalMeans:
    blocks = None if cluster is None else codes_of(cluster, "cluster")[0]
    same_length(len(y), cluster=blocks)
    kind = robust_kind(variance, blocks)
    beta = _maximise(family, y, design)
    eta = design.matrix @ beta
    information = design.matrix.T @ (design.matrix * family.slope(eta)[:, None])
    bread = np.asarray(np.linalg.inv(information), dtype=np.float64)
    covariance = sandwich(bread, design.matrix * (y - family.mean(eta))[:, None], kind, blocks)
    means, gradients = [], []
    for place in range(len(design.arms)):
        moved = design.moved(place)
        means.append(float(family.mean(moved @ beta).mean()))
        gradients.append(family.slope(moved @ beta) @ moved / len(y))
    gradient = np.array(gradients)
    scale = float(np.abs(y).max())
    return MarginalMeans(design.arms, np.array(means), gradient @ covariance @ gradient.T, scale, arm_names)


def _null_scores(
    family: _Family, y: Floats, covariates: Floats | None, strata: npt.ArrayLike | None
) -> NullScores:
    design = _named(y, np.zeros(len(y), dtype=np.int64), covariates, strata, None, None)
    eta = design.matrix @ _maximise(family, y, design)
    residual = y - family.mean(eta)
    cross = design.matrix * family.slope(eta)[:, None]
    bread = np.asarray(np.linalg.inv(design.matrix.T @ cross), dtype=np.float64)
    return NullScores(residual, design.matrix * residual[:, None], cross, bread)


def _maximise(family: _Family, y: Floats, named: NamedDesign) -> Floats:
    """Newton's method with halved steps; the likelihood of a canonical link is concave."""
    design = named.matrix
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
    high = y > 0 if family is _LOGISTIC else np.zeros(len(y), dtype=bool)
    raise separation_error(named, y == 0, high, family.name)


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
