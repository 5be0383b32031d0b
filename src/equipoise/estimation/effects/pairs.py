"""Small blocks: pairs of people, pairs of clusters, and mixtures of small and large blocks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from equipoise.estimation.arrays import (
    Bools,
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
from equipoise.estimation.effects.strata import Cells, cells_of, stratum_sizes
from equipoise.estimation.inference import Estimate, estimate_from

__all__ = ["hybrid_difference", "paired_clusters", "paired_difference"]


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
    return paired_clusters(outcome, arm, contrast, pairs, np.arange(len(np.asarray(outcome))), level=level)


def paired_clusters(
    outcome: npt.ArrayLike,
    arm: npt.ArrayLike,
    contrast: npt.ArrayLike,
    pairs: npt.ArrayLike,
    cluster: npt.ArrayLike,
    *,
    level: float = 0.95,
    arm_names: Sequence[str] | None = None,
) -> Estimate:
    """Average effect where clusters were randomised in pairs, pairs weighted by their people.

    Args:
        outcome: (n,) of people, in its own unit.
        arm: (n,) codes from 0, the same within a cluster.
        contrast: +1 for one arm and -1 for another.
        pairs: (n,) labels, each held by one cluster in each of the two arms.
        cluster: (n,) labels.
        level: coverage of the interval.
        arm_names: for messages.
    Returns:
        sum of w_k d_k / W with d_k the difference between the means of a pair's clusters and w_k its people,
        W their sum; pairs - 1 degrees of freedom.
    Raises:
        DesignError: a pair that is not one cluster in each arm; the message names it.

    Imai, King & Nall (2009), Statistical Science 24:29, section 4: conservative when effects differ between
    pairs; unbiased for the average over people where the clusters of a pair are of a size.
    """
    y, codes, weights = _checked(outcome, arm, contrast)
    pair, labels = codes_of(pairs, "pairs")
    unit, names = codes_of(cluster, "cluster")
    same_length(len(y), pairs=pair, cluster=unit)
    compared = _two_arms(weights)
    inside = np.isin(codes, compared)
    counts = np.bincount(unit, minlength=len(names)).astype(np.float64)
    _, first = np.unique(unit, return_index=True)
    if (codes[first][unit] != codes).any() or (pair[first][unit] != pair).any():
        raise refuse("cluster", "holds people of two arms or two pairs; clusters are allocated as a whole.")
    held = inside[first]
    means = np.bincount(unit, y) / counts
    _one_in_each(codes[first], pair[first], compared, labels, counts, arm_names)
    signed = weights[codes[first]] * means
    differences, people = (
        np.asarray(np.bincount(pair[first][held], column[held]), dtype=np.float64)
        for column in (signed, counts)
    )
    return _from_pairs(differences, people, level, float(np.abs(y).max()))


def hybrid_difference(
    outcome: npt.ArrayLike,
    arm: npt.ArrayLike,
    contrast: npt.ArrayLike,
    strata: npt.ArrayLike,
    *,
    randomised: Mapping[Any, float] | None = None,
    level: float = 0.95,
    arm_names: Sequence[str] | None = None,
) -> Estimate:
    """Average effect over strata of which some have one person in an arm, weighting strata by size.

    Args:
        outcome: (n,) in its own unit; NaN is refused, not dropped.
        arm: (n,) codes from 0; allocation as randomised, not as received.
        contrast: one weight an arm, adding up to 0.
        strata: (n,) labels of the strata used to randomise.
        randomised: people randomised in each stratum, by its label: the weights.
        level: coverage of the interval.
        arm_names: for messages.
    Returns:
        The contrast. Strata with two people in each arm give Neyman's variance; the others, the small ones,
        give one together, from how their differences vary. Degrees of freedom match moments.
    Raises:
        DesignError: a stratum without anybody in an arm compared, one small stratum alone, or one that holds
            half of the people of all small ones: it is named.

    Pashley & Miratrix (2021), J. Educational and Behavioral Statistics 46:271: the hybrid of both, with the
    variance of small strata that allows for sizes of any kind; with pairs alone it is `paired_difference`.
    """
    y, codes, weights = _checked(outcome, arm, contrast)
    stratum, labels = codes_of(strata, "strata")
    same_length(len(y), strata=stratum)
    share = stratum_sizes(stratum, labels, randomised)
    compared = arms_compared(weights)
    cells = cells_of(y, codes, stratum, len(labels), len(weights)).only(compared)
    _somebody_everywhere(cells, compared, labels, arm_names)
    differences = cells.means @ weights[compared]
    small: Bools = np.asarray((cells.counts < 2).any(axis=1))
    large = _Large(share[~small], cells.rows(~small), weights[compared])
    variances, freedoms = large.terms()
    if small.any():
        _none_too_large(share[small], labels[small])
        variances = np.append(variances, _small_variance(differences[small], share[small]))
        freedoms = np.append(freedoms, small.sum() - 1)
    total = float(variances.sum())
    moments = float((variances**2 / freedoms).sum())
    dof = total**2 / moments if moments > 0 else float(freedoms.sum())
    scale = float(np.abs(y).max() * np.abs(weights).max())
    return estimate_from(float(share @ differences), float(np.sqrt(total)), dof, level, scale=scale)


def _checked(
    outcome: npt.ArrayLike, arm: npt.ArrayLike, contrast: npt.ArrayLike
) -> tuple[Floats, Ints, Floats]:
    y, codes = finite(outcome, "outcome"), np.asarray(arm, dtype=np.int64)
    same_length(len(y), arm=codes)
    return y, codes, contrast_weights(contrast, codes)


def _two_arms(weights: Floats) -> list[int]:
    compared = arms_compared(weights)
    if sorted(weights[compared]) != [-1.0, 1.0]:
        raise refuse("contrast", "of pairs gives +1 to one arm and -1 to another; use strata for more arms.")
    return compared


def _one_in_each(
    arm: Ints,
    pair: Ints,
    compared: list[int],
    labels: Labels,
    sizes: Floats,
    arm_names: Sequence[str] | None,
) -> None:
    noun = "people" if (sizes == 1).all() else "clusters"
    for code in compared:
        held = np.bincount(pair[arm == code], minlength=len(labels))
        if (held != 1).any():
            first = int(np.flatnonzero(held != 1)[0])
            name = name_of(code, arm_names, "arm")
            raise refuse(
                "pairs", f'"{labels[first]}" has {held[first]} {noun} in {name}; expected one in each.'
            )


def _from_pairs(differences: Floats, people: Floats, level: float, scale: float) -> Estimate:
    """The estimate of Imai, King & Nall and its variance, pairs weighted by their people."""
    count, total = len(differences), people.sum()
    estimate = float(people @ differences / total)
    spread = people * differences - total * estimate / count
    variance = count / (count - 1) * (spread @ spread) / total**2 if count > 1 else np.nan
    return estimate_from(estimate, float(np.sqrt(variance)), count - 1, level, scale=scale)


@dataclass(frozen=True, eq=False)
class _Large:
    """Strata that each give Neyman's variance."""

    share: Floats
    cells: Cells
    weights: Floats

    def terms(self) -> tuple[Floats, Floats]:
        """Variances and degrees of freedom, one a cell."""
        terms = (self.share[:, None] * self.weights) ** 2 * self.cells.variances / self.cells.counts
        return terms.ravel(), (self.cells.counts - 1).ravel()


def _somebody_everywhere(
    cells: Cells, compared: list[int], labels: Labels, arm_names: Sequence[str] | None
) -> None:
    empty = np.argwhere(cells.counts < 1)
    if len(empty):
        row, column = (int(index) for index in empty[0])
        name = name_of(compared[column], arm_names, "arm")
        raise refuse(
            "strata",
            f'stratum "{labels[row]}" has nobody in {name}. Merge strata as the protocol allows, or use a '
            "linear model with stratum effects.",
        )


def _none_too_large(share: Floats, labels: Labels) -> None:
    largest = int(np.argmax(share))
    if len(share) < 2 or share[largest] >= share.sum() / 2:
        raise refuse(
            "strata",
            f'stratum "{labels[largest]}" has one person in an arm and at least half of the people of such '
            "strata, so its error cannot be estimated. Merge strata as the protocol allows, or use a linear "
            "model with stratum effects.",
        )


def _small_variance(differences: Floats, share: Floats) -> float:
    """Squares about the mean, weighted so that equal effects give its variance whatever the sizes."""
    total = share.sum()
    part = share / total
    pull = part**2 / (1 - 2 * part)
    return float(total**2 * (pull @ (differences - part @ differences) ** 2) / (1 + pull.sum()))
