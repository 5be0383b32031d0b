"""From an estimate and its error to an interval, a p-value and a reading against a margin."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

from equipoise.estimation.arrays import refuse

__all__ = [
    "Estimate",
    "Interval",
    "JointTest",
    "MarginReading",
    "check_level",
    "estimate_from",
    "read_against_margin",
    "reread",
]

Position = Literal["beyond", "inside", "straddles", "equivalent", "one-sided", "unclear"]
_NEGLIGIBLE_ERROR = 1e-12
"""A standard error this small beside the outcome is rounding: the outcome did not vary."""


@dataclass(frozen=True)
class Interval:
    """A two-sided interval; `level` is its coverage, such as 0.95."""

    level: float
    low: float
    high: float

    def contains(self, value: float) -> bool:
        """Whether the value lies inside, ends included."""
        return self.low <= value <= self.high


@dataclass(frozen=True)
class Estimate:
    """A number estimated, in the outcome's unit, with its error and what follows from it.

    `dof` is infinite where the reference is the normal; `statistic` tests that the true value is 0.
    """

    estimate: float
    std_error: float
    dof: float
    statistic: float
    p_value: float
    interval: Interval

    def scaled(self, factor: float) -> "Estimate":
        """The same estimate in another unit: multiplied by `factor`, which may be negative but not 0."""
        if factor == 0 or not np.isfinite(factor):
            raise refuse("factor", f"is {factor}; expected a finite number other than 0.")
        low, high = sorted((self.interval.low * factor, self.interval.high * factor))
        return Estimate(
            self.estimate * factor,
            self.std_error * abs(factor),
            self.dof,
            self.statistic * (1 if factor > 0 else -1),
            self.p_value,
            Interval(self.interval.level, low, high),
        )


@dataclass(frozen=True)
class JointTest:
    """A test that several contrasts are all 0: `statistic` on F(`dof_numerator`, `dof_denominator`)."""

    statistic: float
    dof_numerator: int
    dof_denominator: float
    p_value: float


@dataclass(frozen=True)
class MarginReading:
    """An interval read against 0 and against a margin on both sides of 0.

    `position` is `beyond` (excludes 0 and all of the margin), `inside` (excludes 0, wholly smaller than the
    margin), `straddles` (excludes 0, may or may not reach the margin), `equivalent` (includes 0, smaller than
    the margin on both sides), `one-sided` (includes 0, inside the margin on one side) or `unclear`.
    `rules_out_low` and `rules_out_high` say that -margin, or margin, lies outside the interval on that side:
    each is a one-sided test at half of one minus the level.
    """

    margin: float
    excludes_zero: bool
    rules_out_low: bool
    rules_out_high: bool
    position: Position

    @property
    def equivalent(self) -> bool:
        """Smaller than the margin both ways: two one-sided tests, both rejected."""
        return self.rules_out_low and self.rules_out_high

    def non_inferior(self, good: Literal["high", "low"]) -> bool:
        """Not worse by the margin, where `good` says which direction is better."""
        return self.rules_out_low if good == "high" else self.rules_out_high


def check_level(level: float) -> float:
    """Refuses a level outside (0, 1)."""
    if not 0 < level < 1:
        raise refuse("level", f"is {level}; expected a number between 0 and 1, such as 0.95.")
    return level


def estimate_from(
    estimate: float, std_error: float, dof: float, level: float = 0.95, *, scale: float = 1.0
) -> Estimate:
    """A t interval and two-sided p-value.

    Args:
        estimate: the estimate.
        std_error: its standard error.
        dof: degrees of freedom of the t reference; infinite for the normal.
        level: coverage of the interval.
        scale: a size of the outcome, beside which an error that is mere rounding is recognised.
    Returns:
        The estimate with statistic, p-value and interval.
    Raises:
        DesignError: the standard error is 0 or not a number, or the degrees of freedom are not positive.
    """
    check_level(level)
    if not np.isfinite(std_error) or std_error <= _NEGLIGIBLE_ERROR * scale:
        raise refuse("outcome", "does not vary within the arms compared, so its error cannot be estimated.")
    if not dof > 0:
        raise refuse("dof", f"is {dof:g}; no degrees of freedom are left, so the error cannot be estimated.")
    statistic = estimate / std_error
    # the functions themselves: scipy's distributions take twenty times as long to say the same
    if np.isfinite(dof):
        quantile, tail = special.stdtrit(dof, 0.5 + level / 2), special.stdtr(dof, -abs(statistic))
    else:
        quantile, tail = special.ndtri(0.5 + level / 2), special.ndtr(-abs(statistic))
    reach = float(quantile) * std_error
    return Estimate(
        float(estimate),
        float(std_error),
        float(dof),
        float(statistic),
        float(2 * tail),
        Interval(level, float(estimate - reach), float(estimate + reach)),
    )


def reread(estimate: Estimate, level: float) -> Estimate:
    """The same estimate with the interval of another level."""
    return estimate_from(estimate.estimate, estimate.std_error, estimate.dof, level, scale=0.0)


def read_against_margin(interval: Interval, margin: float) -> MarginReading:
    """Reads equivalence and non-inferiority off the interval that is printed, never off another.

    Args:
        interval: of the effect, in the outcome's unit; a 95% interval gives one-sided tests at 2.5%.
        margin: the smallest effect that matters, in the outcome's unit, above 0.
    Returns:
        What the interval excludes.
    Raises:
        DesignError: the margin is not above 0.

    Schuirmann (1987), J. Pharmacokinet. Biopharm. 15:657 (two one-sided tests, here at half of 1 - level).
    """
    if not (margin > 0 and np.isfinite(margin)):
        raise refuse("margin", f"is {margin:g}; expected a number above 0 in the outcome's unit.")
    excludes_zero = not interval.contains(0.0)
    low, high = interval.low > -margin, interval.high < margin
    return MarginReading(
        margin, excludes_zero, low, high, _position(interval, margin, excludes_zero, low, high)
    )


def _position(interval: Interval, margin: float, excludes_zero: bool, low: bool, high: bool) -> Position:
    if excludes_zero:
        if interval.low >= margin or interval.high <= -margin:
            return "beyond"
        return "inside" if low and high else "straddles"
    if low and high:
        return "equivalent"
    return "one-sided" if low or high else "unclear"
