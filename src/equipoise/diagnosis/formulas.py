"""Closed forms of what a trial can find, where there are any: before a simulation, and beside it."""

from math import sqrt

import numpy as np
import numpy.typing as npt
from scipy import optimize, stats

from equipoise.errors import DesignError
from equipoise.estimation.mixed.icc import design_effect

__all__ = [
    "chance_of_finding",
    "detectable_difference",
    "difference_found_at",
    "error_in_clusters",
    "error_in_wedge",
    "error_of_means",
    "error_of_shares",
]


def detectable_difference(
    people: tuple[int, int],
    sd: float,
    *,
    correlation: float = 0.0,
    share_before: float = 0.0,
    power: float = 0.8,
    alpha: float = 0.05,
) -> float:
    """The minimum detectable difference of two means, individuals randomised, two-sided test.

    Args:
        people: in each arm.
        sd: the planning SD, fixed in advance, in the outcome's unit.
        correlation: of the score before with the score after.
        share_before: of the people who have a score before.
        power: the chance of finding it.
        alpha: the two-sided error rate.
    Returns:
        (z(1 - alpha/2) + z(power)) x sd x sqrt(1/n1 + 1/n2) x sqrt(1 - share_before x correlation^2), in the
        outcome's unit.
    Raises:
        DesignError: an arm without people.

    Bloom (1995), Evaluation Review 19:547, with the normal multiplier (2.80 at 80% and 5%).
    """
    multiplier = float(stats.norm.ppf(1 - alpha / 2) + stats.norm.ppf(power))
    return multiplier * error_of_means(people, sd, correlation=correlation, share_before=share_before)


def error_of_means(
    people: tuple[float, float], sd: float, *, correlation: float = 0.0, share_before: float = 0.0
) -> float:
    """The standard error of a difference of two means, adjusted for the score before of those who have one.

    Args:
        people: analysed in each arm.
        sd: of the outcome, in its unit.
        correlation: of the score before with the score after.
        share_before: of the people who have a score before; the others have a mean of their own.
    Returns:
        sd x sqrt(1/n1 + 1/n2) x sqrt(1 - share_before x correlation^2).
    Raises:
        DesignError: an arm without people.

    Borm, Fransen & Lemmens (2007), J. Clin. Epidemiol. 60:1234: analysis of covariance has 1 - r^2 of the
    variance.
    """
    if min(people) < 1:
        raise DesignError("an arm has nobody, so no difference can be found")
    return sd * sqrt(1 / people[0] + 1 / people[1]) * sqrt(1 - share_before * correlation**2)


def error_of_shares(people: tuple[float, float], shares: tuple[float, float]) -> float:
    """The standard error of a difference of two shares, the variance of each arm its own.

    Args:
        people: analysed in each arm.
        shares: of yes in each arm.
    Raises:
        DesignError: an arm without people.
    """
    if min(people) < 1:
        raise DesignError("an arm has nobody, so no difference can be found")
    return sqrt(sum(share * (1 - share) / n for share, n in zip(shares, people, strict=True)))


def error_in_clusters(error: float, icc: float, people: float, variation: float = 0.0) -> float:
    """The standard error where clusters are allocated, from that of as many people drawn one by one.

    Args:
        error: of people drawn one by one.
        icc: the intracluster correlation.
        people: analysed in a cluster, on average.
        variation: coefficient of variation of the clusters' sizes.
    Returns:
        `error` x sqrt(1 + ((1 + variation^2) people - 1) icc): Eldridge, Ashby & Kerry (2006), eq. 1.
    """
    return error * sqrt(max(design_effect(icc, people, variation), 0.0))


def error_in_wedge(switched: npt.ArrayLike, people: float, sd: float, icc: float) -> float:
    """The standard error of a constant effect in a stepped wedge, periods and clusters in the model.

    Args:
        switched: (clusters, periods), 1 where a cluster has the intervention in a period.
        people: measured in a cluster in each period, others each time.
        sd: of the outcome within a period: between clusters and within them together.
        icc: share of that variance that lies between clusters.
    Raises:
        DesignError: a schedule that does not tell the effect from the periods.

    Hussey & Hughes (2007), Contemporary Clinical Trials 28:182, eq. 8.
    """
    x = np.asarray(switched, dtype=np.float64)
    clusters, periods = x.shape
    between, within = sd**2 * icc, sd**2 * (1 - icc) / people
    total, by_period, by_cluster = x.sum(), (x.sum(axis=0) ** 2).sum(), (x.sum(axis=1) ** 2).sum()
    information = (clusters * total - by_period) * within + (
        total**2 + clusters * periods * total - periods * by_period - clusters * by_cluster
    ) * between
    if information <= 0:
        raise DesignError("every cluster has the same arm in every period, so no difference can be found")
    return sqrt(clusters * within * (within + periods * between) / information)


def chance_of_finding(difference: float, error: float, dof: float = np.inf, alpha: float = 0.05) -> float:
    """The power of a two-sided t test: how often it rejects, on either side.

    Args:
        difference: the true one.
        error: the standard error of its estimate.
        dof: degrees of freedom; infinite for the normal.
        alpha: the two-sided error rate.
    """
    shift = abs(difference) / error
    if np.isinf(dof):
        critical = float(stats.norm.ppf(1 - alpha / 2))
        return float(stats.norm.sf(critical - shift) + stats.norm.cdf(-critical - shift))
    critical = float(stats.t.ppf(1 - alpha / 2, dof))
    right, wrong = stats.nct.sf(critical, dof, shift), stats.nct.cdf(-critical, dof, shift)
    # Far out, where the one is 1 and the other 0, the noncentral t is computed as NaN.
    return float(np.nan_to_num(right, nan=float(shift > critical)) + np.nan_to_num(wrong))


def difference_found_at(power: float, error: float, dof: float = np.inf, alpha: float = 0.05) -> float:
    """The difference that a two-sided t test finds with this power, in the unit of its standard error.

    Args:
        power: wanted, above `alpha`.
        error: the standard error of the difference.
        dof: degrees of freedom; infinite for the normal.
        alpha: the two-sided error rate.
    Raises:
        DesignError: a power that a test of no difference has already.
    """
    if not alpha < power < 1:
        raise DesignError(f"a power of {power:g}; it has to be above {alpha:g} and below 1")

    def gap(shift: float) -> float:
        return chance_of_finding(shift, 1.0, dof, alpha) - power

    most = 1.0
    while gap(most) < 0:
        most *= 2
    return float(optimize.brentq(gap, 0.0, most, xtol=1e-12)) * error
