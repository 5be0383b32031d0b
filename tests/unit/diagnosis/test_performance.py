"""The figures of a design from its trials: merged in order, each with its Monte-Carlo error."""

import json

import numpy as np
import pytest

from equipoise.diagnosis.claims import Claim
from equipoise.diagnosis.performance import Sums, performance_of
from equipoise.diagnosis.trials import Trials

CLAIMS = (
    Claim("effect.a", "effect", "a", "", "offer - control", "primary"),
    Claim("effect.b", "effect", "b", "", "offer - control", "secondary"),
)


def trials(estimate, *, truth, rejected, error=1.0, reach=2.0):
    """Trials whose intervals are the estimate and as much to both sides."""
    found = np.array(estimate, dtype=float)
    return Trials(
        claims=CLAIMS,
        estimate=found,
        std_error=np.where(np.isnan(found), np.nan, error),
        low=found - reach,
        high=found + reach,
        p_value=np.full(found.shape, 0.5),
        rejected=np.array(rejected, dtype=bool),
        analysed=np.full(found.shape, 40.0),
        truth=np.array(truth, dtype=float),
    )


@pytest.fixture
def four():
    """Four trials of an effect of 2 and of none; one trial could not estimate the second."""
    return trials(
        [[1.0, 0.0], [3.0, 1.0], [-5.0, np.nan], [5.0, -1.0]],
        truth=[2.0, 0.0],
        rejected=[[False, False], [True, True], [True, False], [True, False]],
    )


def test_each_figure_is_by_its_definition(four):
    found = performance_of(Sums.of(four)).claims[0]
    error = np.array([-1.0, 1.0, -7.0, 3.0])
    assert found.truth == 2.0
    assert found.power.value == 0.75
    assert found.power.mc_error == pytest.approx(np.sqrt(0.75 * 0.25 / 4))
    assert found.bias.value == pytest.approx(error.mean())
    assert found.bias.mc_error == pytest.approx(error.std(ddof=1) / 2)
    assert found.rmse.value == pytest.approx(np.sqrt((error**2).mean()))
    assert found.coverage.value == 0.5
    assert found.sd_estimate.value == pytest.approx(np.std([1, 3, -5, 5], ddof=1))
    assert found.type_s.value == pytest.approx(1 / 3)
    assert found.exaggeration.value == pytest.approx(np.mean([3, 5, 5]) / 2)
    assert found.mean_width.value == 4.0
    assert found.mean_analysed.value == 40


def test_what_could_not_be_estimated_counts_as_not_found_and_in_no_mean(four):
    found = performance_of(Sums.of(four)).of("effect.b")
    assert found.not_estimable.value == 0.25
    assert found.power.value == 0.25
    assert found.mean_estimate.value == 0.0
    assert found.coverage.value == 1.0


def test_errors_of_sign_and_size_are_not_defined_without_an_effect(four):
    found = performance_of(Sums.of(four)).of("effect.b")
    assert (found.type_s.value, found.exaggeration.value) == (None, None)


def test_a_false_finding_is_of_what_is_not_there_and_a_true_one_of_what_is(four):
    family = performance_of(Sums.of(four)).family
    assert family.any_false.value == 0.25
    assert family.any_true.value == 0.75


def test_a_truth_that_is_not_known_leaves_bias_and_coverage_open():
    found = performance_of(
        Sums.of(trials([[1.0, 1.0], [2.0, 2.0]], truth=[np.nan, 1.0], rejected=[[True, False]] * 2))
    ).claims[0]
    assert (found.truth, found.bias.value, found.coverage.value) == (None, None, None)
    assert found.mean_estimate.value == 1.5
    assert found.power.value == 1.0


def test_sums_of_parts_are_the_sums_of_all_and_are_kept_to_the_last_bit(four):
    rng = np.random.default_rng(1)
    many = [
        trials(rng.normal(2, 1, (5, 2)), truth=[2.0, 0.0], rejected=rng.random((5, 2)) < 0.5)
        for _ in range(6)
    ]
    total = Sums.none(CLAIMS)
    for each in many:
        total = total + Sums.of(each)
    kept = Sums.from_record(CLAIMS, json.loads(json.dumps(total.as_record())))
    assert kept.as_record() == total.as_record()
    together = np.concatenate([each.estimate for each in many])
    found = performance_of(kept).claims[0]
    assert performance_of(kept).trials == 30
    assert found.mean_estimate.value == pytest.approx(together[:, 0].mean(), rel=1e-12)
    assert found.sd_estimate.value == pytest.approx(together[:, 0].std(ddof=1), rel=1e-12)


def test_monte_carlo_errors_are_the_spread_of_the_figures_over_repetitions():
    rng = np.random.default_rng(2)
    names = ("bias", "rmse", "sd_estimate", "mean_std_error", "power")
    found = []
    for _ in range(300):
        drawn = rng.normal(2, 1, (200, 2))
        one = trials(
            drawn, truth=[2.0, 0.0], rejected=np.abs(drawn) > 1.96, error=rng.gamma(50, 0.02, (200, 2))
        )
        found.append(performance_of(Sums.of(one)).claims[0])
    for name in names:
        rated = [getattr(each, name) for each in found]
        spread = np.std([each.value for each in rated], ddof=1)
        assert np.mean([each.mc_error for each in rated]) == pytest.approx(spread, rel=0.15), name


def test_the_first_of_the_trials_alone_are_those(four):
    assert four.first(2).estimate.tolist() == four.estimate[:2].tolist()
    assert four.first(2).count == 2
