"""Differences in means with Neyman's variance: no model, only the randomisation."""

from collections.abc import Mapping, Sequence
from typing import Any

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
    name_of,
    refuse,
    same_length,
)
from equipoise.estimation.effects.strata import cells_of, stratum_sizes
from equipoise.estimation.inference import Estimate, estimate_from

__all__ = ["difference_in_means", "stratified_difference_in_means"]


def difference_in_means(
    outcome: npt.ArrayLike,
    arm: npt.ArrayLike,
    contrast: npt.ArrayLike,
    *,
    strata: npt.ArrayLike | None = None,
    randomised: Mapping[Any, float] | None = None,
    dof: Dof | None = None,
    level: float = 0.95,
    arm_names: Sequence[str] | None = None,
) -> Estimate:
    """A contrast of arm means.

    Args:
        outcome: (n,) in its own unit; NaN is refused, not dropped.
        arm: (n,) codes from 0; allocation as randomised, not as received.
        contrast: one weight an arm, adding up to 0: (-1, 1) is the second less the first.
        strata: (n,) labels of the strata used to randomise; see `stratified_difference_in_means`.
        randomised: people randomised in each stratum, by its label.
        dof: `satterthwaite` (default without strata: Welch's) or `residual` (default with strata).
        level: coverage of the interval.
        arm_names: for messages.
    Returns:
        The contrast and its error.
    Raises:
        DesignError: an arm compared has fewer than two people; the message names it.

    Neyman (1923), Statistical Science 5:465 (1990): variance sum of c_k^2 s_k^2 / n_k, on average too large,
    never too small, when effects differ between people.
    """
    if strata is not None:
        return stratified_difference_in_means(
            outcome,
            arm,
            contrast,
            strata,
            randomised=randomised,
            dof=dof or "residual",
            level=level,
            arm_names=arm_names,
        )
    everyone = np.zeros(len(np.asarray(outcome)), dtype=np.int64)
    return _weighted_over_strata(
        outcome, arm, contrast, everyone, None, np.ones(1), dof or "satterthwaite", level, arm_names
    )


def stratified_difference_in_means(
    outcome: npt.ArrayLike,
    arm: npt.ArrayLike,
    contrast: npt.ArrayLike,
    strata: npt.ArrayLike,
    *,
    randomised: Mapping[Any, float] | None = None,
    dof: Dof = "residual",
    level: float = 0.95,
    arm_names: Sequence[str] | None = None,
) -> Estimate:
    """Average effect in a stratified trial, weighting strata by size.

    Args:
        outcome: (n,) in the outcome's own unit; NaN is refused, not dropped.
        arm: (n,) codes from 0; allocation as randomised, not as received.
        contrast: one weight an arm, adding up to 0.
        strata: (n,) labels of the strata used to randomise.
        randomised: people randomised in each stratum, by its label: the weights. Left out, strata weigh by
            the people in `outcome`, which differs where response does.
        dof: `residual` is n less the cells (arms compared times strata); `satterthwaite` matches moments.
        level: coverage of the interval.
        arm_names: for messages.
    Returns:
        Contrast and standard error in the unit of `outcome`.
    Raises:
        DesignError: a stratum has fewer than two people in an arm compared; the message names both. With one,
            `hybrid_difference` has an estimate.

    Neyman's variance: on average too large, never too small, when effects differ between people.
    Gerber & Green (2012), Field Experiments, eq. 3.10 and 3.12.
    """
    stratum, labels = codes_of(strata, "strata")
    names = [str(label) for label in labels]
    share = stratum_sizes(stratum, labels, randomised)
    return _weighted_over_strata(outcome, arm, contrast, stratum, names, share, dof, level, arm_names)


def _checked(
    outcome: npt.ArrayLike, arm: npt.ArrayLike, contrast: npt.ArrayLike
) -> tuple[Floats, Ints, Floats, float]:
    y, codes = finite(outcome, "outcome"), np.asarray(arm, dtype=np.int64)
    same_length(len(y), arm=codes)
    weights = contrast_weights(contrast, codes)
    return y, codes, weights, float(np.abs(y).max() * np.abs(weights).max())


def _weighted_over_strata(
    outcome: npt.ArrayLike,
    arm: npt.ArrayLike,
    contrast: npt.ArrayLike,
    stratum: Ints,
    stratum_names: Sequence[str] | None,
    share: Floats,
    dof: Dof,
    level: float,
    arm_names: Sequence[str] | None,
) -> Estimate:
    y, codes, weights, scale = _checked(outcome, arm, contrast)
    same_length(len(y), strata=stratum)
    compared = arms_compared(weights)
    cells = cells_of(y, codes, stratum, len(share), len(weights)).only(compared)
    counts = cells.counts
    if (counts < 2).any():
        row, column = (int(index) for index in np.argwhere(counts < 2)[0])
        raise refuse(*_too_few(int(counts[row, column]), row, compared[column], stratum_names, arm_names))
    terms = (share[:, None] * weights[compared]) ** 2 * cells.variances / counts
    freedom = counts.sum() - counts.size
    if dof == "satterthwaite":
        moments = (terms**2 / (counts - 1)).sum()
        freedom = terms.sum() ** 2 / moments if moments > 0 else freedom
    estimate = float(share @ (cells.means @ weights[compared]))
    return estimate_from(estimate, float(np.sqrt(terms.sum())), float(freedom), level, scale=scale)


def _too_few(
    found: int, stratum: int, arm: int, stratum_names: Sequence[str] | None, arm_names: Sequence[str] | None
) -> tuple[str, str]:
    people = "1 person" if found == 1 else f"{found} people"
    arm_name = name_of(arm, arm_names, "arm")
    if stratum_names is None:
        return "arm", f"{arm_name} has {people} with an outcome; its error needs at least 2."
    return (
        "strata",
        f"{name_of(stratum, stratum_names, 'stratum')} has {people} in {arm_name}; its error needs 2. "
        "Merge strata as the protocol allows, or use a linear model with stratum effects.",
    )
