"""Unequal chances of an arm: everybody weighted by one over the chance of the arm that they are in."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from equipoise.estimation.arrays import (
    Dof,
    Floats,
    Ints,
    arms_compared,
    codes_of,
    contrast_weights,
    finite,
    finite_columns,
    name_of,
    refuse,
    same_length,
)
from equipoise.estimation.effects.adjusted import linear_effect
from equipoise.estimation.inference import Estimate, estimate_from
from equipoise.estimation.least_squares.covariance import Variance

__all__ = ["hajek", "horvitz_thompson", "joint_probabilities"]

_NEVER = 1e-12
"""Two allocations whose joint chance is below this never happen together."""


def horvitz_thompson(
    outcome: npt.ArrayLike,
    arm: npt.ArrayLike,
    contrast: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    *,
    joint: npt.ArrayLike | None = None,
    cluster: npt.ArrayLike | None = None,
    level: float = 0.95,
    arm_names: Sequence[str] | None = None,
) -> Estimate:
    """A contrast of totals over chances, divided by everybody: unbiased whatever the chances.

    Args:
        outcome: (n,) of everybody randomised; NaN is refused, not dropped.
        arm: (n,) codes from 0; allocation as randomised.
        contrast: one weight an arm, adding up to 0.
        probabilities: (n, arms) each person's chance of each arm.
        joint: (n, arms, n, arms) the chance that one person is in one arm and another in another; left out,
            people are allocated independently. See `joint_probabilities`. With clusters it is of them, in
            the order of their labels.
        cluster: (n,) labels of what was allocated as a whole; the variance is that of the clusters' totals.
        level: coverage of the interval, on the normal distribution.
        arm_names: for messages.
    Returns:
        The contrast. It moves with a constant added to every outcome; `hajek`, which does not, is to report.
    Raises:
        DesignError: a chance that is none, or 0 for an arm that is compared; an arm compared has nobody; a
            cluster whose people differ in arm or chances; a variance below 0.

    Horvitz & Thompson (1952), JASA 47:663. Variance: Aronow & Samii (2017), Ann. Appl. Stat. 11:1912, section
    5: pairs that never happen together enter by Young's inequality, so it is never too small on average.
    """
    y, codes = finite(outcome, "outcome"), np.asarray(arm, dtype=np.int64)
    same_length(len(y), arm=codes)
    weights = contrast_weights(contrast, codes)
    chance, compared = _own_chance(probabilities, codes, weights, arm_names)
    people, weighted = len(y), weights[codes] * y
    if cluster is not None:
        weighted, chance, codes = _totals(weighted, chance, codes, cluster)
    spread = weighted / chance
    if joint is None:
        variance = float(spread**2 @ (1 - chance) + (len(compared) - 1) * (weighted**2 @ (1 / chance)))
    else:
        variance = _joint_variance(np.asarray(joint, dtype=np.float64), weighted, chance, codes, compared)
    if variance < -_NEVER * float(spread @ spread):
        message = "give a variance below 0, as they can in small trials; take Hajek's weights."
        raise refuse("joint", message)
    error = float(np.sqrt(max(variance, 0.0))) / people
    return estimate_from(float(spread.sum()) / people, error, np.inf, level, scale=float(np.abs(y).max()))


def hajek(
    outcome: npt.ArrayLike,
    arm: npt.ArrayLike,
    contrast: npt.ArrayLike,
    probabilities: npt.ArrayLike,
    *,
    covariates: npt.ArrayLike | None = None,
    cluster: npt.ArrayLike | None = None,
    variance: Variance | None = None,
    dof: Dof = "satterthwaite",
    level: float = 0.95,
    arm_names: Sequence[str] | None = None,
) -> Estimate:
    """A contrast of means, each person weighted by one over the chance of their arm.

    Args:
        outcome: (n,) in its own unit; NaN is refused, not dropped.
        arm: (n,) codes from 0.
        contrast: one weight an arm, adding up to 0.
        probabilities: (n, arms) each person's chance of each arm.
        covariates: (n, p) measured before allocation.
        cluster: (n,) labels.
        variance: `HC2` where left out, `CR2` with clusters; `HC0` is the plain linearised variance.
        dof: degrees of freedom.
        level: coverage of the interval.
        arm_names: for messages.
    Returns:
        The contrast, by weighted least squares. Its variance takes people (or clusters) as allocated
        independently, and is too large rather than too small where they were drawn within strata.
    Raises:
        DesignError: as in `horvitz_thompson`.

    Hajek (1971), in Foundations of Statistical Inference, 236; linearised as in Sarndal, Swensson & Wretman
    (1992), Model Assisted Survey Sampling, section 5.7.
    """
    codes = np.asarray(arm, dtype=np.int64)
    weights = contrast_weights(contrast, codes)
    chance, _ = _own_chance(probabilities, codes, weights, arm_names)
    return linear_effect(
        outcome,
        codes,
        weights,
        covariates=covariates,
        cluster=cluster,
        weights=1 / chance,
        variance=variance or ("HC2" if cluster is None else "CR2"),
        dof=dof,
        level=level,
        arm_names=arm_names,
    )


def joint_probabilities(arm: npt.ArrayLike, arms: int, *, strata: npt.ArrayLike | None = None) -> Floats:
    """The joint chances of an allocation that fixed how many of each stratum are in each arm.

    Args:
        arm: (n,) codes from 0 of people, or of clusters allocated as a whole; the counts within strata are
            those that the allocation fixed.
        arms: how many arms there are.
        strata: (n,) labels; left out, all are one stratum.
    Returns:
        (n, arms, n, arms); with itself a person is in one arm only.
    """
    codes = np.asarray(arm, dtype=np.int64)
    stratum = np.zeros(len(codes), dtype=np.int64) if strata is None else codes_of(strata, "strata")[0]
    same_length(len(codes), strata=stratum)
    counts = np.zeros((int(stratum.max()) + 1, arms))
    np.add.at(counts, (stratum, codes), 1.0)
    sizes = counts.sum(axis=1)
    shares = (counts / sizes[:, None])[stratum]
    joint = np.asarray(shares[:, :, None, None] * shares, dtype=np.float64)
    same = (stratum[:, None] == stratum) & ~np.eye(len(codes), dtype=bool)
    own, size = counts[stratum], sizes[stratum]
    others = own[:, None, :] - np.eye(arms)
    within = own[:, :, None] * others / np.maximum(size * (size - 1), 1)[:, None, None]
    one, other = np.nonzero(same)
    joint[one, :, other, :] = within[one]
    each = np.arange(len(codes))
    joint[each, :, each, :] = shares[:, :, None] * np.eye(arms)
    return joint


def _totals(
    weighted: Floats, chance: Floats, arm: Ints, cluster: npt.ArrayLike
) -> tuple[Floats, Floats, Ints]:
    unit, labels = codes_of(cluster, "cluster")
    same_length(len(arm), cluster=unit)
    _, first = np.unique(unit, return_index=True)
    apart = (arm[first][unit] != arm) | (chance[first][unit] != chance)
    if apart.any():
        name = labels[unit[int(np.flatnonzero(apart)[0])]]
        raise refuse("cluster", f'"{name}" has people of different arms or chances; it is allocated whole.')
    totals = np.asarray(np.bincount(unit, weighted), dtype=np.float64)
    return totals, chance[first], arm[first]


def _own_chance(
    probabilities: npt.ArrayLike, arm: Ints, weights: Floats, arm_names: Sequence[str] | None
) -> tuple[Floats, list[int]]:
    chances = finite_columns(probabilities, "probabilities")
    same_length(len(arm), probabilities=chances)
    if chances.shape[1] != len(weights):
        raise refuse("probabilities", f"has {chances.shape[1]} arms, the contrast has {len(weights)}.")
    if (chances < 0).any() or (np.abs(chances.sum(axis=1) - 1) > 1e-9).any():
        raise refuse("probabilities", "holds rows that are no chances; each adds up to 1, none is below 0.")
    compared = arms_compared(weights)
    for code in compared:
        name = name_of(code, arm_names, "arm")
        without = int((chances[:, code] <= 0).sum())
        if without:
            raise refuse(
                "probabilities",
                f"{without} people had no chance of {name}; leave them out of the comparison (`among`).",
            )
        if not (arm == code).any():
            raise refuse("arm", f"{name} has nobody with an outcome to compare.")
    own = chances[np.arange(len(arm)), arm]
    if (own <= 0).any():
        raise refuse("probabilities", "is 0 for an arm that somebody is in.")
    return own, compared


def _joint_variance(joint: Floats, weighted: Floats, chance: Floats, arm: Ints, compared: list[int]) -> float:
    """Pairs observed by their covariance over their joint chance; pairs never together by Young's bound."""
    people = np.arange(len(arm))
    if joint.shape[0] != len(arm) or joint.shape[2] != len(arm) or joint.ndim != 4:
        raise refuse("joint", f"has shape {joint.shape}; expected (people, arms, people, arms).")
    row = joint[people, arm]
    together = row[:, people, arm]
    seen = together > _NEVER
    spread = weighted / chance
    ratio = np.where(seen, 1 - np.outer(chance, chance) / np.where(seen, together, 1.0), 0.0)
    never = (row[:, :, compared] <= _NEVER).sum(axis=(1, 2))
    return float(spread @ ratio @ spread + never @ (weighted**2 / chance))
