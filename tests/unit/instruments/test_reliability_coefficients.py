"""Alpha, omega, Spearman-Brown and item-rest correlations against formulas and programs of others."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.multivariate.factor import Factor

from equipoise.errors import ScoringError
from equipoise.instruments import answers_for, instrument, planning_values
from equipoise.instruments.reliability import (
    cronbach_alpha,
    item_rest_correlations,
    mcdonald_omega,
    reliability,
    spearman_brown,
)


def one_factor_items(loadings, n=400, seed=1, scales=None):
    rng = np.random.default_rng(seed)
    loadings = np.asarray(loadings)
    factor = rng.standard_normal((n, 1))
    items = factor * loadings + rng.standard_normal((n, len(loadings))) * np.sqrt(1 - loadings**2)
    return items * (np.ones(len(loadings)) if scales is None else np.asarray(scales))


def test_alpha_of_a_small_table_is_what_a_hand_gets():
    # Variances 1, 1 and 4 (of 1,2,3 / 2,1,3 / 1,3,5); sums 4, 6, 11 with variance 13; alpha = 3/2 (1 - 6/13).
    items = np.array([[1.0, 2, 1], [2, 1, 3], [3, 3, 5]])
    assert cronbach_alpha(items).estimate == pytest.approx(1.5 * (1 - 6 / 13), abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_alpha_agrees_with_the_covariance_matrix_of_pandas(seed):
    items = one_factor_items([0.8, 0.5, 0.6, 0.7], n=60, seed=seed, scales=[1, 2, 0.5, 3])
    covariance = pd.DataFrame(items).cov().to_numpy()
    k = len(covariance)
    expected = k**2 * covariance[~np.eye(k, dtype=bool)].mean() / covariance.sum()
    assert cronbach_alpha(items).estimate == pytest.approx(expected, abs=1e-12)


def test_feldts_interval_is_that_of_the_f_quantiles():
    result = cronbach_alpha(one_factor_items([0.7] * 5, n=41), level=0.9)
    # n - 1 = 40 and (n - 1)(k - 1) = 160 degrees of freedom.
    upper, lower = stats.f.isf(0.05, 40, 160), stats.f.isf(0.95, 40, 160)
    assert result.low == pytest.approx(1 - (1 - result.estimate) * upper, abs=1e-12)
    assert result.high == pytest.approx(1 - (1 - result.estimate) * lower, abs=1e-12)
    assert stats.f.cdf((1 - result.low) / (1 - result.estimate), 40, 160) == pytest.approx(0.95, abs=1e-9)


def test_feldts_interval_covers_the_population_alpha_of_parallel_items():
    rng = np.random.default_rng(8)
    truth, hits, rounds = 4 * 0.49 / (1 + 3 * 0.49), 0, 2000
    for _ in range(rounds):
        items = 0.7 * rng.standard_normal((40, 1)) + np.sqrt(0.51) * rng.standard_normal((40, 4))
        result = cronbach_alpha(items)
        hits += result.low <= truth <= result.high
    assert hits / rounds == pytest.approx(0.95, abs=3 * np.sqrt(0.95 * 0.05 / rounds))


@pytest.mark.parametrize(
    ("loadings", "scales"),
    [
        ([0.8, 0.6, 0.7], None),
        ([0.5, 0.6, 0.7, 0.8, 0.4], [1, 2, 3, 0.5, 1.5]),
        ([0.9, 0.3, 0.6, 0.55], None),
    ],
)
def test_omega_agrees_with_the_one_factor_maximum_likelihood_fit_of_statsmodels(loadings, scales):
    items = one_factor_items(loadings, scales=scales)
    sds = items.std(axis=0, ddof=1)
    fit = Factor(corr=np.corrcoef(items.T), n_factor=1, method="ml").fit()
    common = (sds @ fit.loadings[:, 0]) ** 2
    expected = common / (common + (sds**2 * fit.uniqueness).sum())
    assert mcdonald_omega(items) == pytest.approx(expected, abs=1e-5)


def test_omega_of_three_items_is_the_exact_solution_of_their_correlations():
    # With three items the model is saturated: loading 1 squared is r12 r13 / r23.
    items = one_factor_items([0.8, 0.6, 0.7])
    r = np.corrcoef(items.T)
    loadings = np.sqrt(
        [r[0, 1] * r[0, 2] / r[1, 2], r[0, 1] * r[1, 2] / r[0, 2], r[0, 2] * r[1, 2] / r[0, 1]]
    )
    sds = items.std(axis=0, ddof=1)
    common = (sds @ loadings) ** 2
    assert mcdonald_omega(items) == pytest.approx(common / (common + sds**2 @ (1 - loadings**2)), abs=1e-8)


def test_omega_approaches_the_population_and_exceeds_alpha_when_loadings_differ():
    items = one_factor_items([0.9, 0.8, 0.4, 0.3], n=50_000)
    truth = 2.4**2 / (2.4**2 + (4 - 0.81 - 0.64 - 0.16 - 0.09))
    assert mcdonald_omega(items) == pytest.approx(truth, abs=0.01)
    assert mcdonald_omega(items) > cronbach_alpha(items).estimate


def test_spearman_brown_of_two_items_is_the_textbook_formula():
    items = one_factor_items([0.8, 0.8], n=103)
    r = np.corrcoef(items.T)[0, 1]
    result = spearman_brown(items)
    low = np.tanh(np.arctanh(r) - stats.norm.isf(0.025) / 10)
    assert result.estimate == pytest.approx(2 * r / (1 + r), abs=1e-12)
    assert result.low == pytest.approx(2 * low / (1 + low), abs=1e-12)


def test_item_rest_correlations_agree_with_pandas():
    frame = pd.DataFrame(one_factor_items([0.8, 0.5, 0.6, 0.7], n=80))
    expected = [frame[key].corr(frame.drop(columns=key).sum(axis=1)) for key in frame]
    assert item_rest_correlations(frame.to_numpy()) == pytest.approx(expected, abs=1e-12)


def simulated(name, score_name, n=300, seed=2):
    definition = instrument(name)
    rng = np.random.default_rng(seed)
    latent = rng.standard_normal(n)
    return answers_for(definition, score_name, *planning_values(definition, score_name), latent, rng)


def test_an_item_that_was_coded_the_wrong_way_round_is_flagged():
    answers = simulated("affective-commitment", None)
    answers["could_move"] = 8 - answers["could_move"]
    result = reliability(instrument("affective-commitment"), None, answers)
    assert result.unreversed == ("could_move",)
    assert (
        reliability(
            instrument("affective-commitment"), None, simulated("affective-commitment", None)
        ).unreversed
        == ()
    )


def test_alpha_is_given_with_and_without_the_reversed_items():
    answers = simulated("spos-8", None)
    rule = instrument("spos-8").scores["mean"]
    straight = np.column_stack([answers[key] for key in rule.items if key not in rule.reversed])
    result = reliability(instrument("spos-8"), None, answers)
    assert result.without_reversed.estimate == pytest.approx(cronbach_alpha(straight).estimate)
    assert reliability(instrument("swls"), None, simulated("swls", None)).without_reversed is None


def test_two_items_get_spearman_brown_and_no_omega():
    result = reliability(
        instrument("perceived-social-worth"), None, simulated("perceived-social-worth", None)
    )
    assert result.coefficient.name == "Spearman-Brown"
    assert result.omega is None
    assert result.notes == ("omega needs three items",)


def test_only_those_who_answered_every_item_count():
    answers = simulated("swls", None)
    answers["satisfied"][:100] = np.nan
    assert reliability(instrument("swls"), None, answers).coefficient.n == 200


@pytest.mark.parametrize(
    ("name", "score_name", "told"),
    [("sickness-absence", "days", "is a count"), ("ons4", "anxiety", "is a single item")],
)
def test_counts_and_single_items_have_no_alpha(name, score_name, told):
    with pytest.raises(ScoringError, match=told):
        reliability(instrument(name), score_name, simulated(name, score_name))


def test_an_item_that_everybody_answered_alike_is_named():
    answers = simulated("swls", None)
    answers["satisfied"][:] = 4
    with pytest.raises(ScoringError, match="same answer to satisfied"):
        reliability(instrument("swls"), None, answers)


def test_too_few_complete_answers_are_refused():
    with pytest.raises(ScoringError, match="takes four at least"):
        reliability(instrument("swls"), None, simulated("swls", None, n=3))


def test_omega_says_why_it_cannot_be_had_and_alpha_stands():
    answers = simulated("swls", None)
    answers["satisfied"] = answers["conditions"].copy()
    result = reliability(instrument("swls"), None, answers)
    assert result.omega is None
    assert "determine each other" in result.notes[0]
    assert 0 < result.coefficient.estimate < 1


def test_identical_pairs_of_answers_are_perfectly_reliable():
    items = np.column_stack([np.arange(10.0), np.arange(10.0)])
    assert spearman_brown(items).estimate == pytest.approx(1)
