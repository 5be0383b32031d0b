"""How alike people of one cluster are, and what that costs: intracluster correlation and design effect.

From the analysis of variance, because that estimate may be negative, as chance makes it where there is little
likeness; a variance component cannot.

Donner & Klar (2000), Design and Analysis of Cluster Randomization Trials, sections 1.4 and 6.2; Eldridge,
Ashby & Kerry (2006), Int. J. Epidemiol. 35:1292, on sizes that differ.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from equipoise.estimation.arrays import codes_of, finite, refuse, same_length
from equipoise.estimation.inference import Interval, check_level

__all__ = ["Likeness", "design_effect", "intracluster_correlation"]


@dataclass(frozen=True)
class Likeness:
    """How alike people of one cluster are within their arm.

    Attributes:
        correlation: the intracluster correlation; may be negative.
        interval: of the correlation.
        between, within: mean squares.
        clusters, people: how many.
        mean_size, variation: of the clusters' sizes, the mean and the coefficient of variation.
        design_effect: how many times the variance of an effect is that of as many people drawn one by one.
    """

    correlation: float
    interval: Interval
    between: float
    within: float
    clusters: int
    people: int
    mean_size: float
    variation: float
    design_effect: float


def intracluster_correlation(
    outcome: npt.ArrayLike, cluster: npt.ArrayLike, arm: npt.ArrayLike, level: float = 0.95
) -> Likeness:
    """The intracluster correlation within arms, with Searle's interval.

    Args:
        outcome: (n,) in its own unit; NaN is refused.
        cluster: (n,) labels.
        arm: (n,) labels: means of arms may differ without making people of a cluster more alike.
        level: coverage of the interval, exact for normal outcomes in clusters of one size; otherwise the
            size of an average cluster stands in (Ukoumunne 2002, Statistics in Medicine 21:3757).
    Returns:
        The correlation (MSB - MSW) / (MSB + (m0 - 1) MSW).
    Raises:
        DesignError: a cluster in two arms, no arm with two clusters, one person in every cluster, or an
            outcome that does not vary within clusters.
    """
    check_level(level)
    y = finite(outcome, "outcome")
    group, clusters = codes_of(cluster, "cluster")
    code, arms = codes_of(arm, "arm")
    same_length(len(y), cluster=group, arm=code)
    size = np.bincount(group)
    own = np.zeros(len(clusters), dtype=np.int64)
    own[group] = code
    if (own[group] != code).any():
        named = clusters[int(group[np.flatnonzero(own[group] != code)[0]])]
        raise refuse("cluster", f'"{named}" is in two arms; a cluster is allocated as a whole.')
    means = np.bincount(group, y) / size
    total = np.bincount(code)
    between_dof, within_dof = len(clusters) - len(arms), len(y) - len(clusters)
    _check_freedom(between_dof, within_dof)
    grand = (np.bincount(code, y) / total)[own]
    between = float((size * (means - grand) ** 2).sum() / between_dof)
    within = float(((y - means[group]) ** 2).sum() / within_dof)
    if not within > 1e-24 * float((y**2).max()):
        raise refuse("outcome", "does not vary within clusters.")
    squares = np.bincount(own, size**2, minlength=len(arms)) / total
    average = float((len(y) - squares.sum()) / between_dof)
    ratio = between / within
    tails = stats.f.ppf((0.5 + level / 2, 0.5 - level / 2), between_dof, within_dof)
    low, high = (float(_correlation(ratio / tail, average)) for tail in tails)
    correlation = _correlation(ratio, average)
    mean, spread = float(size.mean()), float(size.std(ddof=1) / size.mean())
    return Likeness(
        correlation, Interval(level, low, high), between, within, len(clusters), len(y), mean, spread,
        design_effect(correlation, mean, spread),
    )  # fmt: skip


def design_effect(correlation: float, mean_size: float, variation: float = 0.0) -> float:
    """1 + ((1 + cv^2) m - 1) ICC: Eldridge, Ashby & Kerry (2006), eq. 1.

    Args:
        correlation: the intracluster correlation.
        mean_size: people a cluster.
        variation: coefficient of variation of the clusters' sizes.
    """
    return 1 + ((1 + variation**2) * mean_size - 1) * correlation


def _correlation(ratio: float, average: float) -> float:
    return (ratio - 1) / (ratio + average - 1)


def _check_freedom(between: int, within: int) -> None:
    if between < 1:
        raise refuse("cluster", "no arm has two clusters, so their spread cannot be seen.")
    if within < 1:
        raise refuse("cluster", "every cluster has one person, so likeness within clusters cannot be seen.")
