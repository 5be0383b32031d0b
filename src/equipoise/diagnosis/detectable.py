"""The smallest difference that a trial of two arms is likely to find: a formula, before any simulation."""

from math import sqrt

from scipy import stats

from equipoise.errors import DesignError

__all__ = ["detectable_difference"]


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
    if min(people) < 1:
        raise DesignError("an arm has nobody, so no difference can be found")
    multiplier = float(stats.norm.ppf(1 - alpha / 2) + stats.norm.ppf(power))
    adjusted = sqrt(1 - share_before * correlation**2)
    return multiplier * sd * sqrt(1 / people[0] + 1 / people[1]) * adjusted
