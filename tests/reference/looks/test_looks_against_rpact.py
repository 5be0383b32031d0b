"""Bounds, estimates and conditional power of interim looks against rpact and the joint normal distribution."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from equipoise.errors import DesignError
from equipoise.estimation.looks.boundaries import (
    boundaries,
    nominal_levels,
    p_value_within_share,
    sequential_p_value,
)
from equipoise.estimation.looks.conditional import conditional_power
from equipoise.estimation.looks.spending import spent
from equipoise.estimation.looks.stopped import estimate_after_looks

R = json.loads((Path(__file__).parent / "looks_reference.json").read_text())
OTHER = R["other_times"]
INFORMATION, TIMES, BOUNDS = OTHER["information"], OTHER["times"], OTHER["bounds"]


@pytest.mark.parametrize("design", R["designs"])
def test_what_is_spent_and_the_bounds_equal_those_of_rpact(design):
    total = spent(design["kind"], design["rates"], design["alpha"])
    # They leave 1e-8 of the error rate unspent.
    assert total == pytest.approx(design["spent"], abs=2e-8)
    found = boundaries(design["rates"], design["rates"], design["kind"], design["alpha"])
    assert found == pytest.approx(design["bounds"], abs=5e-6)


def test_bounds_are_those_of_the_published_table():
    """Lan & DeMets' functions at five equal looks, 5%: Jennison & Turnbull (2000), chapter 7; Proschan et al. (2006)."""
    fifths = np.arange(1, 6) / 5
    assert boundaries(fifths, fifths, "obrien-fleming") == pytest.approx(
        [4.88, 3.36, 2.68, 2.29, 2.03], abs=0.005
    )
    assert boundaries(fifths, fifths, "pocock") == pytest.approx([2.44, 2.43, 2.41, 2.40, 2.39], abs=0.005)


def test_spending_at_other_times_than_the_information_equals_the_joint_normal_distribution():
    assert boundaries(INFORMATION, TIMES, "obrien-fleming") == pytest.approx(BOUNDS, abs=1e-6)
    assert boundaries(np.multiply(INFORMATION, 480), TIMES, "obrien-fleming") == pytest.approx(
        BOUNDS, abs=1e-6
    )


def test_a_trial_that_looks_four_times_claims_falsely_as_rarely_as_it_said():
    rng, looks = np.random.default_rng(5), np.array([40, 90, 100, 260])
    steps = rng.normal(size=(200_000, 4)) * np.sqrt(np.diff(looks, prepend=0))
    z = steps.cumsum(axis=1) / np.sqrt(looks)
    for kind in ("obrien-fleming", "pocock"):
        bounds = boundaries(looks, looks / 260, kind)
        rate = (np.abs(z) >= bounds).any(axis=1).mean()
        assert rate == pytest.approx(0.05, abs=3 * np.sqrt(0.05 * 0.95 / len(z)))


@pytest.mark.parametrize("kind", ["obrien-fleming", "pocock"])
def test_the_sequential_p_value_is_the_error_rate_whose_last_bound_is_just_reached(kind):
    for alpha in (0.001, 0.05, 0.3):
        level = nominal_levels(boundaries(INFORMATION, TIMES, kind, alpha))[-1]
        assert sequential_p_value(level, INFORMATION, TIMES, kind) == pytest.approx(alpha, rel=1e-8)


def test_without_an_earlier_look_the_sequential_p_value_is_the_p_value():
    assert sequential_p_value(0.0312, [90], [1.0], "pocock") == pytest.approx(0.0312, rel=1e-8)
    assert sequential_p_value(1.0, [1, 2], [0.5, 1], "pocock") == 1.0
    assert 0 < sequential_p_value(0.0, [1, 2], [0.5, 1], "pocock") < 1e-12


@pytest.mark.parametrize("kind", ["obrien-fleming", "pocock"])
def test_a_share_of_the_error_rate_is_enough_for_several_claims_together(kind):
    """Three independent claims, each look's smallest p-value adjusted: any false claim at any look."""
    rng, times = np.random.default_rng(6), np.array([0.2, 0.6, 1.0])
    shares = np.diff(spent(kind, times, 0.05), prepend=0)
    for look, share in enumerate(shares, 1):
        assert p_value_within_share(share, times[:look], kind) == pytest.approx(0.05, rel=1e-8)
    steps = rng.normal(size=(100_000, 3, 3)) * np.sqrt(np.diff(times, prepend=0))[:, None]
    z = steps.cumsum(axis=1) / np.sqrt(times)[:, None]
    smallest = 1 - (1 - 2 * stats.norm.sf(np.abs(z).max(axis=2))) ** 3
    rate = (smallest <= shares).any(axis=1).mean()
    assert 0.04 < rate <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / len(z))


def test_a_share_without_an_earlier_look_is_the_whole():
    assert p_value_within_share(0.0312, [1.0], "pocock") == pytest.approx(0.0312, rel=1e-8)
    assert p_value_within_share(0.7, [1.0], "obrien-fleming") == pytest.approx(0.7, rel=1e-8)
    assert p_value_within_share(0.6, [0.5, 1.0], "obrien-fleming") == 1.0


@pytest.mark.parametrize("case", R["stopped"])
def test_estimate_interval_and_p_value_after_looks_equal_the_joint_normal_distribution(case):
    found = estimate_after_looks(case["z"], 2.5, INFORMATION, BOUNDS[:2])
    assert found.estimate / 2.5 == pytest.approx(case["estimate"], abs=1e-5)
    assert found.interval.low / 2.5 == pytest.approx(case["low"], abs=1e-5)
    assert found.interval.high / 2.5 == pytest.approx(case["high"], abs=1e-5)
    assert found.p_value == pytest.approx(case["p"], abs=1e-7)


def test_the_interval_after_looks_excludes_zero_exactly_where_the_last_bound_is_crossed():
    for beside, excludes in ((-1e-4, False), (1e-4, True)):
        found = estimate_after_looks(BOUNDS[-1] + beside, 1.0, INFORMATION, BOUNDS[:2])
        assert (found.interval.low > 0) is excludes


def test_a_trial_stopped_at_its_first_look_keeps_its_estimate():
    found = estimate_after_looks(3.4, 2.0, [0.5], [])
    assert found.estimate == pytest.approx(6.8, abs=1e-8)
    assert found.interval.low == pytest.approx(6.8 - 2 * stats.norm.ppf(0.975), abs=1e-8)


@pytest.mark.parametrize("case", R["conditional"])
def test_conditional_power_over_two_looks_left_equals_the_joint_normal_distribution(case):
    found = conditional_power(case["z"], INFORMATION, BOUNDS[1:], case["drift"])
    assert found == pytest.approx(case["power"], abs=1e-6)


def test_conditional_power_with_one_look_left_equals_that_of_rpact():
    theirs = R["rpact_power"]
    found = conditional_power(theirs["z"], [0.5, 1], [theirs["bound"]], 0.5 * np.sqrt(40))
    assert found == pytest.approx(theirs["power"], abs=1e-6)


@pytest.mark.parametrize(
    ("information", "times", "kind", "said"),
    [
        ([2, 2], [0.5, 1], "pocock", "information: does not rise"),
        ([1, 2], [0.5, 1.2], "pocock", "times: do not rise"),
        ([1, 2], [0.5, 1], "haybittle", 'spend: is "haybittle"'),
        ([1, 2, 3], [0.5, 1], "pocock", "times: has 2 looks, information has 3"),
    ],
)
def test_looks_that_cannot_be_are_refused_with_what_was_expected(information, times, kind, said):
    with pytest.raises(DesignError, match=said):
        boundaries(information, times, kind)
