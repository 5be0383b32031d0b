"""One variable drawn given others: by regression with its own uncertainty, never the best guess.

Each function takes the rows on which the variable is known and gives draws for the rows on which it is not.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

from equipoise.estimation.arrays import Bools, Floats, Ints
from equipoise.estimation.least_squares.basis import orthonormal

__all__ = [
    "DRAWS",
    "PRIOR_SD",
    "Kind",
    "Predictors",
    "draw_logistic",
    "draw_matching",
    "draw_normal",
    "nearest",
    "predictors",
]

Kind = Literal["matching", "normal", "logistic"]
DONORS = 5
PRIOR_SD = 5.0
"""Standard deviation of a slope a priori, in log-odds per standard deviation of its predictor."""
_FLAT = 0.02
"""What the intercept counts as varying by: its prior has a standard deviation of 250 log-odds."""
_ROUNDS = 50
_CONVERGED = 1e-8


@dataclass(frozen=True, eq=False)
class Predictors:
    """Predictors without columns that repeat others among those who are known.

    Attributes:
        known: (n, p) where the variable is known, an intercept first.
        wanted: (k, p) where it is not.
        basis, triangle: the QR of `known`.
    """

    known: Floats
    wanted: Floats
    basis: Floats
    triangle: Floats


def predictors(columns: Floats, missing: Bools) -> Predictors:
    """Splits (n, p) columns by who is `missing`; an intercept is added."""
    design = np.concatenate((np.ones((len(columns), 1)), columns), axis=1)
    basis, triangle, kept = orthonormal(design[~missing], None)
    return Predictors(design[~missing][:, kept], design[missing][:, kept], basis, triangle)


def draw_normal(y: Floats, given: Predictors, shift: Floats, rng: np.random.Generator) -> Floats:
    """Draws from the predictive distribution of a normal regression with a flat prior.

    Args:
        y: (n,) the variable where it is known.
        given: its predictors, fewer than n.
        shift: (k,) added to each draw.
        rng: of the imputation.
    Returns:
        (k,) draws. Rubin (1987), Multiple Imputation for Nonresponse in Surveys, p. 167.
    """
    _, drawn, sigma = _regression(y, given, rng)
    return given.wanted @ drawn + sigma * rng.standard_normal(len(given.wanted)) + shift


def draw_matching(y: Floats, given: Predictors, shift: Floats, rng: np.random.Generator) -> Floats:
    """Predictive mean matching: each draw is somebody's value, one of the five nearest by prediction.

    Args:
        y, given, shift, rng: as in `draw_normal`.
    Returns:
        (k,) values of donors. Predictions of donors by the estimated coefficients, those wanted by drawn
        ones (type 1 matching; Morris, White & Royston 2014, BMC Medical Research Methodology 14:75).
    """
    estimated, drawn, _ = _regression(y, given, rng)
    predicted = given.known @ estimated
    order = np.argsort(predicted, kind="stable")
    donors = nearest(predicted[order], given.wanted @ drawn)
    chosen = donors[np.arange(len(donors)), rng.integers(0, donors.shape[1], len(donors))]
    return y[order][chosen] + shift


def draw_logistic(y: Floats, given: Predictors, shift: Floats, rng: np.random.Generator) -> Floats:
    """Draws of yes or no from a logistic regression.

    Args:
        y: (n,) 0 or 1.
        given, rng: as in `draw_normal`.
        shift: (k,) added to the log-odds of each draw.
    Returns:
        (k,) draws of 0 or 1. The coefficients are drawn from the normal approximation at the posterior mode
        under a weak normal prior on standardised slopes, so that a predictor that tells yes from no
        perfectly still has a finite one (Gelman et al. 2008, Annals of Applied Statistics 2:1360).
    """
    centre = given.known.mean(axis=0)
    centre[0] = 0.0  # the intercept, whose prior is as wide for the middle of the predictors
    precision = np.maximum(given.known.std(axis=0), _FLAT) ** 2 / PRIOR_SD**2
    beta, information = _posterior_mode(y, given.known - centre, precision)
    root = np.linalg.cholesky(np.linalg.inv(information))
    drawn = beta + root @ rng.standard_normal(len(beta))
    rate = special.expit((given.wanted - centre) @ drawn + shift)
    return np.asarray(rng.random(len(rate)) < rate, dtype=np.float64)


DRAWS: Mapping[Kind, Callable[[Floats, Predictors, Floats, np.random.Generator], Floats]] = {
    "matching": draw_matching,
    "normal": draw_normal,
    "logistic": draw_logistic,
}


def _regression(y: Floats, given: Predictors, rng: np.random.Generator) -> tuple[Floats, Floats, float]:
    """Estimated coefficients, drawn ones, and the drawn residual standard deviation."""
    rotated = given.basis.T @ y
    residuals = y - given.basis @ rotated
    size = len(rotated)
    sigma = float(np.sqrt(residuals @ residuals / rng.chisquare(len(y) - size)))
    sides = np.stack((rotated, rotated + sigma * rng.standard_normal(size)), axis=1)
    estimated, drawn = np.linalg.solve(given.triangle, sides).T
    return estimated, drawn, sigma


def nearest(ordered: Floats, wanted: Floats) -> Ints:
    """Places of the five nearest predictions among ordered ones, (n,), for each wanted, (k,): (k, donors)."""
    donors = min(DONORS, len(ordered))
    place = np.searchsorted(ordered, wanted)
    window = place[:, None] + np.arange(-donors, donors)
    inside = (window >= 0) & (window < len(ordered))
    window = np.clip(window, 0, len(ordered) - 1)
    distance = np.where(inside, np.abs(ordered[window] - wanted[:, None]), np.inf)
    closest = np.argsort(distance, axis=1, kind="stable")[:, :donors]
    return np.take_along_axis(window, closest, axis=1)


def _posterior_mode(y: Floats, design: Floats, precision: Floats) -> tuple[Floats, Floats]:
    """Newton's method; the posterior is concave and its mode finite."""
    beta: Floats = np.zeros(design.shape[1])
    for _ in range(_ROUNDS):
        rate = special.expit(design @ beta)
        information: Floats = design.T @ (design * (rate * (1 - rate))[:, None]) + np.diag(precision)
        step = np.linalg.solve(information, design.T @ (y - rate) - precision * beta)
        # one step never moves a prediction by more than a few log-odds
        step *= min(1.0, 5.0 / max(np.abs(design @ step).max(), 1e-300))
        beta = beta + step
        if np.abs(step).max() < _CONVERGED:
            break
    return beta, information
