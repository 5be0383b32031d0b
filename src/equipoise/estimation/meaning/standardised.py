"""Standardised effects: an effect divided by a named standard deviation."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from equipoise.estimation.arrays import Floats, Ints, refuse, same_length
from equipoise.estimation.inference import Estimate, estimate_from

__all__ = [
    "ReferenceSd",
    "StandardisedEffect",
    "hedges_g",
    "in_sd_units",
    "reference_sd",
    "small_sample_factor",
]

_MEASURED_BEFORE = 0.8
"""The SD before allocation is used where this share of the people analysed was measured then."""


@dataclass(frozen=True)
class ReferenceSd:
    """The standard deviation divided by, in the outcome's unit, its degrees of freedom, and what it is of."""

    value: float
    dof: float
    of: str


@dataclass(frozen=True)
class StandardisedEffect:
    """Hedges' g with its error and interval, and the SD it used."""

    effect: Estimate
    sd: ReferenceSd


def small_sample_factor(dof: float) -> float:
    """J, exactly: Gamma(nu / 2) / (sqrt(nu / 2) Gamma((nu - 1) / 2)).

    Hedges (1981), J. Educ. Stat. 6:107, eq. 6e.


    Raises:
        DesignError: two degrees of freedom or fewer.
    """
    if not dof > 1:
        raise refuse("sd", f"has {dof:g} degrees of freedom; a standardised effect needs more than 1.")
    if np.isinf(dof):
        return 1.0
    log = special.gammaln(dof / 2) - special.gammaln((dof - 1) / 2) - np.log(dof / 2) / 2
    return float(np.exp(log))


def hedges_g(effect: Estimate, sd: ReferenceSd, level: float | None = None) -> StandardisedEffect:
    """An effect in standard deviations, freed of small-sample bias.

    Args:
        effect: in the outcome's unit.
        sd: the standard deviation; see `reference_sd`.
        level: of the interval; that of the effect where left out.
    Returns:
        g = J d with d = effect / S, Var(g) = J^2 (SE^2 / S^2 + d^2 / (2 nu)) where nu is the SD's degrees of
        freedom (Borenstein et al. 2009, ch. 4, with the error of the estimate printed), and an
        interval on the degrees of freedom of the effect. Its p-value is that of g; the effect's own decides.
    Raises:
        DesignError: an SD that is not above 0, or on too few people.
    """
    if not (sd.value > 0 and np.isfinite(sd.value)):
        raise refuse("sd", f"is {sd.value:g}; an effect cannot be divided by it. Everyone answered alike.")
    factor = small_sample_factor(sd.dof)
    d = effect.estimate / sd.value
    error = factor * float(np.sqrt((effect.std_error / sd.value) ** 2 + d**2 / (2 * sd.dof)))
    return StandardisedEffect(
        estimate_from(factor * d, error, effect.dof, level or effect.interval.level, scale=0.0), sd
    )


def in_sd_units(effect: Estimate, sd: float) -> Estimate:
    """An effect divided by a fixed SD, such as a published one: no bias, no error in the SD."""
    if not (sd > 0 and np.isfinite(sd)):
        raise refuse("sd", f"is {sd:g}; expected a number above 0.")
    return effect.scaled(1 / sd)


def reference_sd(
    outcome: npt.ArrayLike, before: npt.ArrayLike | None, arm: npt.ArrayLike, control: int
) -> ReferenceSd:
    """The SD that a standardised effect divides by: never one that the arms may have changed.

    Args:
        outcome: (n,) of the people analysed, without gaps.
        before: (n,) their score before allocation, NaN where not measured; None where never asked.
        arm: (n,) codes from 0.
        control: the code of the control arm.
    Returns:
        The SD before allocation pooled over arms where at least 80% of the analysed have it, else that of the
        control arm after.
    """
    y, codes = np.asarray(outcome, dtype=np.float64), np.asarray(arm, dtype=np.int64)
    same_length(len(y), arm=codes)
    if before is not None:
        score = np.asarray(before, dtype=np.float64)
        same_length(len(y), before=score)
        known = ~np.isnan(score)
        if known.mean() >= _MEASURED_BEFORE:
            return _pooled(score[known], codes[known])
    held = y[codes == control]
    if len(held) < 2:
        raise refuse("arm", f"control arm {control} has {len(held)} people; its SD needs at least 2.")
    return ReferenceSd(float(held.std(ddof=1)), float(len(held) - 1), "the control arm after")


def _pooled(values: Floats, arm: Ints) -> ReferenceSd:
    counts = np.bincount(arm)
    means = np.bincount(arm, values) / np.maximum(counts, 1)
    dof = float(counts.sum() - (counts > 0).sum())
    if dof <= 0:
        raise refuse("before", "is known for one person an arm or fewer; its SD needs more.")
    squares = float(((values - means[arm]) ** 2).sum())
    return ReferenceSd(float(np.sqrt(squares / dof)), dof, "all arms before allocation, pooled")
