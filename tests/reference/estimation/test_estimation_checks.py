"""What stands beside an estimate against statsmodels, scipy and enumeration, and the HIV trial."""

from itertools import product

import causaldata
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from equipoise.estimation.effects.adjusted import linear_effect
from equipoise.estimation.effects.by_time import effect_by_week
from equipoise.estimation.effects.neyman import difference_in_means
from equipoise.estimation.effects.proportions import rate, risk_ratio
from equipoise.estimation.effects.pseudo_likelihood import logistic_effect, poisson_effect
from equipoise.estimation.least_squares.linear import fit_linear
from equipoise.estimation.meaning.standardised import hedges_g, reference_sd
from equipoise.estimation.missing.attrition import manski_bounds, response_by_arm, tipping_points
from equipoise.estimation.several.multiplicity import adjust_p_values

RNG = np.random.default_rng(11)
ARM = RNG.integers(0, 2, 200)
X = RNG.normal(size=200)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("holm", "holm"),
        ("hochberg", "simes-hochberg"),
        ("benjamini-hochberg", "fdr_bh"),
        ("bonferroni", "bonferroni"),
    ],
)
def test_adjusted_p_values_equal_those_of_statsmodels(ours, theirs):
    rng = np.random.default_rng(1)
    for size in range(1, 9):  # each time statsmodels has all rubbish collected, which takes a while here
        p = np.round(rng.uniform(size=size) ** 2, 2)
        assert adjust_p_values(ours, p) == pytest.approx(multipletests(p, method=theirs)[1], abs=1e-12)


@pytest.mark.parametrize(("count", "total"), [(0, 9), (3, 9), (9, 9), (40, 170)])
def test_wilsons_interval_equals_that_of_statsmodels(count, total):
    found = rate(count, total).interval
    assert (found.low, found.high) == pytest.approx(
        proportion_confint(count, total, method="wilson"), abs=1e-10
    )


def test_newcombes_interval_and_the_ratios_equal_those_of_statsmodels():
    answered = np.concatenate((np.arange(60) < 20, np.arange(80) < 41))
    arm = np.repeat([0, 1], [60, 80])
    found = response_by_arm(answered, arm, (-1, 1)).difference.interval
    assert (found.low, found.high) == pytest.approx(
        confint_proportions_2indep(41, 80, 20, 60, method="newcomb"), rel=1e-8
    )
    ratio = risk_ratio(41, 80, 20, 60).interval
    theirs = confint_proportions_2indep(41, 80, 20, 60, compare="ratio", method="log")
    assert (ratio.low, ratio.high) == pytest.approx(theirs, rel=1e-8)


@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize(
    ("effect", "family", "y"),
    [
        (logistic_effect, sm.families.Binomial(), (RNG.uniform(size=200) < 0.3 + 0.2 * ARM).astype(float)),
        (poisson_effect, sm.families.Poisson(), RNG.poisson(np.exp(0.3 + 0.4 * ARM + 0.3 * X)).astype(float)),
    ],
)
def test_average_marginal_effects_equal_the_delta_method_on_statsmodels(effect, family, y, clustered):
    cluster = np.arange(200) % 20
    design = np.column_stack([ARM == 0, ARM == 1, X]).astype(float)
    options = {"cov_type": "cluster", "cov_kwds": {"groups": cluster}} if clustered else {"cov_type": "HC0"}
    model = sm.GLM(y, design, family=family).fit(tol=1e-14, tol_criterion="params", **options)
    treated, control = (np.column_stack([np.full(200, 1.0 - a), np.full(200, float(a)), X]) for a in (1, 0))
    mean, slope = family.link.inverse, family.link.inverse_deriv
    eta = treated @ model.params, control @ model.params
    estimate = mean(eta[0]).mean() - mean(eta[1]).mean()
    gradient = (slope(eta[0]) @ treated - slope(eta[1]) @ control) / 200
    found = effect(
        y,
        ARM,
        (-1, 1),
        covariates=X,
        cluster=cluster if clustered else None,
        variance="CR1" if clustered else "HC0",
    )
    assert found.estimate == pytest.approx(estimate, rel=1e-6)
    assert found.std_error == pytest.approx(np.sqrt(gradient @ model.cov_params() @ gradient), rel=1e-6)


def test_hedges_g_equals_the_formula_written_out():
    y = ARM * 0.5 + X
    found = difference_in_means(y, ARM, (-1, 1))
    sd = reference_sd(y, None, ARM, 0)
    g = hedges_g(found, sd)
    nu = (ARM == 0).sum() - 1
    j = stats.chi(nu - 1).mean() / np.sqrt(nu)
    d = found.estimate / y[ARM == 0].std(ddof=1)
    assert g.effect.estimate == pytest.approx(j * d, rel=1e-8)
    assert g.effect.std_error**2 == pytest.approx(
        j**2 * ((found.std_error / sd.value) ** 2 + d**2 / (2 * nu)), rel=1e-8
    )


