"""The effect by week since launch, among those who answered in each week.

Descriptive: when a person answers is chosen after allocation, so weeks compare different people.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from equipoise.errors import DesignError
from equipoise.estimation.arrays import (
    Floats,
    Ints,
    arms_compared,
    contrast_weights,
    finite,
    refuse,
    same_length,
)
from equipoise.estimation.effects.monotone import monotone
from equipoise.estimation.effects.neyman import difference_in_means
from equipoise.estimation.inference import Estimate, JointTest
from equipoise.estimation.least_squares.covariance import Variance
from equipoise.estimation.least_squares.linear import fit_linear

__all__ = ["EffectByWeek", "MonotoneFit", "WeekEffect", "effect_by_week"]


@dataclass(frozen=True)
class WeekEffect:
    """One week: how many answered in each arm, and the contrast, or why it has none."""

    week: int
    counts: tuple[int, ...]
    effect: Estimate | None
    not_estimable: str | None


@dataclass(frozen=True)
class MonotoneFit:
    """The closest curve that only falls, or only rises, over the weeks that have an effect."""

    direction: Literal["falling", "rising"]
    weeks: tuple[int, ...]
    effects: tuple[float, ...]


@dataclass(frozen=True)
class EffectByWeek:
    """The effect week by week, whether the weeks differ, and two summaries of how it moves.

    Attributes:
        weeks: every week in which somebody answered, in order.
        equality: the test that all weeks have the same effect; None with fewer than two weeks to compare.
        fade: change of the effect a week later, from a linear model with week effects; None likewise.
        monotone: the fit; None with no week to fit.
    """

    weeks: tuple[WeekEffect, ...]
    equality: JointTest | None
    fade: Estimate | None
    monotone: MonotoneFit | None


def effect_by_week(
    outcome: npt.ArrayLike,
    arm: npt.ArrayLike,
    week: npt.ArrayLike,
    contrast: npt.ArrayLike,
    *,
    variance: Variance = "HC2",
    cluster: npt.ArrayLike | None = None,
    level: float = 0.95,
    arm_names: Sequence[str] | None = None,
) -> EffectByWeek:
    """A contrast of arms among those who answered in each week since launch.

    Args:
        outcome: (n,) of those who answered.
        arm: (n,) codes from 0.
        week: (n,) whole weeks since launch.
        contrast: one weight an arm.
        variance: of the test and the fade; with clusters a CR variance, and then of each week's effect too.
        cluster: (n,) labels.
        level: coverage of the intervals.
        arm_names: for messages.
    Returns:
        Each week's difference in means (Neyman); a Wald test of equal effects with a mean for every
        arm in every week; the slope of the effect over weeks given week effects; and the monotone fit, weeks
        weighted by one over their squared error, falling or rising, whichever is closer.
    Raises:
        DesignError: weeks that are not whole numbers.
    """
    y, codes, when, weights = _checked(outcome, arm, week, contrast)
    clusters = None if cluster is None else np.asarray(cluster)
    same_length(len(y), cluster=clusters)
    inside = np.isin(codes, arms_compared(weights))
    one_week = _OneWeek(weights, variance, level, arm_names)
    weeks = tuple(
        one_week.effect(
            int(w), y[when == w], codes[when == w], None if clusters is None else clusters[when == w]
        )
        for w in np.unique(when[inside])
    )
    usable = [each.week for each in weeks if each.effect is not None]
    if len(usable) < 2:
        return EffectByWeek(weeks, None, None, _monotone(weeks))
    keep = inside & np.isin(when, usable)
    held = None if clusters is None else clusters[keep]
    return EffectByWeek(
        weeks,
        _equality(y[keep], codes[keep], when[keep], weights, variance, held),
        _fade(y[keep], codes[keep], when[keep], weights, variance, held, level),
        _monotone(weeks),
    )


def _checked(
    outcome: npt.ArrayLike, arm: npt.ArrayLike, week: npt.ArrayLike, contrast: npt.ArrayLike
) -> tuple[Floats, Ints, Ints, Floats]:
    y, codes, when = finite(outcome, "outcome"), np.asarray(arm, dtype=np.int64), finite(week, "week")
    same_length(len(y), arm=codes, week=when)
    if (when != np.round(when)).any():
        raise refuse("week", f"holds {when[when != np.round(when)][0]:g}; expected whole weeks since launch.")
    return y, codes, when.astype(np.int64), contrast_weights(contrast, codes)


@dataclass(frozen=True)
class _OneWeek:
    weights: Floats
    variance: Variance
    level: float
    arm_names: Sequence[str] | None

    def effect(self, week: int, y: Floats, arm: Ints, cluster: npt.NDArray[np.generic] | None) -> WeekEffect:
        counts = tuple(int(count) for count in np.bincount(arm, minlength=len(self.weights)))
        try:
            return WeekEffect(week, counts, self._estimate(y, arm, cluster), None)
        except DesignError as error:
            return WeekEffect(week, counts, None, str(error))

    def _estimate(self, y: Floats, arm: Ints, cluster: npt.NDArray[np.generic] | None) -> Estimate:
        if cluster is None:
            return difference_in_means(y, arm, self.weights, level=self.level, arm_names=self.arm_names)
        compared = np.flatnonzero(self.weights)
        design = (arm[:, None] == compared).astype(np.float64)
        if not design.any(axis=0).all():
            raise refuse("arm", "an arm compared has nobody in this week.")
        rows = design.any(axis=1)
        fit = fit_linear(y[rows], design[rows], variance=self.variance, cluster=cluster[rows])
        return fit.contrast(self.weights[compared], self.level)


def _equality(
    y: Floats,
    arm: Ints,
    week: Ints,
    weights: Floats,
    variance: Variance,
    cluster: npt.NDArray[np.generic] | None,
) -> JointTest | None:
    """Week after week against the first, in the model with a mean for every cell."""
    weeks, compared = np.unique(week), np.flatnonzero(weights)
    cells = ((week[:, None] == weeks)[:, :, None] & (arm[:, None] == compared)[:, None, :]).reshape(
        len(y), -1
    )
    effects = np.kron(np.eye(len(weeks)), weights[compared])
    try:
        fit = fit_linear(y, cells.astype(np.float64), variance=variance, cluster=cluster)
        return fit.joint_test(effects[1:] - effects[0])
    except DesignError:
        return None


def _fade(
    y: Floats,
    arm: Ints,
    week: Ints,
    weights: Floats,
    variance: Variance,
    cluster: npt.NDArray[np.generic] | None,
    level: float,
) -> Estimate | None:
    """Arms, week effects and arm x week: the contrast of the arms' slopes."""
    compared = np.flatnonzero(weights)[1:]
    arms = (arm[:, None] == compared).astype(np.float64)
    design = np.concatenate((arms, arms * (week - week.min())[:, None]), axis=1)
    vector = np.concatenate((np.zeros(len(compared)), weights[compared]))
    try:
        return fit_linear(y, design, variance=variance, strata=week, cluster=cluster).contrast(vector, level)
    except DesignError:
        return None


def _monotone(weeks: Sequence[WeekEffect]) -> MonotoneFit | None:
    """Weeks weigh by one over their squared error."""
    known = [(each.week, each.effect) for each in weeks if each.effect is not None]
    if not known:
        return None
    values = np.array([effect.estimate for _, effect in known])
    mass = np.array([effect.std_error**-2 for _, effect in known])
    fit = monotone(values, mass)
    return MonotoneFit(fit.direction, tuple(week for week, _ in known), fit.values)
