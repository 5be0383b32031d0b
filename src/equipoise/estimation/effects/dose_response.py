"""Outcome by dose: a description where people chose their dose, an effect where the dose was drawn by lot.

A dose chosen after allocation says who takes much, not what much does; the curve is never an effect of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from equipoise.errors import DesignError
from equipoise.estimation.arrays import Bools, Dof, Floats, finite, refuse, same_length
from equipoise.estimation.effects.adjusted import linear_effect
from equipoise.estimation.effects.monotone import Monotone, monotone
from equipoise.estimation.inference import Estimate
from equipoise.estimation.least_squares.covariance import Variance
from equipoise.estimation.least_squares.linear import fit_linear

__all__ = [
    "DoseCurve",
    "DosePoint",
    "DoseTrend",
    "dose_curve",
    "dose_trend",
    "linear_contrast",
    "monotone_contrast",
]

MOST_POINTS = 8
"""With more different doses than this, doses are put together in groups of about equal numbers of people."""


@dataclass(frozen=True)
class DosePoint:
    """Those whose dose lies from `low` to `high`: how many, their mean, or why it has none."""

    low: float
    high: float
    people: int
    mean: Estimate | None
    not_estimable: str | None


@dataclass(frozen=True)
class DoseCurve:
    """A description: means by dose, the straight line through people, and the closest monotone curve.

    `slope` is the difference in the outcome between people one unit of dose apart; None where all took the
    same. `monotone` has a value for each point that has a mean.
    """

    points: tuple[DosePoint, ...]
    slope: Estimate | None
    monotone: Monotone | None


@dataclass(frozen=True)
class DoseTrend:
    """What a dose drawn by lot does: the change for each unit, and a contrast of high with low doses."""

    slope: Estimate
    monotone: Estimate


def dose_curve(
    outcome: npt.ArrayLike,
    dose: npt.ArrayLike,
    *,
    cluster: npt.ArrayLike | None = None,
    level: float = 0.95,
) -> DoseCurve:
    """Means of the outcome by the dose that people took, as a description.

    Args:
        outcome: (n,) of those who could take any, in its own unit; NaN is refused, not dropped.
        dose: (n,) as taken.
        cluster: (n,) labels.
        level: coverage of the intervals.
    Returns:
        A point for each dose, or for each of eight groups of doses where there are more; HC2 errors, CR2 with
        clusters. It describes who took how much; it is no effect, and no assumption is tested by it.
    Raises:
        DesignError: missing values.
    """
    y, taken = finite(outcome, "outcome"), finite(dose, "dose")
    groups = None if cluster is None else np.asarray(cluster)
    same_length(len(y), dose=taken, cluster=groups)
    points = tuple(
        _point(y, taken, rows, None if groups is None else groups[rows], level) for rows in _grouped(taken)
    )
    known = [point.mean for point in points if point.mean is not None]
    curve = (
        monotone(np.array([one.estimate for one in known]), np.array([one.std_error**-2 for one in known]))
        if known
        else None
    )
    return DoseCurve(points, _slope(y, taken, groups, level), curve)


def dose_trend(
    outcome: npt.ArrayLike,
    arm: npt.ArrayLike,
    doses: Sequence[float],
    *,
    covariates: npt.ArrayLike | None = None,
    strata: npt.ArrayLike | None = None,
    cluster: npt.ArrayLike | None = None,
    variance: Variance | None = None,
    dof: Dof = "satterthwaite",
    level: float = 0.95,
    arm_names: Sequence[str] | None = None,
) -> DoseTrend:
    """The effect of a dose that was drawn by lot: arms are doses.

    Args:
        outcome: (n,) in its own unit.
        arm: (n,) codes from 0.
        doses: of each arm, in any order, with at least two different ones.
        covariates, strata, cluster, variance, dof, level, arm_names: as in `linear_effect`; the variance left
            out is HC2, or CR2 with clusters.
    Returns:
        The contrasts of `linear_contrast` and `monotone_contrast`.
    Raises:
        DesignError: as those two and `linear_effect`.
    """
    kind: Variance = variance or ("HC2" if cluster is None else "CR2")
    slope, order = (
        linear_effect(
            outcome,
            arm,
            contrast(doses),
            covariates=covariates,
            strata=strata,
            cluster=cluster,
            variance=kind,
            dof=dof,
            level=level,
            arm_names=arm_names,
        )
        for contrast in (linear_contrast, monotone_contrast)
    )
    return DoseTrend(slope, order)


def linear_contrast(doses: Sequence[float]) -> Floats:
    """Weights of arms that give the change in the outcome for each unit of dose.

    Args:
        doses: (k,) of the arms.
    Returns:
        (k,) the weights of the least-squares line through the arms' means, every arm counted alike.
    Raises:
        DesignError: a dose that is no number, or no two different doses.
    """
    away = _different(doses)
    away = away - away.mean()
    return np.asarray(away / (away @ away), dtype=np.float64)


def monotone_contrast(doses: Sequence[float]) -> Floats:
    """Weights of arms that compare higher with lower doses, whatever the shape of a curve that only rises.

    Args:
        doses: (k,) of the arms; only their order counts, arms of equal dose share a weight.
    Returns:
        (k,) weights whose positive part adds up to 1: a weighted mean of the higher doses less one of the
        lower. Of all contrasts its least correlation with a rising curve is the greatest.
    Raises:
        DesignError: as `linear_contrast`.

    Abelson & Tukey (1963), Ann. Math. Stat. 34:1347, for arms of equal size.
    """
    given = _different(doses)
    levels, place = np.unique(given, return_inverse=True)
    rank = np.arange(len(levels) + 1, dtype=np.float64)
    edge = np.sqrt(rank * (1 - rank / len(levels)))
    weights = (edge[:-1] - edge[1:])[place.ravel()] / np.bincount(place.ravel())[place.ravel()]
    return np.asarray(weights / weights[weights > 0].sum(), dtype=np.float64)


def _different(doses: Sequence[float]) -> Floats:
    given = finite(doses, "doses")
    if np.ptp(given) == 0:
        raise refuse("doses", "are the same in every arm; a trend needs at least two different doses.")
    return given


def _grouped(taken: Floats) -> list[Bools]:
    """The rows of each point, in order of the dose; groups hold whole doses."""
    found = np.unique(taken)
    if len(found) > MOST_POINTS:
        found = np.unique(np.quantile(taken, np.arange(MOST_POINTS) / MOST_POINTS, method="inverted_cdf"))
    place = np.searchsorted(found, taken, side="right") - 1
    return [place == number for number in range(len(found))]


def _point(
    y: Floats, taken: Floats, rows: Bools, cluster: npt.NDArray[np.generic] | None, level: float
) -> DosePoint:
    low, high, people = float(taken[rows].min()), float(taken[rows].max()), int(rows.sum())
    if people < 2:
        return DosePoint(low, high, people, None, "one person took this dose; an error needs 2")
    try:
        mean = _fitted(y[rows], np.ones((people, 1)), cluster, np.ones(1), level)
        return DosePoint(low, high, people, mean, None)
    except DesignError as error:
        return DosePoint(low, high, people, None, str(error))


def _slope(
    y: Floats, taken: Floats, cluster: npt.NDArray[np.generic] | None, level: float
) -> Estimate | None:
    design = np.stack((np.ones(len(y)), taken - taken.mean()), axis=1)
    try:
        return _fitted(y, design, cluster, np.array([0.0, 1.0]), level)
    except DesignError:
        return None


def _fitted(
    y: Floats, design: Floats, cluster: npt.NDArray[np.generic] | None, vector: Floats, level: float
) -> Estimate:
    kind: Variance = "HC2" if cluster is None else "CR2"
    return fit_linear(y, design, variance=kind, cluster=cluster).contrast(vector, level)
