"""Where a simulated power reaches its target: a root of a function that is only known with error.

Powers on the scale of normal quantiles lie almost on a straight line over the size of an effect, and over the
root of the number of people; so the secant on that scale converges in a few steps. With the same random
numbers at every step the power does not jump about between them, and what error is left moves the whole
curve: it is the error of the root.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from equipoise.diagnosis.performance import Rated
from equipoise.errors import DesignError

__all__ = ["Root", "Step", "find_root"]

MOST_STEPS = 12
_FIRST_STRIDE = 1.5  # from the start to the second step, towards the target
_FURTHEST_STRIDE = 3.0  # no step goes further from the best so far than this many times


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
    power_at: Callable[[float], Rated], target: float, *, start: float, low: float, high: float
) -> Root:
    """Where a power that rises reaches a target, by secants of its normal quantiles.

    Args:
        power_at: the simulated power at a place; the same random numbers at all.
        target: between 0 and 1.
        start: the first place.
        low, high: the places between which the root may lie.
    Returns:
        The root once the power there is within one Monte-Carlo error of the target. Where the power is still
        short of it at `high`, or beyond it at `low`, or twelve steps did not find it, the reason.
    Raises:
        DesignError: `start` outside of the ends.
    """
    if not 0 < low <= start <= high:
        raise DesignError(f"the search starts at {start:g}, outside of {low:g} to {high:g}")
    steps: list[Step] = []
    at = start
    while len(steps) < MOST_STEPS:
        step = Step(at, power_at(at))
        steps.append(step)
        best = min(steps, key=lambda each: abs(_power(each) - target))
        slope = _slope(steps, best, target)
        if slope is not None and _reached(best, target):
            return _root(best, slope, target, tuple(steps))
        short = _power(step) < target
        if (at >= high and short) or (at <= low and not short):
            return Root(None, None, tuple(steps), _out_of_reach(step, target))
        at = min(max(_next(steps, target), low), high)
    return Root(None, None, tuple(steps), f"{MOST_STEPS} steps did not settle it; simulate more trials")


def _power(step: Step) -> float:
    return 0.0 if step.power.value is None else step.power.value


def _quantile(step: Step) -> float:
    """The power as a normal quantile; a share of none or all of m trials as half a trial from the end."""
    error = step.power.mc_error or 0.0
    share = _power(step)
    trials = share * (1 - share) / error**2 if error > 0 else 1000.0
    return float(stats.norm.ppf(np.clip(share, 0.5 / trials, 1 - 0.5 / trials)))


def _reached(step: Step, target: float) -> bool:
    return 0 < _power(step) < 1 and abs(_power(step) - target) <= (step.power.mc_error or 0.0)


def _neighbour(steps: Sequence[Step], step: Step, target: float) -> Step | None:
    """Of the other places, the one whose power is nearest to the target."""
    others = [other for other in steps if other.at != step.at]
    return min(others, key=lambda other: abs(_power(other) - target)) if others else None


def _slope(steps: Sequence[Step], step: Step, target: float) -> float | None:
    """Of the quantiles, between a step and its best neighbour; None without one, or where none rises."""
    other = _neighbour(steps, step, target)
    if other is None:
        return None
    slope = (_quantile(step) - _quantile(other)) / (step.at - other.at)
    return slope if slope > 0 else None


def _next(steps: Sequence[Step], target: float) -> float:
    best = min(steps, key=lambda step: abs(_power(step) - target))
    slope = _slope(steps, best, target)
    short = _power(best) < target
    if slope is None:
        places = [step.at for step in steps]
        return max(places) * _FIRST_STRIDE if short or _reached(best, target) else min(places) / _FIRST_STRIDE
    wanted = best.at + (float(stats.norm.ppf(target)) - _quantile(best)) / slope
    wanted = min(max(wanted, best.at / _FURTHEST_STRIDE), best.at * _FURTHEST_STRIDE)
    return _between(steps, wanted, target)


def _between(steps: Sequence[Step], wanted: float, target: float) -> float:
    """The place wanted, or the middle of the bracket where it lies outside, or on a place that was tried."""
    short = max((step.at for step in steps if _power(step) < target), default=-np.inf)
    enough = min((step.at for step in steps if _power(step) >= target), default=np.inf)
    bracketed = np.isfinite(short) and np.isfinite(enough) and short < enough
    if bracketed and not short < wanted < enough:
        return (short + enough) / 2
    return wanted * _FIRST_STRIDE if any(step.at == wanted for step in steps) else wanted


def _root(step: Step, slope: float, target: float, steps: tuple[Step, ...]) -> Root:
    """The step taken the rest of the way along the line, with the error of the power over its slope."""
    aim = float(stats.norm.ppf(target))
    value = step.at + (aim - _quantile(step)) / slope
    steepness = float(stats.norm.pdf(aim)) * slope
    return Root(value, (step.power.mc_error or 0.0) / steepness, steps)


def _out_of_reach(step: Step, target: float) -> str:
    where = "still" if _power(step) < target else "already"
    return f"the power is {where} {_power(step):.0%} at {step.at:.4g}, where the search ends"
