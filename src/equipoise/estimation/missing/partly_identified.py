"""The interval of an effect that the data only bound: from the errors of its two ends."""

import numpy as np
from scipy import optimize, stats

from equipoise.estimation.inference import Interval, check_level

__all__ = ["effect_interval"]


def effect_interval(
    ends: tuple[float, float], errors: tuple[float, float], level: float = 0.95
) -> Interval | None:
    """An interval for the effect itself, not for the whole region between its bounds.

    Args:
        ends: the least and the greatest effect that the data allow.
        errors: the standard errors of the two ends.
        level: coverage, whatever the effect's place between the ends.
    Returns:
        The interval; None where an error is unknown or both are 0.

    Imbens & Manski (2004), Econometrica 72:1845, eq. 6-7: the further the ends are apart, the nearer the
    reach comes to that of a one-sided interval.
    """
    check_level(level)
    if not all(np.isfinite(errors)) or max(errors) == 0:
        return None
    width = (ends[1] - ends[0]) / max(errors)

    def short(reach: float) -> float:
        return float(stats.norm.cdf(reach + width) - stats.norm.cdf(-reach) - level)

    # a level below a half can have its root below 0, never so far that the ends would cross
    reach = float(optimize.brentq(short, -width / 2, 20.0, xtol=1e-12))
    return Interval(level, ends[0] - reach * errors[0], ends[1] + reach * errors[1])
