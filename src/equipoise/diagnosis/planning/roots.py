"""Where a simulated power reaches its target: a root of a function that is only known with error.

Powers on the scale of normal quantiles lie almost on a straight line over the size of an effect, and over the
root of the number of people; so a line through a few of them finds the place. With the same random
numbers at every step the power does not jump about between them, and what error is left moves the whole
curve: it is the error of the root.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from equipoise.diagnosis.performance import Rated
from equipoise.errors import DesignError
from equipoise.estimation.arrays import Floats

__all__ = ["Root", "Step", "find_root"]

MOST_STEPS = 16
_STRIDE = 4.0  # while nothing is known of where the curve rises
_LEAST_RISE = 0.3  # of the quantile above that of no effect: with less the rise is chance
_NEAR = 1.2  # quantiles this near to the target's lie on a line
_SPAN = 0.15  # of the place: a line through places that are nearer to each other is chance


@dataclass(frozen=True)
class Step:
    """A place at which the power was simulated."""

    at: float
    power: Rated


@dataclass(frozen=True)
class Root:
    """Where the power reaches the target.

    Attributes:
        value: the place; None where it was not reached.
        mc_error: of the place, from that of the power over the slope of the curve; None where not reached.
        steps: every place tried, in order.
        reason: why there is no value, in words; None where there is.
    """

    value: float | None
    mc_error: float | None
    steps: tuple[Step, ...]
    reason: str | None = None


def find_root(
    power_at: Callable[[float], Rated],
    target: float,
    *,
    start: float,
    low: float,
    high: float,
    alpha: float = 0.05,
) -> Root:
    """Where a power that rises reaches a target, by lines through its normal quantiles.

    Args:
        power_at: the simulated power at a place; the same random numbers at all.
        target: between 0 and 1.
        start: the first place.
        low, high: the places between which the root may lie; at 0 there is nothing to find.
        alpha: the two-sided error rate, which says where the curve begins.
    Returns:
        The root once the power there is within one Monte-Carlo error of the target. Where the power is still
        short of it at `high`, or beyond it at `low`, or sixteen steps did not find it, the reason.
    Raises:
        DesignError: `start` outside of the ends.
    """
    if not 0 < low <= start <= high:
        raise DesignError(f"the search starts at {start:g}, outside of {low:g} to {high:g}")
    steps: list[Step] = []
    aim, nothing = (float(stats.norm.ppf(share)) for share in (target, alpha / 2))
    at = start
    while len(steps) < MOST_STEPS:
        step = Step(at, power_at(at))
        steps.append(step)
        best = min(steps, key=lambda each: abs(_power(each) - target))
        slope = _slope(steps, aim)
        if slope is not None and abs(_power(best) - target) <= (best.power.mc_error or 0.0):
            return _root(best, slope, aim, tuple(steps))
        short = _power(step) < target
        if (at >= high and short) or (at <= low and not short):
            return Root(None, None, tuple(steps), _out_of_reach(step, target))
        wanted = _further(steps, aim, nothing) if slope is None else _on_the_line(steps, slope, aim)
        at = min(max(wanted, low), high)
    return Root(None, None, tuple(steps), f"{MOST_STEPS} steps did not settle it; simulate more trials")


def _power(step: Step) -> float:
    return 0.0 if step.power.value is None else step.power.value


def _quantile(step: Step) -> float:
    """The power as a normal quantile; a share of none or all of m trials as half a trial from the end."""
    error = step.power.mc_error or 0.0
    share = _power(step)
    trials = share * (1 - share) / error**2 if error > 0 else 1000.0
    return float(stats.norm.ppf(np.clip(share, 0.5 / trials, 1 - 0.5 / trials)))


def _near(steps: Sequence[Step], aim: float) -> list[Step]:
    return [step for step in steps if abs(_quantile(step) - aim) < _NEAR]


def _slope(steps: Sequence[Step], aim: float) -> float | None:
    """Of the line through the places near the target; None where they are too few, too close, or do not rise.

    Weights are the inverse variances of the quantiles, pdf^2 / (p (1 - p)).
    """
    near = _near(steps, aim)
    if not near or np.ptp([step.at for step in near]) < _SPAN * near[0].at:
        return None
    place, weight, middle, height = _weighted(near)
    quantile = np.array([_quantile(step) for step in near])
    slope = float(
        (weight * (place - middle) * (quantile - height)).sum() / (weight * (place - middle) ** 2).sum()
    )
    return slope if slope > 0 else None


def _weighted(near: Sequence[Step]) -> tuple[Floats, Floats, float, float]:
    """Places, weights, and the weighted means of places and quantiles."""
    place, quantile = np.array([[step.at, _quantile(step)] for step in near]).T
    share = stats.norm.cdf(quantile)
    weight = stats.norm.pdf(quantile) ** 2 / (share * (1 - share))
    return (
        place,
        weight,
        float(np.average(place, weights=weight)),
        float(np.average(quantile, weights=weight)),
    )


def _on_the_line(steps: Sequence[Step], slope: float, aim: float) -> float:
    """Where the line through the places near the target reaches it."""
    _, _, middle, height = _weighted(_near(steps, aim))
    return middle + (aim - height) / slope


def _further(steps: Sequence[Step], aim: float, nothing: float) -> float:
    """The next place while there is no line: along one from no effect, or between places on either side.

    At place 0 there is no effect, and the power on the effect's side is half of the error rate. Too near to a
    place that was tried, the next one is moved apart, so that both make a line.
    """
    best = min(steps, key=lambda step: abs(_quantile(step) - aim))
    short = max((step.at for step in steps if _quantile(step) < aim), default=None)
    enough = min((step.at for step in steps if _quantile(step) >= aim), default=None)
    rise = _quantile(best) - nothing
    if rise >= _LEAST_RISE and (best in _near(steps, aim) or len(steps) == 1):
        wanted = best.at * min((aim - nothing) / rise, _STRIDE)
        apart = 1 + 1.5 * _SPAN
        return (
            wanted
            if abs(wanted / best.at - 1) > _SPAN
            else best.at * (apart if wanted > best.at else 1 / apart)
        )
    if short is None:
        return min(step.at for step in steps) / _STRIDE
    if enough is None:
        return short * _STRIDE
    return float(np.sqrt(short * enough))


def _root(step: Step, slope: float, aim: float, steps: tuple[Step, ...]) -> Root:
    """The step taken the rest of the way along the line, with the error of the power over its slope."""
    value = step.at + (aim - _quantile(step)) / slope
    steepness = float(stats.norm.pdf(aim)) * slope
    return Root(value, (step.power.mc_error or 0.0) / steepness, steps)


def _out_of_reach(step: Step, target: float) -> str:
    where = "still" if _power(step) < target else "already"
    return f"the power is {where} {_power(step):.0%} at {step.at:.4g}, where the search ends"
