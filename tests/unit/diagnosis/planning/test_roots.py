"""A root of a power that is known only with error: found, with the error that it has, or refused with the reason."""

import numpy as np
import pytest
from scipy import stats

from equipoise.diagnosis.performance import Rated
from equipoise.diagnosis.planning.roots import MOST_STEPS, find_root
from equipoise.errors import DesignError


def rated(share, trials):
    return Rated(share, float(np.sqrt(share * (1 - share) / trials)))


def simulated(seed, trials=2000, slope=2.8):
    """Trials of a two-sided normal test, the same noise at every place."""
    noise = np.random.default_rng(seed).standard_normal(trials)

    def power_at(place):
        return rated(float((np.abs(slope * place + noise) > 1.959964).mean()), trials)

    return power_at


def test_without_error_it_is_the_place_that_the_formula_gives():
    def power_at(place):
        return Rated(float(stats.norm.cdf(2.8 * place - 1.959964)), 1e-9)

    root = find_root(power_at, 0.8, start=0.3, low=1e-3, high=100.0)
    assert root.value == pytest.approx((1.959964 + stats.norm.ppf(0.8)) / 2.8, abs=1e-6)
    assert len(root.steps) <= 8


@pytest.mark.parametrize("start", [0.05, 1.0, 20.0])
def test_wherever_it_starts_it_finds_the_same_place_in_a_few_steps(start):
    root = find_root(simulated(1), 0.8, start=start, low=1e-3, high=100.0)
    assert abs(root.value - 1.0005) < 3 * root.mc_error
    assert len(root.steps) < MOST_STEPS


def test_its_error_is_the_spread_over_other_seeds():
    roots = [find_root(simulated(seed), 0.8, start=1.0, low=1e-3, high=100.0) for seed in range(150)]
    values = np.array([root.value for root in roots])
    mean_error = np.mean([root.mc_error for root in roots])
    assert values.mean() == pytest.approx(1.0005, abs=4 * values.std() / np.sqrt(150))
    assert mean_error == pytest.approx(values.std(), rel=0.2)


def test_a_power_that_does_not_come_so_far_is_told_with_where_the_search_ends():
    root = find_root(lambda place: rated(0.3 + 0.2 * place / 8, 1000), 0.8, start=1.0, low=0.1, high=8.0)
    assert (root.value, root.mc_error) == (None, None)
    assert root.reason == "the power is still 50% at 8, where the search ends"


def test_a_power_that_is_there_from_the_start_is_told_too():
    root = find_root(lambda place: rated(0.99, 1000), 0.8, start=1.0, low=0.5, high=8.0)
    assert root.reason == "the power is already 99% at 0.5, where the search ends"


@pytest.mark.parametrize("seed", range(5))
def test_a_power_that_jumps_about_ends_without_a_value(seed):
    rng = np.random.default_rng(seed)
    root = find_root(lambda _: rated(float(rng.choice([0.7, 0.9])), 500), 0.8, start=1.0, low=1e-6, high=1e6)
    assert root.value is None
    assert root.reason
    assert len(root.steps) <= MOST_STEPS


def test_a_search_that_does_not_settle_says_so():
    powers = iter([0.7, 0.9] * 10)
    root = find_root(lambda _: rated(next(powers), 500), 0.8, start=1.0, low=1e-9, high=1e9)
    assert root.reason == "16 steps did not settle it; simulate more trials"


def test_without_common_random_numbers_it_still_finds_the_place():
    rng = np.random.default_rng(4)

    def power_at(place):
        return rated(float((np.abs(2.8 * place + rng.standard_normal(2000)) > 1.959964).mean()), 2000)

    values = [find_root(power_at, 0.8, start=0.5, low=1e-3, high=100.0).value for _ in range(40)]
    assert np.mean(values) == pytest.approx(1.0005, abs=4 * np.std(values) / np.sqrt(40))


def test_a_start_outside_the_ends_is_refused():
    with pytest.raises(DesignError, match="starts at 9, outside of 1 to 8"):
        find_root(simulated(1), 0.8, start=9.0, low=1.0, high=8.0)