def test_bounds_are_the_extremes_over_every_filling_in():
    y = np.array([1.0, np.nan, 3, np.nan, 2, 5, np.nan])
    arm = np.array([0, 0, 0, 1, 1, 2, 2])
    contrast = np.array([-1.0, 0.4, 0.6])
    effects = []
    for filled in product((1.0, 5.0), repeat=3):
        whole = y.copy()
        whole[np.isnan(y)] = filled
        effects.append(sum(c * whole[arm == k].mean() for k, c in enumerate(contrast)))
    found = manski_bounds(y, ~np.isnan(y), arm, contrast, (1.0, 5.0))
    assert (found.low, found.high) == pytest.approx((min(effects), max(effects)))
    assert found.interval.low < found.low < found.high < found.interval.high


def test_a_tipping_shift_brings_the_interval_to_zero():
    y = X + 1.5 * ARM
    answered = np.arange(200) % 4 != 0
    effect = difference_in_means(y[answered], ARM[answered], (-1, 1))
    for point in tipping_points(effect, y, answered, ARM, (-1, 1)):
        share = point.missing / (point.arm == ARM).sum()
        moved = (1 if point.arm else -1) * share
        assert effect.interval.low + moved * point.to_change == pytest.approx(0, abs=1e-12)
        assert effect.estimate + moved * point.to_zero == pytest.approx(0, abs=1e-12)


def test_effects_by_week_equal_separate_comparisons_and_models_written_out():
    week = np.arange(200) % 4
    y = X + ARM * (2 - 0.4 * week)
    found = effect_by_week(y, ARM, week, (-1, 1))
    for each in found.weeks:
        held = week == each.week
        assert each.effect == difference_in_means(y[held], ARM[held], (-1, 1))
        assert each.counts == tuple(np.bincount(ARM[held]))
    data = pd.DataFrame({"y": y, "arm": ARM, "week": week})
    fade = smf.ols("y ~ C(week) + arm + arm:week", data).fit(cov_type="HC2")
    assert found.fade.estimate == pytest.approx(fade.params["arm:week"], rel=1e-8)
    assert found.fade.std_error == pytest.approx(fade.bse["arm:week"], rel=1e-8)
    assert found.monotone.direction == "falling"
    assert list(found.monotone.effects) == sorted(found.monotone.effects, reverse=True)
    assert found.equality.dof_numerator == 3


def test_hc2_with_pair_effects_is_the_paired_standard_error():
    pair = np.repeat(np.arange(40), 2)
    arm = np.tile([0, 1], 40)
    y = RNG.normal(size=40)[pair] + RNG.normal(size=80)
    found = linear_effect(y, arm, (-1, 1), strata=pair)
    differences = y[arm == 1] - y[arm == 0]
    assert found.std_error == pytest.approx(differences.std(ddof=1) / np.sqrt(40), rel=1e-10)
    assert found.dof == pytest.approx(39, rel=1e-8)


def test_thorntons_hiv_trial_gives_the_same_answers_elsewhere():
    data = causaldata.thornton_hiv.load_pandas().data[["got", "any", "villnum"]].dropna()
    arm, got, village = data["any"].to_numpy().astype(int), data["got"].to_numpy(), data["villnum"].to_numpy()
    robust = smf.ols("got ~ arm", data.assign(arm=arm)).fit(cov_type="HC2")
    found = linear_effect(got, arm, (-1, 1))
    assert (found.estimate, found.std_error) == pytest.approx(
        (robust.params["arm"], robust.bse["arm"]), rel=1e-8
    )
    welch = stats.ttest_ind(got[arm == 1], got[arm == 0], equal_var=False)
    assert found.dof == pytest.approx(difference_in_means(got, arm, (-1, 1)).dof, rel=0.2)
    assert difference_in_means(got, arm, (-1, 1)).dof == pytest.approx(welch.df, rel=1e-8)
    design = np.column_stack([np.ones(len(arm)), arm])
    bread = np.linalg.inv(design.T @ design)
    residual = got - design @ bread @ design.T @ got
    meat = np.zeros((2, 2))
    for label in np.unique(village):
        x, e = design[village == label], residual[village == label]
        values, vectors = np.linalg.eigh(np.eye(len(x)) - x @ bread @ x.T)
        score = x.T @ (vectors / np.sqrt(values)) @ vectors.T @ e
        meat += np.outer(score, score)
    clustered = fit_linear(got, design, variance="CR2", cluster=village)
    assert clustered.covariance == pytest.approx(bread @ meat @ bread, rel=1e-8)
