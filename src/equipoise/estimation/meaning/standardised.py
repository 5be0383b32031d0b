"""Standardised effects: an effect divided by a named standard deviation."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from equipoise.estimation.arrays import Floats, Ints, Labels, codes_of, finite, refuse, same_length
from equipoise.estimation.inference import Estimate, estimate_from

__all__ = [
    "ReferenceSd",
    "StandardisedEffect",
    "hedges_g",
    "in_sd_units",
    "reference_sd",
    "small_sample_factor",
    "total_sd",
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
    outcome: npt.ArrayLike,
    before: npt.ArrayLike | None,
    arm: npt.ArrayLike,
    control: int,
    cluster: npt.ArrayLike | None = None,
) -> ReferenceSd:
    """The SD that a standardised effect divides by: never one that the arms may have changed.

    Args:
        outcome: (n,) of the people analysed, without gaps.
        before: (n,) their score before allocation, NaN where not measured; None where never asked.
        arm: (n,) codes from 0.
        control: the code of the control arm.
        cluster: (n,) labels where clusters were randomised; the SD is then the total one, see `total_sd`.
    Returns:
        The SD before allocation pooled over arms where at least 80% of the analysed have it, else that of the
        control arm after.
    """
    y, codes = np.asarray(outcome, dtype=np.float64), np.asarray(arm, dtype=np.int64)
    labels = None if cluster is None else np.asarray(cluster)
    same_length(len(y), arm=codes, cluster=labels)
    if before is not None:
        score = np.asarray(before, dtype=np.float64)
        same_length(len(y), before=score)
        known = ~np.isnan(score)
        if known.mean() >= _MEASURED_BEFORE:
            of = "all arms before allocation, pooled"
            return _sd_of(score[known], codes[known], None if labels is None else labels[known], of)
    held = y[codes == control]
    if len(held) < 2:
        raise refuse("arm", f"control arm {control} has {len(held)} people; its SD needs at least 2.")
    chosen = codes == control
    return _sd_of(held, codes[chosen], None if labels is None else labels[chosen], "the control arm after")


def total_sd(values: npt.ArrayLike, arm: npt.ArrayLike, cluster: npt.ArrayLike) -> tuple[float, float]:
    """The SD of people in clusters, between and within them together, and its degrees of freedom.

    Args:
        values: (n,) without gaps.
        arm: (n,) codes; the SD is pooled over arms.
        cluster: (n,) labels; people of one label in two arms are two clusters.
    Returns:
        The root of the variances between and within clusters by the analysis of variance. People of a cluster
        are alike, so the plain SD is too small, and rests on fewer degrees of freedom than people.
    Raises:
        DesignError: no arm with two clusters, or no cluster with two people.

    Hedges (2007), J. Educ. Behav. Stat. 32:341, eq. 15 and 17, carried over to clusters of unequal size: the
    sum of squares is a quadratic form, whose mean and variance match those of a chi squared.
    """
    y, arms = finite(values, "values"), codes_of(arm, "arm")[0]
    labels = codes_of(cluster, "cluster")[0]
    same_length(len(y), arm=arms, cluster=labels)
    clusters = codes_of(labels * (int(arms.max()) + 1) + arms, "cluster")[0]  # within their arm
    squares, left = _squares(y, arms)
    inside, within = _squares(y, clusters)
    if not 0 < within < left:
        raise refuse("cluster", "needs two clusters in an arm and two people in a cluster for a total SD.")
    sizes = np.bincount(clusters).astype(np.float64)
    home = np.zeros(len(sizes), dtype=np.int64)
    home[clusters] = arms
    people, of_squares, of_cubes = (np.bincount(home, sizes**power) for power in (1, 2, 3))
    held = people > 0
    people, of_squares, of_cubes = people[held], of_squares[held], of_cubes[held]
    spread = float((people - of_squares / people).sum())  # tr(AB) for centring A and blocks B
    own = inside / within
    between = (squares - inside - own * (left - within)) / spread
    total = own + between
    if not total > 0:
        raise refuse("cluster", "are so unlike by chance that no total SD can be estimated.")
    rho = between / total
    mean = left - rho * (left - spread)
    twice = float((of_squares - 2 * of_cubes / people + (of_squares / people) ** 2).sum())  # tr(ABAB)
    moments = (1 - rho) ** 2 * left + 2 * rho * (1 - rho) * spread + rho**2 * twice
    return float(np.sqrt(total)), float(mean**2 / moments)


def _squares(values: Floats, group: Ints) -> tuple[float, float]:
    """The sum of squares within groups, and its degrees of freedom."""
    counts = np.bincount(group)
    means = np.bincount(group, values) / np.maximum(counts, 1)
    return float(((values - means[group]) ** 2).sum()), float(len(values) - (counts > 0).sum())


def _sd_of(values: Floats, arm: Ints, cluster: Labels | None, of: str) -> ReferenceSd:
    if cluster is not None and len(np.unique(cluster)) < len(cluster):
        value, dof = total_sd(values, arm, cluster)
        return ReferenceSd(value, dof, f"{of}, between and within clusters")
    squares, dof = _squares(values, arm)
    if dof <= 0:
        raise refuse("before", "is known for one person an arm or fewer; its SD needs more.")
    return ReferenceSd(float(np.sqrt(squares / dof)), dof, of)
