"""Closed forms against R (make_formulas_reference.R) and against published figures of other programs."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from equipoise.diagnosis.formulas import (
    chance_of_finding,
    detectable_difference,
    difference_found_at,
    error_in_clusters,
    error_in_wedge,
    error_of_means,
    error_of_shares,
)
from equipoise.errors import DesignError

STORED = json.loads(Path(__file__).with_name("formulas_reference.json").read_text(encoding="utf-8"))
FOUR = np.array([[int(period > step) for period in range(5)] for step in range(4) for _ in range(6)])
UNEVEN = np.array([[0, 1, 1, 1], [0, 0, 1, 1], [0, 0, 1, 1], [0, 0, 0, 1], [0, 0, 0, 0]])


@pytest.mark.parametrize("place", range(4))
def test_power_and_detectable_differences_of_two_samples_equal_those_of_r(place):
    n, difference = STORED["people"][place], STORED["differences"][place]
    error, dof = error_of_means((n, n), 1.0), 2 * n - 2
    assert chance_of_finding(difference, error, dof) == pytest.approx(STORED["power"][place], abs=1e-9)
    assert difference_found_at(0.8, error, dof) == pytest.approx(STORED["detectable"][place], rel=1e-8)
    strict = STORED["detectable_strict"][place]
    assert difference_found_at(0.9, error, dof, alpha=0.01) == pytest.approx(strict, rel=1e-8)


def test_a_stepped_wedge_has_the_error_of_generalised_least_squares():
    found = [
        error_in_wedge(FOUR, 100, np.sqrt(0.05 * 0.95), 0.01),
        error_in_wedge(FOUR, 12, 2.0, 0.2),
        error_in_wedge(UNEVEN, 30, 1.0, 0.05),
        error_in_wedge(UNEVEN, 30, 1.0, 0.0),
    ]
    assert found == pytest.approx(STORED["wedges"], rel=1e-8)


def test_the_first_example_of_declaredesign_has_the_power_that_its_authors_print():
    # 100 people, two arms, an effect of 0.2 SD, 500 simulations: power 0.17 (0.02), SD of estimates 0.20
    # (0.01), in the readme of DeclareDesign 1.1.
    error = error_of_means((50, 50), 1.0)
    assert chance_of_finding(0.2, error, 98) == pytest.approx(0.17, abs=0.02)
    assert error == pytest.approx(0.2, abs=1e-12)


def test_many_degrees_of_freedom_are_the_normal_and_the_formula_of_the_detectable_difference():
    error = error_of_means((400, 300), 3.9, correlation=0.6, share_before=0.4)
    normal = difference_found_at(0.8, error)
    assert normal == pytest.approx(
        detectable_difference((400, 300), 3.9, correlation=0.6, share_before=0.4), rel=1e-5
    )
    assert difference_found_at(0.8, error, 1e7) == pytest.approx(normal, rel=1e-6)


def test_power_has_no_sign_and_far_out_it_is_one():
    assert chance_of_finding(-2.0, 1.0, 30) == chance_of_finding(2.0, 1.0, 30)
    assert chance_of_finding(0.0, 1.0, 7) == pytest.approx(0.05, abs=1e-12)
    assert [chance_of_finding(d, 1.0, 30) for d in (40.0, 400.0)] == [1.0, 1.0]


def test_shares_have_the_variances_of_their_arms():
    assert error_of_shares((100, 50), (0.2, 0.5)) == pytest.approx(
        np.sqrt(stats.bernoulli.var(0.2) / 100 + stats.bernoulli.var(0.5) / 50), rel=1e-12
    )


def test_clusters_of_one_size_and_of_many_sizes():
    # 1 + (20 - 1) 0.05 = 1.95; with a coefficient of variation of 0.6, 1 + (1.36 x 20 - 1) 0.05 = 2.31
    assert error_in_clusters(1.0, 0.05, 20) ** 2 == pytest.approx(1.95)
    assert error_in_clusters(1.0, 0.05, 20, 0.6) ** 2 == pytest.approx(2.31)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: error_of_means((0, 5), 1.0), "an arm has nobody"),
        (lambda: error_of_shares((5, 0), (0.5, 0.5)), "an arm has nobody"),
        (lambda: error_in_wedge(np.ones((4, 3)), 10, 1.0, 0.1), "the same arm in every period"),
        (lambda: difference_found_at(0.04, 1.0), "a power of 0.04; it has to be above 0.05"),
    ],
)
def test_what_has_no_answer_is_refused(call, message):
    with pytest.raises(DesignError, match=message):
        call()
