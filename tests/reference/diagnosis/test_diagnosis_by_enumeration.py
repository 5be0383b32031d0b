"""A diagnosis of fixed people against every allocation that there is."""

from itertools import combinations

import numpy as np
import pytest

from equipoise.diagnosis.batch.engine import BatchEngine
from equipoise.diagnosis.engine import compile_study
from equipoise.diagnosis.performance import Sums, performance_of

SEED, CHUNKS = 11, 40


def tiny(protocol):
    """Ten people, five in each arm, analysed by their means: 252 allocations."""
    protocol["participants"]["expected"] = 10
    protocol["analyses"]["effect"] |= {"model": "difference-in-means", "variance": "neyman"}
    protocol["diagnosis"]["assume"] = {
        "hours": {"mean": 500, "sd": 10, "effect": 14},
        "people": "fixed",
        "uptake": 0.7,
    }


@pytest.fixture(scope="module")
def engine(build):
    found = compile_study(build(tiny))
    assert isinstance(found, BatchEngine)
    return found


@pytest.fixture(scope="module")
def potential(engine):
    """What each would answer in either arm, shape (2, 10)."""
    return engine.population(SEED).values["hours", "after"]


@pytest.fixture(scope="module")
def every(engine):
    """The trials of all allocations."""
    arms = np.zeros((252, 10), dtype=np.int8)
    for row, offered in enumerate(combinations(range(10), 5)):
        arms[row, list(offered)] = 1
    return engine.found(engine.population(SEED).given({"main": arms}))


@pytest.fixture(scope="module")
def performance(engine):
    sums = Sums.none(engine.claims)
    for chunk in range(CHUNKS):
        sums = sums + Sums.of(engine.trials(chunk, SEED))
    return performance_of(sums).claims[0]


def test_the_truth_is_the_mean_effect_on_the_people_themselves(potential, performance):
    truth = (potential[1] - potential[0]).mean()
    assert performance.truth == pytest.approx(truth, abs=1e-12)
    assert truth != 14 * 0.7  # which is the population's


def test_the_difference_in_means_is_unbiased_over_all_allocations(every, potential):
    truth = (potential[1] - potential[0]).mean()
    assert every.estimate.mean() == pytest.approx(truth, abs=1e-12)


def test_every_figure_is_that_of_all_allocations_within_its_monte_carlo_error(every, performance, potential):
    truth = (potential[1] - potential[0]).mean()
    estimate = every.estimate[:, 0]
    exact = {
        "power": every.rejected.mean(),
        "bias": 0.0,
        "rmse": np.sqrt(((estimate - truth) ** 2).mean()),
        "coverage": ((every.low <= truth) & (truth <= every.high)).mean(),
        "mean_estimate": truth,
        "sd_estimate": estimate.std(),
        "mean_std_error": every.std_error.mean(),
        "exaggeration": np.abs(estimate[every.rejected[:, 0]]).mean() / truth,
        "mean_width": (every.high - every.low).mean(),
    }
    for name, value in exact.items():
        found = getattr(performance, name)
        assert abs(found.value - value) <= 4 * found.mc_error + 1e-9, name
        assert found.mc_error < 0.1 * max(abs(value), 1), name


def test_neymans_error_is_too_large_on_average_where_effects_differ(every):
    assert (every.std_error**2).mean() > every.estimate.var()
