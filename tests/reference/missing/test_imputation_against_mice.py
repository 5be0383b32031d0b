"""Rubin's rules against mice, imputations against mice's distribution of them and against algebra."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from equipoise.errors import DesignError
from equipoise.estimation.effects.adjusted import linear_effect
from equipoise.estimation.missing.chained import Gappy, imputer
from equipoise.estimation.missing.conditional import draw_matching, draw_normal, predictors
from equipoise.estimation.missing.pooling import enough_imputations, pool

HERE = Path(__file__).parent
REFERENCE = json.loads((HERE / "imputation_reference.json").read_text())
TRIAL = pd.read_csv(HERE / "imputation_trial.csv")
ARM = TRIAL["arm"].to_numpy()


@pytest.mark.parametrize("case", REFERENCE["rubin"], ids=str)
def test_rubins_rules_are_those_of_mice(case):
    dof = np.inf if case["complete_dof"] is None else case["complete_dof"]
    found = pool(case["q"], np.sqrt(case["u"]), dof)
    assert found.estimate.estimate == pytest.approx(case["estimate"], rel=1e-12)
    assert found.estimate.std_error**2 == pytest.approx(case["total"], rel=1e-12)
    assert found.between == pytest.approx(case["between"], rel=1e-12)
    assert found.estimate.dof == pytest.approx(case["df"], rel=1e-9)
    assert found.missing_information == pytest.approx(case["fmi"], rel=1e-9)
    assert enough_imputations(found) == np.ceil(100 * case["fmi"])


def imputed(kind, m):
    """Effects and their variances in `m` imputations of the stored trial."""
    outcome = "passed" if kind == "logistic" else "score"
    other = Gappy(TRIAL["other"].to_numpy(), "normal" if kind == "normal" else "matching", "other")
    before = TRIAL[["before"]].to_numpy()
    equations = imputer((Gappy(TRIAL[outcome].to_numpy(float), kind, outcome), other), before, ARM)
    found = []
    for rng in np.random.default_rng(1).spawn(m):
        y = equations.impute(rng)
        assert (y[TRIAL[outcome].notna()] == TRIAL[outcome].dropna()).all()
        fit = linear_effect(y, ARM, (-1, 1), covariates=before, variance="classical")
        found.append((fit.estimate, fit.std_error**2))
    return np.array(found).T


@pytest.mark.parametrize("kind", ["matching", "normal", "logistic"])
def test_imputations_have_the_distribution_of_those_of_mice(kind):
    """Within four Monte-Carlo errors of both runs, for the mean and the log of the variances."""
    theirs, m = REFERENCE[kind], 40
    estimates, variances = imputed(kind, m)
    noise = np.sqrt(theirs["between"] * (1 / m + 1 / theirs["m"]))
    assert estimates.mean() == pytest.approx(theirs["estimate"], abs=4 * noise)
    assert np.log(estimates.var(ddof=1) / theirs["between"]) == pytest.approx(
        0, abs=4 * np.sqrt(2 / m + 2 / 1000)
    )
    assert variances.mean() == pytest.approx(theirs["within"], rel=0.05)


def test_one_normal_gap_has_the_posterior_mean_and_variance_of_algebra():
    """The mean of imputed values: mean x'b, variance of x'b given sigma, times E(sigma^2), plus noise."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=(60, 2))
    y, missing = x @ (1.0, -0.5) + rng.normal(size=60), np.arange(60) < 15
    given = predictors(x, missing)
    draws = np.array([draw_normal(y[~missing], given, np.zeros(15), one).mean() for one in rng.spawn(3000)])
    design = np.column_stack((np.ones(60), x))
    known, wanted = design[~missing], design[missing].mean(axis=0)
    beta, rss, _, _ = np.linalg.lstsq(known, y[~missing], rcond=None)
    sigma2 = rss[0] / (45 - 3 - 2)  # the mean of an inverse chi-squared
    variance = sigma2 * (wanted @ np.linalg.inv(known.T @ known) @ wanted + 1 / 15)
    assert draws.mean() == pytest.approx(wanted @ beta, abs=4 * np.sqrt(variance / 3000))
    assert draws.var() == pytest.approx(variance, rel=0.1)


