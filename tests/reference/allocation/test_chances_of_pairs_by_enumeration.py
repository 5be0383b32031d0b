"""Chances of pairs of units against every allocation, and the variance that they give a weighted sum."""

import numpy as np
import pytest

from equipoise.allocation import (
    allocate,
    design,
    every_allocation,
    pair_probabilities,
    simulate,
    unit_probabilities,
)
from equipoise.allocation.beside import Beside
from equipoise.errors import DesignError
from equipoise.estimation.effects.weighted import horvitz_thompson

STRATA = list("aaaaabbbcc")
OF_STRATUM = {"a": {"x": 1, "y": 1, "z": 1}, "b": {"x": 1, "y": 2, "z": 1}, "c": {"x": 2, "y": 1, "z": 1}}


@pytest.mark.parametrize(
    ("method", "strata", "ratio"),
    [
        ("simple", STRATA, {"x": 2, "y": 1}),
        ("complete", STRATA, {"x": 2, "y": 1}),
        ("complete", 7, {"x": 1, "y": 1, "z": 1}),
        ("blocked", STRATA, {"x": 1, "y": 1}),
        ("blocked", STRATA, {"x": 2, "y": 2, "z": 1}),
        ("blocked", list("abaabbabcc"), OF_STRATUM),
        ("matched-pairs", list("1122334455"), {"x": 1, "y": 1}),
        ("matched-pairs", list("111222333l"), {"x": 1, "y": 1, "z": 1}),
    ],
)
def test_chances_of_pairs_are_those_of_all_allocations(method, strata, ratio) -> None:
    plan = design(strata, ratio, method=method)
    n, arms = len(plan.stratum), len(plan.arms)
    expected = np.zeros((n, arms, n, arms))
    for codes, chance in every_allocation(plan):
        got = np.array(codes)[:, None] == np.arange(arms)
        expected += float(chance) * (got[:, :, None, None] & got)
    found = pair_probabilities(plan)
    assert found.estimated is None
    np.testing.assert_allclose(found.of_pairs, expected, atol=1e-12)


def test_a_weighted_sums_variance_is_on_average_never_below_the_true_one_in_strata_of_odd_size() -> None:
    plan = design(STRATA, {"x": 1, "y": 1}, method="blocked")
    joint = pair_probabilities(plan).of_pairs
    outcomes = np.random.default_rng(3).normal(size=(10, 2))
    chances = np.full((10, 2), 0.5)
    fits = []
    for codes, chance in every_allocation(plan):
        arm = np.array(codes)
        fit = horvitz_thompson(outcomes[np.arange(10), arm], arm, (-1.0, 1.0), chances, joint=joint)
        fits.append((float(chance), fit.estimate, fit.std_error**2))
    chance, estimate, variance = np.array(fits).T
    mean = chance @ estimate
    assert mean == pytest.approx((outcomes[:, 1] - outcomes[:, 0]).mean())
    assert chance @ variance >= chance @ (estimate - mean) ** 2


@pytest.mark.parametrize("method", ["permuted-blocks"])
def test_other_methods_are_estimated_with_their_error(method) -> None:
    plan = design(list("aaaaabbb"), {"x": 1, "y": 1}, method=method)
    found = pair_probabilities(plan)
    codes = simulate(plan, 20_000, np.random.default_rng(8))
    got = (codes[:, :, None] == np.arange(2)).reshape(20_000, -1).astype(float)
    again = (got.T @ got / 20_000).reshape(8, 2, 8, 2)
    assert found.estimated.draws == 10_000
    assert np.abs(found.of_pairs - again).max() < 6 * found.estimated.error
    assert (pair_probabilities(plan).of_pairs == found.of_pairs).all()


def test_clusters_are_paired_as_units_and_too_many_units_are_refused() -> None:
    drawn = allocate(list("abcd"), None, {"x": 1, "y": 1}, method="complete", stage="main", seed=bytes(32))
    assert pair_probabilities(drawn.design).of_pairs[0, 0, 1, 0] == pytest.approx(1 / 6)
    with pytest.raises(DesignError, match="at most 3,000"):
        pair_probabilities(design(3_001, {"x": 1, "y": 1}, method="complete"))


def test_the_variance_of_a_weighted_sum_in_a_rerandomised_trial_is_that_of_its_draws() -> None:
    """With the chances of pairs the gain of the criterion is in the error; independent draws would miss it."""
    age = np.random.default_rng(2).normal(size=60).round(3)
    plan = design(
        60, {"x": 1, "y": 2}, method="rerandomised",
        beside=Beside({"age": [str(value) for value in age]}, accept=0.3, numbers=("age",)),
    )  # fmt: skip
    joint, chances = pair_probabilities(plan), unit_probabilities(plan)
    assert joint.estimated is not None
    outcome = age + np.random.default_rng(3).normal(size=60)

    def fitted(arm, **more):
        return horvitz_thompson(outcome, arm, (-1.0, 1.0), chances.of_units, **more)

    draws = simulate(plan, 400, np.random.default_rng(4))
    fits = [fitted(arm, joint=joint.of_pairs) for arm in draws]
    spread = np.var([fit.estimate for fit in fits])
    assert np.mean([fit.std_error**2 for fit in fits]) == pytest.approx(spread, rel=0.25)
    assert np.mean([fitted(arm).std_error ** 2 for arm in draws[:50]]) > 1.8 * spread


def test_a_variance_below_nothing_is_refused_with_what_to_take() -> None:
    """Thrice the covariate in so few people: some draws cannot tell the error of a total."""
    age = np.random.default_rng(2).normal(size=24).round(3)
    plan = design(
        24, {"x": 1, "y": 2}, method="rerandomised",
        beside=Beside({"age": [str(value) for value in age]}, accept=0.1, numbers=("age",)),
    )  # fmt: skip
    joint, chances = pair_probabilities(plan).of_pairs, unit_probabilities(plan).of_units
    outcome = 3 * age + np.random.default_rng(3).normal(size=24)

    def every_draw():
        for arm in simulate(plan, 100, np.random.default_rng(4)):
            horvitz_thompson(outcome, arm, (-1.0, 1.0), chances, joint=joint)

    with pytest.raises(DesignError, match="variance below 0, as they can in small trials; take Hajek"):
        every_draw()
