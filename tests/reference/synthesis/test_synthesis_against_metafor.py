"""The average of several studies against metafor."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from equipoise.errors import DesignError
from equipoise.estimation.meaning.shrinkage import shrunk_effects
from equipoise.estimation.synthesis.random_effects import random_effects, shared_arm_covariance

R = json.loads((Path(__file__).parent / "synthesis_reference.json").read_text())
STUDIES = R["studies"]
NAMES = [one["name"] for one in STUDIES]


@pytest.mark.parametrize("theirs", STUDIES, ids=NAMES)
def test_average_error_and_heterogeneity_equal_those_of_metafor(theirs):
    found = random_effects(theirs["y"], theirs["v"])
    assert found.tau_squared == pytest.approx(theirs["tau2"], abs=1e-5)
    assert found.effect.estimate == pytest.approx(theirs["estimate"], abs=1e-6)
    assert found.effect.std_error == pytest.approx(theirs["std_error"], abs=1e-6)
    assert (found.effect.interval.low, found.effect.interval.high) == pytest.approx(
        (theirs["low"], theirs["high"]), abs=1e-5
    )
    assert found.effect.p_value == pytest.approx(theirs["p"], abs=1e-6)
    assert (found.q, found.q_p_value) == pytest.approx((theirs["q"], theirs["q_p"]), rel=1e-8)
    assert found.i_squared == pytest.approx(theirs["i2"], abs=1e-5)
    interval = found.tau_squared_interval
    assert (interval.low, interval.high) == pytest.approx(theirs["tau2_interval"], abs=1e-5)


def test_studies_that_agree_better_than_chance_do_not_make_the_average_surer():
    alike = STUDIES[NAMES.index("alike")]
    found = random_effects(alike["y"], alike["v"])
    assert alike["knha"] < found.effect.std_error
    assert found.effect.std_error == pytest.approx(1 / np.sqrt((1 / np.array(alike["v"])).sum()), rel=1e-10)


def test_another_study_is_predicted_from_four_studies_on_and_not_from_three():
    three, four = (random_effects(STUDIES[1]["y"][:k], STUDIES[1]["v"][:k]) for k in (3, 4))
    assert three.prediction is None
    reach = stats.t.ppf(0.975, 2) * np.sqrt(four.tau_squared + four.effect.std_error**2)
    assert four.prediction.high == pytest.approx(four.effect.estimate + reach, rel=1e-10)


def test_comparisons_that_share_an_arm_enter_with_their_covariance_as_in_rma_mv():
    theirs, made = R["shared"], STUDIES[NAMES.index("made")]
    covariance = shared_arm_covariance(made["v"], theirs["loading"], theirs["study"])
    found = random_effects(made["y"], covariance)
    assert found.tau_squared == pytest.approx(theirs["tau2"], abs=1e-5)
    assert found.effect.estimate == pytest.approx(theirs["estimate"], abs=1e-6)
    error = theirs["plain_error"] * np.sqrt(theirs["hk"])
    assert found.effect.std_error == pytest.approx(error, abs=1e-6)
    assert found.q == pytest.approx(theirs["q"], rel=1e-8)
    assert found.weights.sum() == pytest.approx(1, abs=1e-12)


def test_a_control_counted_twice_would_have_made_the_average_surer():
    covariance = shared_arm_covariance([0.04, 0.04], np.sqrt([0.5, 0.5]), ["a", "a"])
    assert covariance[0, 1] == pytest.approx(0.02, rel=1e-12)
    together, apart = (random_effects([0.1, 0.1], v).effect.std_error for v in (covariance, [0.04, 0.04]))
    assert together == pytest.approx(np.sqrt(0.03), rel=1e-10)
    assert together > apart


@pytest.mark.parametrize("theirs", STUDIES, ids=NAMES)
def test_shrunk_effects_equal_the_best_predictions_of_metafor(theirs):
    found = shrunk_effects(theirs["y"], np.sqrt(theirs["v"]))
    assert found.estimates == pytest.approx(theirs["blup"]["pred"], abs=1e-5)
    assert found.std_errors == pytest.approx(theirs["blup"]["se"], abs=1e-4)
    assert found.low == pytest.approx(theirs["blup"]["low"], abs=1e-4)


def test_effects_that_share_a_control_are_shrunk_as_hendersons_equations_say():
    """Mean and deviations as one system, whose inverse holds the errors of prediction (Henderson 1975)."""
    y, errors = np.array([0.5, 0.1, -0.2, 0.3, 0.9]), np.array([0.2, 0.15, 0.3, 0.25, 0.2])
    covariance = shared_arm_covariance(errors**2, np.sqrt([0.5, 0.6, 0.4, 0.5, 0.5]), ["a"] * 5)
    found = shrunk_effects(y, errors, covariance=covariance)
    tau_squared = random_effects(y, covariance).tau_squared
    within, design = np.linalg.inv(covariance), np.column_stack((np.ones(5), np.eye(5)))
    left = design.T @ within @ design + np.diag([0.0, *[1 / tau_squared] * 5])
    solution, inverse = np.linalg.solve(left, design.T @ within @ y), np.linalg.inv(left)
    assert found.estimates == pytest.approx(design @ solution, rel=1e-9)
    assert found.std_errors == pytest.approx(np.sqrt((design @ inverse @ design.T).diagonal()), rel=1e-9)
    apart = shrunk_effects(y, errors)
    assert np.abs(found.estimates - apart.estimates).max() > 0.01
    with pytest.raises(DesignError, match="covariance: does not hold the squares of std_errors"):
        shrunk_effects(y, errors, covariance=2 * covariance)


def test_one_study_is_not_several():
    with pytest.raises(DesignError, match="holds 1 study"):
        random_effects([0.3], [0.1])
    with pytest.raises(DesignError, match="covariance: is none"):
        random_effects([0.3, 0.2], [0.1, 0.0])
