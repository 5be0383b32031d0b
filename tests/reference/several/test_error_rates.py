"""Methods for several claims, looks and studies keep the error rates that they promise, drawn again and again."""

from itertools import pairwise

import numpy as np
import pytest

from equipoise.estimation.looks.boundaries import boundaries
from equipoise.estimation.looks.stopped import estimate_after_looks
from equipoise.estimation.several.dunnett import dunnett_critical_value, shared_control_loadings
from equipoise.estimation.several.joint import joint_test_of_outcomes
from equipoise.estimation.synthesis.random_effects import random_effects


def errors(draws, rate=0.05):
    """Three Monte Carlo errors of a rate."""
    return 3 * np.sqrt(rate * (1 - rate) / draws)


@pytest.mark.parametrize("sizes", [(40, 20, 20, 20), (20, 20, 20, 20)])
def test_dunnett_claims_falsely_in_one_of_twenty_allocations_of_a_fixed_population(sizes):
    draws, rng, total = 4000, np.random.default_rng(1), sum(sizes)
    y = rng.standard_t(6, total)
    order = rng.permuted(np.tile(np.arange(total), (draws, 1)), axis=1)
    ends = np.cumsum((0, *sizes))
    arms = [y[order[:, start:end]] for start, end in pairwise(ends)]
    means = np.stack([arm.mean(axis=1) for arm in arms], axis=1)
    squares = sum(((arm - arm.mean(axis=1, keepdims=True)) ** 2).sum(axis=1) for arm in arms)
    dof = total - len(sizes)
    error = np.sqrt(squares / dof)[:, None] * np.sqrt(1 / np.array(sizes[1:]) + 1 / sizes[0])
    largest = np.abs((means[:, 1:] - means[:, :1]) / error).max(axis=1)
    reach = dunnett_critical_value(shared_control_loadings(sizes[1:], sizes[0]), dof)
    assert (largest > reach).mean() == pytest.approx(0.05, abs=errors(draws))


def test_the_joint_test_of_outcomes_claims_falsely_as_rarely_as_it_says():
    draws, rng, n = 150, np.random.default_rng(2), 40
    shared = rng.normal(size=n)
    y = np.column_stack((shared + rng.normal(size=n), np.exp(shared / 2), rng.integers(0, 5, n)))
    y[rng.random(y.shape) < 0.1] = np.nan
    arms = rng.permuted(np.tile(np.arange(n) % 2, (draws, 1)), axis=1)
    p = np.array([joint_test_of_outcomes(y, arm, (-1, 1)).p_value for arm in arms])
    assert (p <= 0.05).mean() == pytest.approx(0.05, abs=errors(draws))


def test_after_looks_the_estimate_is_too_high_as_often_as_too_low_and_the_plain_one_more_often():
    draws, rng, looks, drift = 250, np.random.default_rng(3), np.array([1.0, 2.0]), 1.6
    bounds = boundaries(looks, looks / 2, "pocock")
    steps = rng.normal(drift, 1, (draws, 2)).cumsum(axis=1) / np.sqrt(looks)
    plain, adjusted, held = [], [], []
    for first, last in steps:
        stopped = abs(first) >= bounds[0]
        reached, z = (looks[:1], first) if stopped else (looks, last)
        found = estimate_after_looks(z, 1 / np.sqrt(reached[-1]), reached, bounds[: len(reached) - 1])
        plain.append(z / np.sqrt(reached[-1]) > drift)
        adjusted.append(found.estimate > drift)
        held.append(found.interval.contains(drift))
    assert np.mean(adjusted) == pytest.approx(0.5, abs=errors(draws, 0.5))
    assert np.mean(plain) > np.mean(adjusted)
    assert np.mean(held) == pytest.approx(0.95, abs=errors(draws))


@pytest.mark.parametrize("tau", [0.0, 0.2])
def test_the_average_of_few_studies_holds_the_true_mean_at_least_as_often_as_it_says(tau):
    draws, rng, variances = 150, np.random.default_rng(4), np.array([0.01, 0.02, 0.08, 0.03, 0.015])
    y = rng.normal(0.3, np.sqrt(tau**2 + variances), (draws, 5))
    held = [random_effects(each, variances).effect.interval.contains(0.3) for each in y]
    assert np.mean(held) >= 0.95 - errors(draws)
