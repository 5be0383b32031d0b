"""Who answered, by arm; and what those who did not could change: bounds and tipping points."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from equipoise.estimation.arrays import (
    Bools,
    Floats,
    Ints,
    arms_compared,
    codes_of,
    contrast_weights,
    finite,
    name_of,
    refuse,
    same_length,
)
from equipoise.estimation.effects.proportions import Rate, RateContrast, rate, rate_contrast
from equipoise.estimation.inference import Estimate, Interval
from equipoise.estimation.missing.partly_identified import effect_interval

__all__ = [
    "Bounds",
    "Response",
    "TippingPoint",
    "manski_bounds",
    "response_by_arm",
    "response_differs",
    "tipping_points",
]


@dataclass(frozen=True)
class Response:
    """Response of each arm, and a contrast of it."""

    arms: tuple[Rate, ...]
    difference: RateContrast


@dataclass(frozen=True)
class Bounds:
    """The least and greatest the effect can be, and an interval for it that allows for sampling too."""

    low: float
    high: float
    interval: Interval | None


@dataclass(frozen=True)
class TippingPoint:
    """The shift in one arm's missing people that would undo the conclusion.

    Attributes:
        arm: its code.
        missing: people randomised to it without an outcome.
        mean: of the arm's people who answered.
        to_zero: shift of the missing people's mean, away from `mean`, at which the estimate is 0.
        to_change: smallest shift at which the interval comes to include 0, or, if it does, to exclude it.
        possible: whether `to_change` leaves the missing people's mean within the outcome's range.
    All None where nobody is missing or the arm has no weight.
    """

    arm: int
    missing: int
    mean: float
    to_zero: float | None
    to_change: float | None
    possible: bool | None


def response_by_arm(
    answered: npt.ArrayLike, arm: npt.ArrayLike, contrast: npt.ArrayLike, level: float = 0.95
) -> Response:
    """Share that answered in each arm, of all randomised, with the difference and its interval.

    Args:
        answered: (n,) true or false, of all randomised.
        arm: (n,) codes from 0.
        contrast: one weight an arm.
        level: coverage of the intervals.
    Returns:
        Wilson's interval for each arm, Newcombe's for the difference (`rate_contrast`). People are taken as
        independent; for clusters fit `answered` by `linear_effect` with CR2.
    Raises:
        DesignError: an arm of the contrast to which nobody was randomised.
    """
    counts, totals, _ = _counts(answered, arm, contrast)
    arms = tuple(
        rate(int(count), int(total), level) for count, total in zip(counts, totals, strict=True) if total
    )
    return Response(arms, rate_contrast(counts, totals, contrast, level))


def response_differs(answered: npt.ArrayLike, arm: npt.ArrayLike) -> float:
    """p-value of Pearson's chi-squared test that response is the same in every arm; 1 if all or none did."""
    codes = np.asarray(arm, dtype=np.int64)
    held = np.asarray(answered, dtype=bool)
    same_length(len(codes), answered=held)
    if not len(codes):
        raise refuse("arm", "holds no rows; expected at least one person.")
    table = np.stack(
        (
            np.bincount(codes[held], minlength=codes.max() + 1),
            np.bincount(codes[~held], minlength=codes.max() + 1),
        )
    )
    table = table[:, table.sum(axis=0) > 0]
    if (table.sum(axis=1) == 0).any() or table.shape[1] < 2:
        return 1.0
    return float(stats.chi2_contingency(table, correction=False).pvalue)


def manski_bounds(
    outcome: npt.ArrayLike,
    answered: npt.ArrayLike,
    arm: npt.ArrayLike,
    contrast: npt.ArrayLike,
    outcome_range: tuple[float, float],
    *,
    cluster: npt.ArrayLike | None = None,
    level: float = 0.95,
) -> Bounds:
    """The effect for all randomised, whatever those who did not answer would have said.

    Args:
        outcome: (n,) of all randomised; what stands where `answered` is false is not looked at.
        answered: (n,) true or false.
        arm: (n,) codes from 0.
        contrast: one weight an arm; any number of arms.
        outcome_range: least and greatest possible outcome.
        cluster: (n,) labels; each cluster counts once, by the mean of its people filled in.
        level: coverage of the interval.
    Returns:
        Missing people at the end of the range that makes the contrast least, and greatest; sharp
        (Manski 1990, Am. Econ. Rev. 80:319). The interval is that of `effect_interval`; None where both
        contrasts filled in do not vary.
    Raises:
        DesignError: an outcome outside its range, an empty range, an arm with nobody.
    """
    low, high = outcome_range
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise refuse(
            "outcome_range", f"is {low:g} to {high:g}; expected two finite numbers, the lower first."
        )
    _, _, (held, codes, weights) = _counts(answered, arm, contrast)
    values = np.asarray(outcome, dtype=np.float64)
    same_length(len(held), outcome=values)
    seen = finite(values[held], "outcome") if held.any() else np.empty(0)
    if len(seen) and (seen.min() < low or seen.max() > high):
        raise refuse(
            "outcome", f"goes from {seen.min():g} to {seen.max():g}; its range is {low:g} to {high:g}."
        )
    raises = weights[codes] > 0
    least = np.where(held, values, np.where(raises, low, high))
    greatest = np.where(held, values, np.where(raises, high, low))
    if cluster is not None:
        least, greatest = (_cluster_means(filled, cluster) for filled in (least, greatest))
        codes = _cluster_means(codes.astype(np.float64), cluster).astype(np.int64)
    ends = (_contrast_of_means(least, codes, weights), _contrast_of_means(greatest, codes, weights))
    errors = (_error(least, codes, weights), _error(greatest, codes, weights))
    return Bounds(ends[0], ends[1], effect_interval(ends, errors, level))