def test_matching_gives_values_that_somebody_had_and_the_five_nearest_alike():
    known, wanted = np.arange(40.0), np.array([20.2])
    columns = np.concatenate((known, wanted))[:, None]
    given = predictors(columns, np.arange(41) == 40)
    y = known + 0.001 * np.sin(known)  # the regression is nearly exact, so donors are the nearest
    draws = np.array(
        [draw_matching(y, given, np.zeros(1), rng)[0] for rng in np.random.default_rng(3).spawn(2000)]
    )
    values, counts = np.unique(draws, return_counts=True)
    assert values == pytest.approx(y[18:23])
    assert counts == pytest.approx(400, abs=80)


def test_each_arm_has_equations_of_its_own():
    rng = np.random.default_rng(4)
    arm = np.arange(400) % 2
    x = rng.normal(size=400)
    y = np.where(arm == 1, 5 + 2 * x, -5 - 2 * x) + 0.01 * rng.normal(size=400)
    gappy = np.where(rng.random(400) < 0.5, np.nan, y)
    filled = imputer((Gappy(gappy, "normal", "y"),), x[:, None], arm).impute(rng)
    assert filled == pytest.approx(y, abs=0.1)


@pytest.mark.parametrize("kind", ["normal", "matching"])
def test_a_shift_moves_imputed_answers_alone_and_leaves_the_draws(kind):
    y = TRIAL["score"].to_numpy()
    equations = imputer((Gappy(y, kind, "score"),), TRIAL[["before"]].to_numpy(), ARM)
    plain = equations.impute(np.random.default_rng(5))
    moved = equations.impute(np.random.default_rng(5), np.where(ARM == 1, 2.5, 0.0))
    assert moved - plain == pytest.approx(np.where(np.isnan(y) & (ARM == 1), 2.5, 0.0), abs=1e-12)


def test_a_shift_of_log_odds_turns_no_into_yes_and_never_back():
    y = TRIAL["passed"].to_numpy(float)
    equations = imputer((Gappy(y, "logistic", "passed"),), TRIAL[["before"]].to_numpy(), ARM)
    shares = []
    for shift in (-40, -1, 0, 1, 40):
        filled = equations.impute(np.random.default_rng(6), shift)
        shares.append(filled[np.isnan(y)].mean())
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0, 1)


def test_a_predictor_that_tells_yes_from_no_perfectly_still_imputes():
    x = np.linspace(-1, 1, 80)
    y = np.where(np.arange(80) % 4 == 0, np.nan, x > 0)
    filled = imputer((Gappy(y, "logistic", "y"),), x[:, None], np.zeros(80, int)).impute(
        np.random.default_rng(7)
    )
    assert np.corrcoef(filled, x)[0, 1] > 0.6


def test_repeated_and_constant_predictors_change_nothing():
    before = TRIAL["before"].to_numpy()
    y = TRIAL["score"].to_numpy()
    repeated = np.column_stack((before, np.ones(len(y)), 2 * before + 1))
    one, other = (
        imputer((Gappy(y, "matching", "y"),), columns, ARM).impute(np.random.default_rng(8))
        for columns in (before[:, None], repeated)
    )
    assert (one == other).all()


def test_an_arm_with_fewer_answers_than_predictors_is_named():
    y = np.where(ARM == 1, np.nan, TRIAL["score"])
    y[np.flatnonzero(ARM == 1)[:4]] = 1.0
    with pytest.raises(DesignError, match='score: is known for 4 people of arm "texts", too few for 4 pre'):
        imputer(
            (Gappy(y, "normal", "score"),),
            np.random.default_rng(9).normal(size=(300, 3)),
            ARM,
            ("usual", "texts"),
        )


def test_one_imputation_cannot_be_pooled():
    with pytest.raises(DesignError, match="holds one imputation"):
        pool([1.0], [0.1])
