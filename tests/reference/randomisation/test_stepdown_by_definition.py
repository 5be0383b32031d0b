"""Step-down adjustment against its definition written out, and its error rate over a whole design."""

from itertools import combinations

import numpy as np
import pytest

from equipoise.errors import DesignError
from equipoise.estimation.randomisation.extremes import sizes
from equipoise.estimation.randomisation.moments import over
from equipoise.estimation.randomisation.redraws import listed
from equipoise.estimation.randomisation.statistics import statistic_of
from equipoise.estimation.several.stepdown import romano_wolf, westfall_young


def by_definition(observed: list[float], redrawn: list[list[float]]) -> list[float]:
    """Westfall & Young (1993), algorithm 2.8, one draw and one test after the other."""
    tests, everything = range(len(observed)), [observed, *redrawn]
    p = [
        [sum(other[j] >= row[j] for other in everything) / len(everything) for j in tests]
        for row in everything
    ]
    order = sorted(tests, key=lambda j: p[0][j])
    adjusted, before = [0.0] * len(observed), 0.0
    for step, j in enumerate(order):
        reached = sum(min(row[k] for k in order[step:]) <= p[0][j] for row in p)
        before = adjusted[j] = max(before, reached / len(everything))
    return adjusted


@pytest.mark.parametrize("seed", range(5))
def test_the_adjustment_is_that_of_the_algorithm_as_published(seed):
    rng = np.random.default_rng(seed)
    redrawn = np.abs(rng.normal(size=(199, 6)) + rng.normal(size=(199, 1))) * (1, 1, 5, 1, 2, 1)
    observed = np.abs(rng.normal(size=6)) * (2, 2, 10, 3, 4, 1)
    found = westfall_young(observed, redrawn)
    assert found == pytest.approx(by_definition(observed.tolist(), redrawn.tolist()), abs=1e-12)


def test_ties_and_infinite_statistics_count_as_extreme():
    redrawn = np.array([[1.0, np.inf], [1.0, 0.5], [2.0, np.inf], [0.0, 3.0]])
    observed = [1.0, 3.0]
    found = westfall_young(observed, redrawn)
    assert found == pytest.approx(by_definition(observed, redrawn.tolist()))


def test_outcomes_that_say_the_same_cost_nothing():
    rng = np.random.default_rng(1)
    one, many = rng.normal(size=(999, 1)), 12
    observed = np.full(many, 2.2)
    for adjust in (westfall_young, romano_wolf):
        found = adjust(observed, np.abs(np.repeat(one, many, axis=1)))
        assert found == pytest.approx((1 + (np.abs(one) >= 2.2).sum()) / 1000)


def test_both_ways_agree_where_all_statistics_have_one_distribution():
    rng = np.random.default_rng(6)
    redrawn = np.sort(np.abs(rng.normal(size=(1999, 1))), axis=0)
    redrawn = np.stack([rng.permutation(redrawn[:, 0]) for _ in range(4)], axis=1)
    observed = redrawn[[1990, 1900, 1500, 300], range(4)] + 1e-6
    assert westfall_young(observed, redrawn) == pytest.approx(romano_wolf(observed, redrawn), abs=2e-3)


def test_no_true_null_is_rejected_more_often_than_said_over_the_whole_design():
    """Three nulls are true beside one large effect; each allocation of 8 people is observed in turn."""
    codes = np.array([[int(i in chosen) for i in range(8)] for chosen in combinations(range(8), 4)], np.int8)
    rng = np.random.default_rng(9)
    nothing = rng.normal(size=(8, 4)) + rng.normal(size=(8, 1))
    chance = np.full(len(codes), 1 / len(codes))
    false = []
    for arm in codes:
        outcomes = nothing + np.outer(arm, (0, 4, 0, 0))
        found = []
        for outcome in outcomes.T:
            statistic = statistic_of("linear", outcome, np.arange(8), (-1.0, 1.0))
            observed, redrawn = over(statistic, listed(codes, chance, arm))
            found.append((sizes(observed, studentised=True)[0], sizes(redrawn, studentised=True)))
        adjusted = westfall_young([one for one, _ in found], np.stack([all_ for _, all_ in found], 1), chance)
        false.append(adjusted[[0, 2, 3]].min() <= 0.1 + 1e-12)
    assert 0 < np.mean(false) <= 0.1


def test_sizes_that_do_not_fit_are_refused():
    with pytest.raises(DesignError, match="expected a row a draw and 2 columns"):
        westfall_young([1.0, 2.0], np.ones((5, 3)))
