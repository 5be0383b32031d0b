"""Rates, their differences between arms, and their ratio, with intervals that behave near 0 and 1."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from equipoise.estimation.arrays import Floats, contrast_weights, finite, refuse
from equipoise.estimation.inference import Interval, check_level

__all__ = ["Rate", "RateContrast", "rate", "rate_contrast", "risk_ratio"]


@dataclass(frozen=True)
class Rate:
    """A share: `count` of `total`, with Wilson's interval."""

    count: int
    total: int
    rate: float
    interval: Interval


@dataclass(frozen=True)
class RateContrast:
    """A contrast or a ratio of rates, with its interval."""

    estimate: float
    interval: Interval


def rate(count: int, total: int, level: float = 0.95) -> Rate:
    """A share with Wilson's score interval. Wilson (1927), JASA 22:209.

    Raises:
        DesignError: nobody in the total, or a count outside 0 to the total.
    """
    check_level(level)
    if total < 1 or not 0 <= count <= total:
        raise refuse("count", f"is {count} of {total}; expected 0 to the total, and a total above 0.")
    z = float(stats.norm.ppf(0.5 + level / 2))
    share = count / total
    centre = (share + z**2 / (2 * total)) / (1 + z**2 / total)
    reach = z / (1 + z**2 / total) * np.sqrt(share * (1 - share) / total + z**2 / (4 * total**2))
    low = 0.0 if count == 0 else float(centre - reach)
    high = 1.0 if count == total else float(centre + reach)
    return Rate(int(count), int(total), share, Interval(level, low, high))


def rate_contrast(
    counts: npt.ArrayLike, totals: npt.ArrayLike, contrast: npt.ArrayLike, level: float = 0.95
) -> RateContrast:
    """A contrast of arms' rates.

    Args:
        counts: (k,) of each arm.
        totals: (k,) of each arm.
        contrast: (k,) weights adding up to 0.
        level: coverage of the interval.
    Returns:
        The contrast, its interval recovered from the arms' Wilson intervals: for two arms Newcombe's
        method 10 (1998, Statistics in Medicine 17:873); for more Zou & Donner (2008), ibid. 27:1693.
    """
    held, people = finite(counts, "counts"), finite(totals, "totals")
    weights = contrast_weights(contrast, np.arange(len(people)))
    used = np.flatnonzero(weights)
    rates = [rate(int(held[arm]), int(people[arm]), level) for arm in used]
    c = weights[used]
    shares = np.array([each.rate for each in rates])
    ends = np.array([(each.interval.low, each.interval.high) for each in rates])
    estimate = float(c @ shares)
    low = estimate - _reach(c * shares - np.minimum(c * ends[:, 0], c * ends[:, 1]))
    high = estimate + _reach(np.maximum(c * ends[:, 0], c * ends[:, 1]) - c * shares)
    return RateContrast(estimate, Interval(level, low, high))


def risk_ratio(
    count: int, total: int, control_count: int, control_total: int, level: float = 0.95
) -> RateContrast:
    """A rate over the control's, on the log scale: Katz et al. (1978), Biometrics 34:469.

    Raises:
        DesignError: a rate of 0, of which no ratio has such an interval; the difference still has one.
    """
    check_level(level)
    if not (0 < count <= total and 0 < control_count <= control_total):
        raise refuse(
            "count",
            f"is {count} of {total} against {control_count} of {control_total}; a ratio needs at least "
            "one in each. Use the difference in rates.",
        )
    log = np.log(count / total) - np.log(control_count / control_total)
    error = np.sqrt(1 / count - 1 / total + 1 / control_count - 1 / control_total)
    reach = float(stats.norm.ppf(0.5 + level / 2)) * error
    return RateContrast(
        float(np.exp(log)), Interval(level, float(np.exp(log - reach)), float(np.exp(log + reach)))
    )


def _reach(distances: Floats) -> float:
    return float(np.sqrt((distances**2).sum()))
