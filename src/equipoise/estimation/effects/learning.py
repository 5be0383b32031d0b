"""How an effect grows or fades from wave to wave, the same people being asked again."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from equipoise.errors import DesignError
from equipoise.estimation.arrays import (
    Bools,
    Dof,
    Floats,
    Ints,
    arms_compared,
    codes_of,
    contrast_weights,
    finite,
    finite_columns,
    refuse,
    same_length,
)
from equipoise.estimation.inference import Estimate, JointTest
from equipoise.estimation.least_squares.covariance import Variance
from equipoise.estimation.least_squares.linear import LinearFit, fit_linear

__all__ = ["EffectByWave", "WaveEffect", "effect_by_wave"]


@dataclass(frozen=True)
class WaveEffect:
    """One wave: when it was, how many answered in each arm, and the contrast, or why it has none."""

    time: float
    counts: tuple[int, ...]
    effect: Estimate | None
    not_estimable: str | None


@dataclass(frozen=True)
class EffectByWave:
    """The effect wave by wave.

    Attributes:
        waves: in the order given.
        equality: that all waves have the same effect; None with fewer than two to compare.
        trend: change of the effect for each unit of time, of the straight line through the waves' effects,
            every wave counted alike; None likewise.
    """

    waves: tuple[WaveEffect, ...]
    equality: JointTest | None
    trend: Estimate | None


def effect_by_wave(
    outcome: npt.ArrayLike,
    arm: npt.ArrayLike,
    contrast: npt.ArrayLike,
    times: Sequence[float],
    *,
    covariates: npt.ArrayLike | None = None,
    cluster: npt.ArrayLike | None = None,
    variance: Variance = "CR2",
    dof: Dof = "satterthwaite",
    level: float = 0.95,
) -> EffectByWave:
    """A contrast of arms at each wave after allocation, errors clustered by person.

    Args:
        outcome: (n, w) one column a wave; NaN where a person did not answer it.
        arm: (n,) codes from 0; allocation as randomised.
        contrast: one weight an arm, adding up to 0.
        times: (w,) of the waves, in any unit, all different.
        covariates: (n, p) measured before allocation; each has a slope of its own in each wave.
        cluster: (n,) labels; left out, each person is one.
        variance: CR0 to CR3.
        dof: degrees of freedom.
        level: coverage of the intervals.
    Returns:
        The contrast of arm by wave means, of those who answered in each wave: a person with gaps stays in.
    Raises:
        DesignError: sizes that differ, times that repeat, or nobody who answered.

    Liang & Zeger (1986), Biometrika 73:13, with independence as the working correlation: right whatever the
    correlation, and about who answered; a mixed model for repeated measures uses the correlation instead.
    """
    values, codes = np.asarray(outcome, dtype=np.float64), np.asarray(arm, dtype=np.int64)
    moments = finite(times, "times")
    if values.ndim != 2 or values.shape[1] != len(moments) or len(np.unique(moments)) < len(moments):
        raise refuse("times", "do not give one time, all of them different, for each column of the outcome.")
    extra = np.empty((len(values), 0)) if covariates is None else finite_columns(covariates, "covariates")
    people = np.arange(len(values)) if cluster is None else codes_of(cluster, "cluster")[0]
    same_length(len(values), arm=codes, covariates=extra, cluster=people)
    weights = contrast_weights(contrast, codes)
    answered = ~np.isnan(values) & np.isin(codes, arms_compared(weights))[:, None]
    fit = _fitted(values, codes, extra, people, answered, weights, variance, dof)
    vectors = _vectors(weights, len(moments), len(fit.coefficients))
    waves = tuple(
        _wave(fit, vector, float(moment), codes[held], weights, level)
        for vector, moment, held in zip(vectors, moments, answered.T, strict=True)
    )
    usable = [place for place, wave in enumerate(waves) if wave.effect is not None]
    if len(usable) < 2:
        return EffectByWave(waves, None, None)
    away = moments[usable] - moments[usable].mean()
    return EffectByWave(
        waves,
        _equality(fit, vectors[usable]),
        fit.contrast(away @ vectors[usable] / (away @ away), level),
    )


def _fitted(
    values: Floats,
    arm: Ints,
    extra: Floats,
    people: Ints,
    answered: Bools,
    weights: Floats,
    variance: Variance,
    dof: Dof,
) -> LinearFit:
    """Answers below each other; a mean for every arm in every wave, then covariates by wave."""
    person, wave = np.nonzero(answered)
    if not len(person):
        raise refuse("outcome", "nobody in the arms compared answered in any of these waves.")
    waves = (wave[:, None] == np.arange(values.shape[1])).astype(np.float64)
    arms = (arm[person][:, None] == np.flatnonzero(weights)).astype(np.float64)
    cells = (waves[:, :, None] * arms[:, None, :]).reshape(len(person), -1)
    centred = extra[person] - (extra[person].mean(axis=0) if extra.size else 0.0)
    slopes = (waves[:, :, None] * centred[:, None, :]).reshape(len(person), -1)
    _, cluster = np.unique(people[person], return_inverse=True)
    design = np.concatenate((cells, slopes), axis=1)
    return fit_linear(values[person, wave], design, variance=variance, cluster=cluster.ravel(), dof=dof)


def _vectors(weights: Floats, waves: int, width: int) -> Floats:
    """(w, k) the contrast in each wave as weights of the columns."""
    compared = weights[np.flatnonzero(weights)]
    vectors = np.zeros((waves, width))
    vectors[:, : waves * len(compared)] = np.kron(np.eye(waves), compared)
    return vectors


def _wave(
    fit: LinearFit, vector: Floats, time: float, arm: Ints, weights: Floats, level: float
) -> WaveEffect:
    counts = np.bincount(arm, minlength=len(weights))
    given = time, tuple(int(count) for count in counts)
    if (counts[arms_compared(weights)] < 2).any():
        return WaveEffect(*given, None, "fewer than two people of an arm answered in this wave")
    try:
        return WaveEffect(*given, fit.contrast(vector, level), None)
    except DesignError as error:
        return WaveEffect(*given, None, str(error))


def _equality(fit: LinearFit, vectors: Floats) -> JointTest | None:
    try:
        return fit.joint_test(vectors[1:] - vectors[0])
    except DesignError:
        return None
