"""Yes or no in other terms: the ratio of two rates or of their odds, and how many people one more takes."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from equipoise.estimation.arrays import Floats, finite, refuse, same_length
from equipoise.estimation.inference import Estimate, Interval, estimate_from
from equipoise.estimation.least_squares.covariance import Variance
from equipoise.estimation.least_squares.linear import fit_linear

__all__ = ["NumberNeeded", "Ratio", "number_needed", "odds_ratio", "risk_ratio_of_people"]


@dataclass(frozen=True)
class Ratio:
    """A ratio with its interval; `log` is its logarithm, where the interval is symmetric."""

    estimate: float
    interval: Interval
    log: Estimate


@dataclass(frozen=True)
class NumberNeeded:
    """How many people in the other arm make one more yes: an end of None is none of a side.

    `more` and `fewer` are the smallest and largest numbers that the interval of the difference allows on the
    side of more and of fewer; where it includes 0, both have no upper end, and infinity lies between them.
    """

    estimate: float | None
    more: tuple[float, float | None] | None
    fewer: tuple[float, float | None] | None


def risk_ratio_of_people(
    outcome: npt.ArrayLike,
    arm: npt.ArrayLike,
    contrast: npt.ArrayLike,
    *,
    cluster: npt.ArrayLike | None = None,
    level: float = 0.95,
) -> Ratio:
    """One arm's rate over another's.

    Args:
        outcome: (n,) 0 or 1.
        arm: (n,) codes from 0; allocation as randomised.
        contrast: +1 for one arm and -1 for the other.
        cluster: (n,) labels where clusters were randomised.
        level: of the interval.
    Returns:
        The ratio, not adjusted for anything. The error of its logarithm by the delta method: for people Katz
        et al. (1978, Biometrics 34:469); for clusters from the rates' CR2 covariance.
    Raises:
        DesignError: values other than 0 and 1, or a rate of 0, of which there is no such interval.
    """
    rates, covariance, dof = _rates(outcome, arm, contrast, cluster)
    if not rates.all():
        raise refuse("outcome", "is 0 for everybody in an arm; a ratio has no interval. Use the difference.")
    return _ratio(np.log(rates), 1 / rates, covariance, dof, level)


def odds_ratio(
    outcome: npt.ArrayLike,
    arm: npt.ArrayLike,
    contrast: npt.ArrayLike,
    *,
    cluster: npt.ArrayLike | None = None,
    level: float = 0.95,
) -> Ratio:
    """One arm's odds over another's.

    Args, Returns: as `risk_ratio_of_people`; for people the error is Woolf's (1955, Ann. Human Genetics
    19:251), that of logistic regression on the arms.
    Raises:
        DesignError: values other than 0 and 1, or a rate of 0 or 1.
    """
    rates, covariance, dof = _rates(outcome, arm, contrast, cluster)
    if not rates.all() or (rates == 1).any():
        raise refuse(
            "outcome", "is the same for everybody in an arm; odds have no interval. Use the difference."
        )
    return _ratio(np.log(rates / (1 - rates)), 1 / (rates * (1 - rates)), covariance, dof, level)


def number_needed(difference: float, interval: Interval) -> NumberNeeded:
    """The inverse of a difference in rates.

    Args:
        difference: of two rates, from -1 to 1.
        interval: of the difference.
    Returns:
        Numbers above 0. Where the interval includes 0 it runs from `more` through infinity to `fewer`.

    Altman (1998), BMJ 317:1309.
    """
    low, high = interval.low, interval.high
    more = fewer = None
    if high > 0:
        more = (1 / high, 1 / low if low > 0 else None)
    if low < 0:
        fewer = (-1 / low, -1 / high if high < 0 else None)
    return NumberNeeded(1 / abs(difference) if difference else None, more, fewer)


def _rates(
    outcome: npt.ArrayLike, arm: npt.ArrayLike, contrast: npt.ArrayLike, cluster: npt.ArrayLike | None
) -> tuple[Floats, Floats, float]:
    """The rates of the arm with +1 and of that with -1, their covariance, and degrees of freedom."""
    y, codes, weights = (
        finite(outcome, "outcome"),
        np.asarray(arm, dtype=np.int64),
        finite(contrast, "contrast"),
    )
    same_length(len(y), arm=codes)
    if not np.isin(y, (0.0, 1.0)).all():
        raise refuse("outcome", "holds values other than 0 and 1; ratios of rates are of yes or no.")
    if sorted(weights[weights != 0]) != [-1.0, 1.0]:
        raise refuse("contrast", "of a ratio gives +1 to one arm and -1 to another.")
    pair = np.array([np.flatnonzero(weights == sign)[0] for sign in (1, -1)])
    rows = np.isin(codes, pair)
    if not np.isin(pair, codes).all():
        raise refuse("arm", "is empty on one side of the ratio.")
    design = (codes[rows, None] == pair).astype(np.float64)
    labels = None if cluster is None else np.asarray(cluster)[rows]
    variance: Variance = "HC0" if labels is None else "CR2"
    fit = fit_linear(y[rows], design, variance=variance, cluster=labels)
    dof = np.inf if labels is None else fit.contrast((1.0, -1.0)).dof
    rates = np.array([y[codes == code].mean() for code in pair])
    return rates, fit.covariance, float(dof)


def _ratio(logs: Floats, slopes: Floats, covariance: Floats, dof: float, level: float) -> Ratio:
    gradient = slopes * (1.0, -1.0)
    error = float(np.sqrt(gradient @ covariance @ gradient))
    log = estimate_from(float(logs[0] - logs[1]), error, dof, level)
    low, high = float(np.exp(log.interval.low)), float(np.exp(log.interval.high))
    return Ratio(float(np.exp(log.estimate)), Interval(level, low, high), log)
