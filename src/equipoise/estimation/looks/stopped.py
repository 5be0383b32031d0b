"""What a trial estimates that was looked at on the way: every possible course of it counted in."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize

from equipoise.estimation.arrays import Floats, refuse
from equipoise.estimation.inference import Interval, check_level
from equipoise.estimation.looks.crossing import Path, checked_information

__all__ = ["Stopped", "estimate_after_looks"]


@dataclass(frozen=True)
class Stopped:
    """A median-unbiased estimate, its interval and two-sided p-value, all by the stage-wise ordering."""

    estimate: float
    interval: Interval
    p_value: float


def estimate_after_looks(
    z: float, std_error: float, information: npt.ArrayLike, earlier: npt.ArrayLike, level: float = 0.95
) -> Stopped:
    """The effect after a trial that stopped, or ended, at its last look.

    Args:
        z: the statistic at the last look, estimate over standard error, as if it had been the only one.
        std_error: of the estimate at the last look, in the outcome's unit.
        information: (k,) rising, the last look's included; only ratios matter.
        earlier: (k - 1,) the bounds of |Z| at the looks before, which were not crossed.
        level: of the interval.
    Returns:
        In the outcome's unit. A trial that crosses an earlier bound counts as more extreme than any later
        course: the estimate is too high as often as too low, and neither looks to come nor what was seen at
        earlier ones matter.
    Raises:
        DesignError: sizes that differ, or a standard error that is not above 0.

    Tsiatis, Rosner & Mehta (1984), Biometrics 40:797; Jennison & Turnbull (2000), sections 8.2 to 8.5.
    """
    if not (std_error > 0 and np.isfinite(std_error)):
        raise refuse("std_error", f"is {std_error:g}; expected a number above 0.")
    amounts = checked_information(information)
    amounts, bounds = amounts / amounts[-1], np.asarray(earlier, dtype=np.float64)
    if len(bounds) != len(amounts) - 1:
        raise refuse("earlier", f"has {len(bounds)} bounds; expected {len(amounts) - 1}, one a look before.")
    check_level(level)

    def at(chance: float) -> float:
        return _drift(lambda drift: _above(drift, float(z), amounts, bounds) - chance, float(z))

    tail = (1 - level) / 2
    upper = _above(0.0, float(z), amounts, bounds)
    return Stopped(
        at(0.5) * std_error,
        Interval(level, at(tail) * std_error, at(1 - tail) * std_error),
        float(min(1.0, 2 * min(upper, 1 - upper))),
    )


def _above(drift: float, z: float, information: Floats, bounds: Floats) -> float:
    """The chance of a course that lies above the one observed, which rises with the drift."""
    path, chance = Path(drift), 0.0
    for amount, bound in zip(information[:-1], bounds, strict=True):
        chance += path.above(float(amount), float(bound))
        path.stay(float(amount), -float(bound), float(bound))
    return chance + path.above(float(information[-1]), z)


def _drift(gap: Callable[[float], float], near: float) -> float:
    """Where a rising function of the drift is 0."""
    low, high = near - 4.0, near + 4.0
    while gap(low) > 0:
        low -= 4.0
    while gap(high) < 0:
        high += 4.0
    return float(optimize.brentq(gap, low, high, xtol=1e-11))
