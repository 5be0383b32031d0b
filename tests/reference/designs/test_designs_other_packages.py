"""Estimators of designs against R (make_designs_reference.R), pyfixest, statsmodels and definitions."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyfixest
import pytest
from statsmodels.miscmodels.ordinal_model import OrderedModel

from equipoise.errors import DesignError
from equipoise.estimation.effects.adjusted import lin_interacted, linear_effect
from equipoise.estimation.effects.change import change_score_effect
from equipoise.estimation.effects.ordinal import ordinal_effect, proportional_odds
from equipoise.estimation.effects.pseudo_likelihood import logistic_effect, logistic_means
from equipoise.estimation.effects.weighted import hajek, horvitz_thompson, joint_probabilities
from equipoise.estimation.least_squares.linear import fit_linear
from equipoise.estimation.least_squares.two_way import fit_two_way

HERE = Path(__file__).parent
TRIAL = pd.read_csv(HERE / "designs_trial.csv")
STORED = json.loads((HERE / "designs_reference.json").read_text(encoding="utf-8"))
ARM = TRIAL["arm"].map({"control": 0, "high": 1, "low": 2}).to_numpy()
DESIGN = np.column_stack([np.ones(len(TRIAL)), ARM == 1, ARM == 2, TRIAL["before"]]).astype(float)
WAYS = TRIAL[["team", "rater"]].to_numpy()
AGAINST_CONTROL = [(-1, 1, 0), (-1, 0, 1)]
CHANCES = np.column_stack([1 - TRIAL["chance"], TRIAL["chance"]])


def errors(fit):
    return np.sqrt(np.diag(fit.covariance))


def test_errors_by_two_ways_equal_those_of_the_r_package_sandwich():
    fit = fit_two_way(TRIAL["y"], DESIGN, WAYS)
    assert errors(fit)[1:] == pytest.approx(STORED["two_way"], rel=1e-8)
    assert fit.contrast([0, 1, 0, 0]).dof == 14


def test_errors_by_two_ways_equal_those_of_pyfixest_with_each_part_its_own_factor():
    model = pyfixest.feols(
        "y ~ C(arm) + before",
        TRIAL,
        vcov={"CRV1": "team + rater"},
        ssc=pyfixest.ssc(k_adj=True, G_adj=True, G_df="conventional"),
    )
    assert errors(fit_two_way(TRIAL["y"], DESIGN, WAYS)) == pytest.approx(model.se().to_numpy(), rel=1e-8)


def test_two_ways_of_which_one_nests_the_other_are_one_way_by_the_larger():
    nested = fit_two_way(TRIAL["y"], DESIGN, TRIAL[["team", "site"]].to_numpy())
    wide = fit_linear(TRIAL["y"], DESIGN, variance="CR1", cluster=TRIAL["site"], dof="residual")
    assert errors(nested) == pytest.approx(errors(wide), rel=1e-8)


def test_the_absorbed_strata_of_two_ways_are_as_columns_for_each():
    dummies = (TRIAL["site"].to_numpy()[:, None] == np.arange(1, 5)).astype(float)
    absorbed = fit_two_way(TRIAL["y"], DESIGN[:, 1:], WAYS, strata=TRIAL["site"])
    columns = fit_two_way(TRIAL["y"], np.column_stack([DESIGN[:, 1:], dummies]), WAYS)
    assert errors(absorbed) == pytest.approx(errors(columns)[:3], rel=1e-8)


def test_two_ways_whose_sum_is_below_zero_are_refused():
    ways = np.column_stack([[0, 0, 1, 1], [0, 1, 0, 1]])
    fit = fit_two_way([1.0, -1.0, -1.0, 1.2], np.ones((4, 1)), ways)
    with pytest.raises(DesignError, match="two-way gives a variance below 0 here; choose CR2"):
        fit.contrast([1])


def test_cr3_equals_the_r_package_sandwich_but_for_its_factor_of_the_jackknife():
    fit = fit_linear(TRIAL["y"], DESIGN, variance="CR3", cluster=TRIAL["team"])
    assert errors(fit)[1:] * np.sqrt(23 / 24) == pytest.approx(STORED["CR3"], rel=1e-8)


@pytest.mark.parametrize(
    ("stored", "options"),
    [
        ("lin_HC2", {"dof": "residual"}),
        ("lin_CR2", {"variance": "CR2", "cluster": TRIAL["team"]}),
        ("lin_CR2_strata", {"variance": "CR2", "cluster": TRIAL["team"], "strata": TRIAL["site"]}),
    ],
)
def test_lins_estimator_of_three_arms_with_clusters_equals_estimatrs(stored, options):
    for place, contrast in enumerate(AGAINST_CONTROL):
        found = lin_interacted(TRIAL["y"], ARM, contrast, covariates=TRIAL["before"], **options)
        assert found.estimate == pytest.approx(STORED[stored]["estimate"][place], rel=1e-8)
        assert found.std_error == pytest.approx(STORED[stored]["std_error"][place], rel=1e-8)
        assert found.dof == pytest.approx(STORED[stored]["dof"][place], rel=1e-6)


def test_horvitz_thompson_of_independent_chances_equals_estimatrs():
    found = horvitz_thompson(TRIAL["y"], TRIAL["treated"], (-1, 1), CHANCES)
    stored = STORED["horvitz_thompson"]
    assert (found.estimate, found.std_error) == pytest.approx(
        (stored["estimate"], stored["std_error"]), rel=1e-8
    )


def test_horvitz_thompson_with_a_fixed_number_an_arm_equals_estimatrs():
    treated = np.tile([0, 0, 0, 1, 1], 16)
    found = horvitz_thompson(
        TRIAL["y"][:80],
        treated,
        (-1, 1),
        np.tile([0.6, 0.4], (80, 1)),
        joint=joint_probabilities(treated, 2),
    )
    stored = STORED["horvitz_thompson_complete"]
    assert (found.estimate, found.std_error) == pytest.approx(
        (stored["estimate"], stored["std_error"]), rel=1e-8
    )


def test_horvitz_thompson_of_clusters_drawn_whole_equals_estimatrs():
    whole = TRIAL[TRIAL["team"] <= 12]
    teams = np.isin(np.arange(1, 13), [2, 5, 6, 11]).astype(int)
    found = horvitz_thompson(
        whole["y"],
        teams[whole["team"] - 1],
        (-1, 1),
        np.tile([2 / 3, 1 / 3], (len(whole), 1)),
        joint=joint_probabilities(teams, 2),
        cluster=whole["team"],
    )
    stored = STORED["horvitz_thompson_teams"]
    assert (found.estimate, found.std_error) == pytest.approx(
        (stored["estimate"], stored["std_error"]), rel=1e-8
    )


@pytest.mark.parametrize("variance", ["HC0", "HC2"])
def test_hajeks_estimator_equals_weighted_least_squares_of_estimatr(variance):
    found = hajek(TRIAL["y"], TRIAL["treated"], (-1, 1), CHANCES, variance=variance)
    stored = STORED[f"hajek_{variance}"]
    assert (found.estimate, found.std_error) == pytest.approx(
        (stored["estimate"], stored["std_error"]), rel=1e-8
    )


def test_hajeks_plain_variance_is_the_linearised_one():
    y, treated = TRIAL["y"].to_numpy(), TRIAL["treated"].to_numpy()
    own = CHANCES[np.arange(len(y)), treated]
    variance = 0.0
    for arm in (0, 1):
        weight = 1 / own[treated == arm]
        left = y[treated == arm] - np.average(y[treated == arm], weights=weight)
        variance += ((weight * left) ** 2).sum() / weight.sum() ** 2
    found = hajek(y, treated, (-1, 1), CHANCES, variance="HC0")
    assert found.std_error == pytest.approx(np.sqrt(variance), rel=1e-10)


@pytest.mark.parametrize(("variance", "cluster"), [("HC0", None), ("CR0", TRIAL["team"])])
def test_proportional_odds_equal_those_of_the_r_package_ordinal(variance, cluster):
    fit = proportional_odds(
        TRIAL["answer"], ARM, covariates=TRIAL["before"], variance=variance, cluster=cluster
    )
    stored = STORED["clm"]
    assert fit.coefficients[1:] == pytest.approx(stored["coefficients"], rel=1e-6)
    assert fit.means.means == pytest.approx(stored["means"], rel=1e-6)
    for place, contrast in enumerate(AGAINST_CONTROL):
        assert fit.log_odds(contrast).std_error == pytest.approx(stored[variance][place], rel=1e-6)
    effect = fit.means.contrast(AGAINST_CONTROL[0])
    assert effect.std_error == pytest.approx(stored[f"effect_{variance}"], rel=1e-6)


def test_proportional_odds_equal_those_of_statsmodels_and_of_mass():
    arms = np.column_stack([ARM == 1, ARM == 2, TRIAL["before"]]).astype(float)
    answers = TRIAL["answer"].to_numpy()
    model = OrderedModel(answers, arms, distr="logit").fit(method="bfgs", disp=0, gtol=1e-7, maxiter=500)
    fit = proportional_odds(TRIAL["answer"], ARM, covariates=TRIAL["before"])
    assert fit.coefficients[1:] == pytest.approx(model.params[:2], rel=1e-6)
    assert fit.coefficients[1:] == pytest.approx(STORED["polr"]["coefficients"], abs=1e-6)  # a quasi-Newton
    shift = TRIAL["before"].mean() * model.params[2]
    cuts = model.model.transform_threshold_params(model.params)[1:-1] - shift
    assert fit.thresholds == pytest.approx(cuts, rel=1e-6)


def test_two_categories_are_a_logistic_regression():
    yes = (TRIAL["answer"] > 2).astype(float)
    options = {"covariates": TRIAL["before"], "strata": TRIAL["site"], "cluster": TRIAL["team"]}
    one, other = (each(yes, ARM, (-1, 0.5, 0.5), **options) for each in (ordinal_effect, logistic_effect))
    assert (one.estimate, one.std_error) == pytest.approx((other.estimate, other.std_error), rel=1e-8)


def test_the_error_of_the_mean_score_is_near_that_of_leaving_out_one_person_at_a_time():
    fit = proportional_odds(TRIAL["answer"], ARM, variance="HC0").means.contrast((-1, 1, 0))
    keep = np.arange(len(TRIAL))
    lost = [
        ordinal_effect(TRIAL["answer"][keep != row], ARM[keep != row], (-1, 1, 0)).estimate for row in keep
    ]
    jackknife = np.sqrt(((np.array(lost) - fit.estimate) ** 2).sum())
    assert fit.std_error == pytest.approx(jackknife, rel=0.02)


def test_marginal_means_give_differences_and_their_covariance():
    yes = (TRIAL["answer"] > 2).astype(float)
    means = logistic_means(yes, ARM, covariates=TRIAL["before"], cluster=TRIAL["team"])
    for contrast in AGAINST_CONTROL:
        effect = logistic_effect(yes, ARM, contrast, covariates=TRIAL["before"], cluster=TRIAL["team"])
        weights = np.array(contrast)
        assert weights @ means.means == pytest.approx(effect.estimate, rel=1e-12)
        assert weights @ means.covariance @ weights == pytest.approx(effect.std_error**2, rel=1e-12)
    raw = logistic_means(yes, ARM, variance="HC0")
    shares = np.array([yes[arm == ARM].mean() for arm in range(3)])
    assert raw.means == pytest.approx(shares, rel=1e-8)
    assert np.diag(raw.covariance) == pytest.approx(shares * (1 - shares) / np.bincount(ARM), rel=1e-8)


def test_change_adjusted_for_before_is_the_score_after_adjusted_for_before():
    before = TRIAL["before"]
    change = change_score_effect(TRIAL["y"], before, ARM, (-1, 1, 0), covariates=before)
    after = linear_effect(TRIAL["y"], ARM, (-1, 1, 0), covariates=before)
    assert (change.estimate, change.std_error) == pytest.approx((after.estimate, after.std_error), rel=1e-10)
    plain = change_score_effect(TRIAL["y"], before, ARM, (-1, 1, 0))
    differences = TRIAL["y"] - before
    gap = differences[ARM == 1].mean() - differences[ARM == 0].mean()
    assert plain.estimate == pytest.approx(gap, rel=1e-10)
