"""The randomisation test: how often the procedure would have given a contrast as far from nothing as this.

It is exact for the sharp null, that the arm changed nobody's outcome. Where allocations are drawn, the one
observed counts among them.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from equipoise.estimation.arrays import Floats, refuse
from equipoise.estimation.inference import Interval
from equipoise.estimation.randomisation.extremes import chance_of, reaches, sizes
from equipoise.estimation.randomisation.inversion import ConstantEffects
from equipoise.estimation.randomisation.moments import Statistic, over
from equipoise.estimation.randomisation.redraws import Redraws

__all__ = ["RandomisationTest", "randomisation_test"]


@dataclass(frozen=True)
class RandomisationTest:
    """A two-sided randomisation test of one contrast.

    Attributes:
        estimate: the contrast observed.
        statistic: the contrast, or that over its standard error.
        p_value: exact, or by Monte Carlo.
        draws: allocations counted.
        exact: whether they are all that the procedure can give.
        mc_error: Monte-Carlo error of the p-value; None where it is exact.
        smallest: the smallest p-value that the allocations allow with these outcomes.
        interval: of a constant effect; None where it was not asked for, or no effect is rejected.
    """

    estimate: float
    statistic: float
    p_value: float
    draws: int
    exact: bool
    mc_error: float | None
    smallest: float
    interval: Interval | None


def randomisation_test(
    statistic: Statistic,
    redraws: Redraws,
    *,
    studentised: bool = True,
    level: float = 0.95,
) -> RandomisationTest:
    """Test that the arm changed nobody's outcome.

    Args:
        statistic: as `statistic_of` or `any_statistic` gives it; of its outcomes the first is tested. A
            second, of those whom a constant effect moved, lets the test be inverted to an interval.
        redraws: the allocations to compare with.
        studentised: compare the contrast over its standard error, not the contrast (Wu & Ding 2021, J. Am.
            Stat. Assoc. 116:1898): then the test holds in large trials also where effects differ between
            people and are nil on average.
        level: coverage of the interval.
    Returns:
        p = b / M where all M allocations are listed (by their chances where these differ), and
        (1 + b) / (1 + m) of m drawn (Phipson & Smyth 2010, Stat. Appl. Genet. Mol. Biol. 9:39).
    Raises:
        DesignError: the allocation observed allows no estimate, or has no error.

    An allocation that allows no estimate, as one with nobody analysed in an arm, counts as extreme.
    """
    observed, redrawn = over(statistic, redraws)
    effect = float(observed.effect[0, 0])
    if np.isnan(effect):
        raise refuse("arm", "as allocated, has too few people with an outcome for the contrast to be tested.")
    here = float(sizes(observed, studentised=studentised)[0])
    if not np.isfinite(here):
        raise refuse(
            "outcome",
            "has no error as allocated: it does not vary within the arms compared, or a stratum has one "
            "person in an arm; test the difference itself (`statistic: difference`).",
        )
    others = sizes(redrawn, studentised=studentised)
    p = chance_of(reaches(others, here, studentised=studentised), redraws)
    invert = ConstantEffects(observed, redrawn, redraws, studentised)
    return RandomisationTest(
        estimate=effect,
        statistic=here if effect >= 0 else -here,
        p_value=p,
        draws=redraws.draws,
        exact=redraws.exact,
        mc_error=None if redraws.exact else sqrt(p * (1 - p) / redraws.draws),
        smallest=_smallest(others, redraws, studentised),
        interval=invert.interval(level) if observed.effect.shape[1] > 1 else None,
    )


def _smallest(others: Floats, redraws: Redraws, studentised: bool) -> float:
    """What the p-value would be had the most extreme allocation been drawn that can be tested."""
    if not redraws.exact:
        return 1 / (1 + redraws.draws)
    most = float(others[np.isfinite(others)].max(initial=0.0))
    return chance_of(reaches(others, most, studentised=studentised), redraws)
