"""Differences in means with Neyman's variance: no model, only the randomisation."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from equipoise.estimation.arrays import (
    Dof,
    Floats,
    Ints,
    Labels,
    arms_compared,
    codes_of,
    contrast_weights,
    finite,
    name_of,
    refuse,
    same_length,
)
from equipoise.estimation.inference import Estimate, estimate_from

__all__ = ["difference_in_means", "paired_difference", "stratified_difference_in_means"]


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
        DesignError: a stratum has fewer than two people in an arm compared; the message names both.

    Neyman's variance: on average too large, never too small, when effects differ between people.
    Gerber & Green (2012), Field Experiments, eq. 3.10 and 3.12.
    """
    stratum, labels = codes_of(strata, "strata")
    names = [str(label) for label in labels]
    sizes = np.bincount(stratum).astype(np.float64) if randomised is None else _sizes(randomised, labels)
    return _weighted_over_strata(
        outcome, arm, contrast, stratum, names, sizes / sizes.sum(), dof, level, arm_names
    )


def paired_difference(
    outcome: npt.ArrayLike,
    arm: npt.ArrayLike,
    contrast: npt.ArrayLike,
    pairs: npt.ArrayLike,
    *,
    level: float = 0.95,
) -> Estimate:
    """Average effect where people (or clusters' means) were randomised in pairs.

    Args:
        outcome: (n,) in its own unit.
        arm: (n,) codes from 0.
        contrast: +1 for one arm and -1 for another.
        pairs: (n,) labels, each held by one person in each of the two arms.
        level: coverage of the interval.
    Returns:
        The mean of the pairs' differences, its error from their spread; pairs - 1 degrees of freedom.
    Raises:
        DesignError: a pair that is not one person in each arm; the message names it.

    Imai (2008), Statistics in Medicine 27:4857, eq. 5: conservative when effects differ between pairs.
    """
    y, codes, weights, _ = _checked(outcome, arm, contrast)
    pair, labels = codes_of(pairs, "pairs")
    same_length(len(y), pairs=pair)
    compared = arms_compared(weights)
    if sorted(weights[compared]) != [-1.0, 1.0]:
        raise refuse("contrast", "of pairs gives +1 to one arm and -1 to another; use strata for more arms.")
    for code in compared:
        held = np.bincount(pair[codes == code], minlength=len(labels))
        if (held != 1).any():
            first = int(np.flatnonzero(held != 1)[0])
            raise refuse(
                "pairs", f'"{labels[first]}" has {held[first]} people in arm {code}; expected one in each.'
            )
    differences = np.bincount(pair, weights[codes] * y)
    error = float(differences.std(ddof=1) / np.sqrt(len(labels))) if len(labels) > 1 else np.nan
    return estimate_from(
        float(differences.mean()), error, len(labels) - 1, level, scale=float(np.abs(y).max())
    )


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
    counts, means, variances = _cells(y, codes, stratum, len(share), len(weights))
    counts, means, variances = counts[:, compared], means[:, compared], variances[:, compared]
    if (counts < 2).any():
        row, column = (int(index) for index in np.argwhere(counts < 2)[0])
        raise refuse(*_too_few(int(counts[row, column]), row, compared[column], stratum_names, arm_names))
    terms = (share[:, None] * weights[compared]) ** 2 * variances / counts
    freedom = counts.sum() - counts.size
    if dof == "satterthwaite":
        moments = (terms**2 / (counts - 1)).sum()
        freedom = terms.sum() ** 2 / moments if moments > 0 else freedom
    estimate = float(share @ (means @ weights[compared]))
    return estimate_from(estimate, float(np.sqrt(terms.sum())), float(freedom), level, scale=scale)


def _sizes(randomised: Mapping[Any, float], labels: Labels) -> Floats:
    heard = labels.tolist()
    for label in randomised:
        if label not in heard:
            raise refuse("strata", f'stratum "{label}" was randomised, but nobody in it has an outcome.')
    sizes = np.array([float(randomised.get(label, 0)) for label in heard])
    if not (sizes > 0).all():
        first = heard[int(np.flatnonzero(~(sizes > 0))[0])]
        raise refuse(
            "randomised", f'has no count above 0 for stratum "{first}", in which people have outcomes.'
        )
    return sizes


def _cells(y: Floats, arm: Ints, stratum: Ints, strata: int, arms: int) -> tuple[Floats, Floats, Floats]:
    """Count, mean and variance (divisor n - 1) of every stratum by arm; NaN where a cell is too small."""
    cell = stratum * arms + arm
    counts = np.bincount(cell, minlength=strata * arms).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        means = np.bincount(cell, y, minlength=strata * arms) / counts
        squares = np.bincount(cell, (y - means[cell]) ** 2, minlength=strata * arms)
        variances = squares / (counts - 1)
    shape = (strata, arms)
    return counts.reshape(shape), means.reshape(shape), variances.reshape(shape)


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