def tipping_points(
    effect: Estimate,
    outcome: npt.ArrayLike,
    answered: npt.ArrayLike,
    arm: npt.ArrayLike,
    contrast: npt.ArrayLike,
    outcome_range: tuple[float, float] | None = None,
    *,
    cluster: npt.ArrayLike | None = None,
) -> tuple[TippingPoint, ...]:
    """How different, arm by arm, those who did not answer would have to be to undo the conclusion.

    Args:
        effect: the contrast estimated among those who answered, by whatever model.
        outcome: (n,) of all randomised; not looked at where `answered` is false.
        answered: (n,) true or false.
        arm: (n,) codes from 0.
        contrast: one weight an arm.
        outcome_range: least and greatest possible outcome, to say which shifts are possible.
        cluster: (n,) labels; each cluster counts once, so that its missing people weigh by their share of it.
    Returns:
        One for each arm of the contrast. Shifting the mean of the missing share m of arm k by delta moves the
        effect for all randomised by c_k m delta; its error is held at that of `effect` (pattern mixture;
        Carpenter & Kenward 2013, Multiple Imputation and its Application, ch. 10).
    """
    counts, totals, (held, codes, weights) = _counts(answered, arm, contrast)
    values = np.asarray(outcome, dtype=np.float64)
    same_length(len(held), outcome=values)
    block = np.arange(len(held)) if cluster is None else codes_of(cluster, "cluster")[0]
    points = []
    for code in arms_compared(weights):
        if not counts[code]:
            raise refuse(
                "answered", f"nobody in arm {code} answered; a tipping point starts from their mean."
            )
        mean = float(finite(values[held & (codes == code)], "outcome").mean())
        inside = codes == code
        push = float(
            weights[code] * (1 - _cluster_means(held[inside].astype(np.float64), block[inside]).mean())
        )
        points.append(_tipping(effect, code, int(totals[code] - counts[code]), mean, push, outcome_range))
    return tuple(points)


def _tipping(
    effect: Estimate,
    arm: int,
    missing: int,
    mean: float,
    push: float,
    outcome_range: tuple[float, float] | None,
) -> TippingPoint:
    """`push` is what a shift of one unit in the missing people's mean does to the effect."""
    if not missing:
        return TippingPoint(arm, 0, mean, None, None, None)
    low, high = effect.interval.low, effect.interval.high
    if effect.interval.contains(0.0):
        shift = min((-low / push, -high / push), key=abs)
    else:
        shift = -(low if low > 0 else high) / push
    possible = None if outcome_range is None else outcome_range[0] <= mean + shift <= outcome_range[1]
    return TippingPoint(arm, missing, mean, -effect.estimate / push, shift, possible)


def _counts(
    answered: npt.ArrayLike, arm: npt.ArrayLike, contrast: npt.ArrayLike, names: Sequence[str] | None = None
) -> tuple[Floats, Floats, tuple[Bools, Ints, Floats]]:
    """People who answered and people randomised, by arm."""
    held, codes = np.asarray(answered, dtype=bool), np.asarray(arm, dtype=np.int64)
    same_length(len(held), arm=codes)
    weights = contrast_weights(contrast, codes)
    totals = np.bincount(codes, minlength=len(weights)).astype(np.float64)
    for code in arms_compared(weights):
        if not totals[code]:
            raise refuse("arm", f"{name_of(code, names, 'arm')} has nobody randomised to it.")
    counts = np.bincount(codes[held], minlength=len(weights)).astype(np.float64)
    return counts, totals, (held, codes, weights)


def _contrast_of_means(values: Floats, arm: Ints, weights: Floats) -> float:
    return float(sum(weights[code] * values[arm == code].mean() for code in arms_compared(weights)))


def _cluster_means(values: Floats, cluster: npt.ArrayLike) -> Floats:
    block = codes_of(cluster, "cluster")[0]
    same_length(len(values), cluster=block)
    return np.asarray(np.bincount(block, values) / np.bincount(block))


def _error(values: Floats, arm: Ints, weights: Floats) -> float:
    """Neyman's standard error of a contrast of means; NaN where an arm holds one person."""
    terms = [_mean_variance(values[arm == code]) * weights[code] ** 2 for code in arms_compared(weights)]
    return float(np.sqrt(sum(terms)))


def _mean_variance(values: Floats) -> float:
    return float(values.var(ddof=1) / len(values)) if len(values) > 1 else np.nan
