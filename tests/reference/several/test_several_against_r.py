"""Adjusted p-values, shared controls and joint tests against R, scipy and statsmodels."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from equipoise.errors import DesignError
from equipoise.estimation.least_squares.linear import fit_linear
from equipoise.estimation.several.dunnett import (
    dunnett_adjusted,
    dunnett_critical_value,
    shared_control_loadings,
)
from equipoise.estimation.several.index import inverse_covariance_index, standardised_average
from equipoise.estimation.several.joint import joint_test_of_outcomes
from equipoise.estimation.several.multiplicity import METHODS, adjust_p_values

HERE = Path(__file__).parent
R = json.loads((HERE / "several_reference.json").read_text())
TRIAL = pd.read_csv(HERE / "several_trial.csv")
ARM = TRIAL["arm"].map({"control": 0, "a": 1, "b": 2, "c": 3}).to_numpy()
OUTCOMES = TRIAL[["one", "two", "three"]].to_numpy()
IN_R = {"benjamini-hochberg": "BH", "benjamini-yekutieli": "BY"}


@pytest.mark.parametrize("method", sorted(METHODS))
@pytest.mark.parametrize("family", R["p_adjust"])
def test_adjusted_p_values_equal_those_of_r(method, family):
    assert adjust_p_values(method, family["p"]) == pytest.approx(family[IN_R.get(method, method)], abs=1e-12)


def test_hommel_rejects_whatever_hochberg_rejects_and_neither_more_than_closed_testing_with_simes():
    rng = np.random.default_rng(3)
    for _ in range(50):
        p = rng.uniform(size=5) ** 2
        hommel = adjust_p_values("hommel", p)
        assert (hommel <= adjust_p_values("hochberg", p) + 1e-15).all()
        subsets = [[i for i in range(5) if mask >> i & 1] for mask in range(1, 32)]
        simes = [min(len(s) * np.sort(p[s]) / (1 + np.arange(len(s)))) for s in subsets]
        closed = [max(q for s, q in zip(subsets, simes, strict=True) if i in s) for i in range(5)]
        assert hommel == pytest.approx(closed, abs=1e-14)


@pytest.mark.parametrize("case", R["exact"])
def test_the_largest_of_several_comparisons_with_a_control_equals_the_multivariate_t_of_r(case):
    found = dunnett_adjusted([case["t"]] * len(case["l"]), case["l"], case["dof"] or np.inf)
    assert found == pytest.approx(case["p"], abs=1e-9)


def test_dunnetts_p_values_equal_those_of_multcomp_from_the_linear_fit():
    design = (ARM[:, None] == np.arange(4)).astype(float)
    fit = fit_linear(TRIAL["one"], design, variance="classical")
    t = [fit.contrast(np.eye(4)[k] - np.eye(4)[0]).statistic for k in (1, 2, 3)]
    assert t == pytest.approx(R["dunnett"]["t"], rel=1e-8)
    sizes = R["dunnett"]["n"]
    found = dunnett_adjusted(t, shared_control_loadings(sizes[1:], sizes[0]), R["dunnett"]["dof"])
    assert found == pytest.approx(R["dunnett"]["p"], abs=1e-6)  # theirs is a Monte Carlo integral
    groups = [TRIAL.loc[k == ARM, "one"] for k in range(4)]
    theirs = stats.dunnett(*groups[1:], control=groups[0], random_state=1).pvalue
    assert found == pytest.approx(theirs, abs=1e-3)


@pytest.mark.parametrize(
    ("arms", "dof", "published"), [(2, 10, 2.57), (3, 10, 2.76), (5, 20, 2.73), (4, np.inf, 2.44)]
)
def test_critical_values_are_those_of_the_published_table(arms, dof, published):
    """Dunnett (1964), Biometrics 20:482, table II: two-sided, 95%, equal numbers."""
    assert dunnett_critical_value([np.sqrt(0.5)] * arms, dof) == pytest.approx(published, abs=0.0051)


def test_one_arm_against_a_control_is_the_t_test_itself():
    assert dunnett_adjusted([2.2], [0.6], 17.3)[0] == pytest.approx(2 * stats.t.sf(2.2, 17.3), rel=1e-12)
    assert dunnett_critical_value([0.6], 17.3) == pytest.approx(stats.t.ppf(0.975, 17.3), rel=1e-12)


EACH = np.eye(4)[1:] - np.eye(4)[0]


def test_the_joint_test_of_arms_over_outcomes_equals_that_of_clubsandwich():
    found = joint_test_of_outcomes(OUTCOMES, ARM, EACH)
    theirs = R["joint"]
    assert found.dof_numerator == 9 == theirs["q"]
    assert (found.statistic, found.p_value) == pytest.approx((theirs["F"], theirs["p"]), rel=1e-8)
    assert found.dof_denominator == pytest.approx(theirs["dof"], rel=1e-6)


def test_the_joint_test_with_strata_and_a_covariate_equals_that_of_clubsandwich():
    found = joint_test_of_outcomes(OUTCOMES, ARM, EACH, covariates=TRIAL["age"], strata=TRIAL["site"])
    theirs = R["joint_adjusted"]
    assert (found.statistic, found.p_value) == pytest.approx((theirs["F"], theirs["p"]), rel=1e-8)
    assert found.dof_denominator == pytest.approx(theirs["dof"], rel=1e-6)


def test_the_joint_test_does_not_depend_on_units_or_on_the_arm_that_is_coded_first():
    found = joint_test_of_outcomes(OUTCOMES, ARM, (-1, 1, 0, 0), strata=TRIAL["site"])
    other = joint_test_of_outcomes(OUTCOMES * [1e4, 1e-4, 7], 3 - ARM, (0, 0, 1, -1), strata=TRIAL["site"])
    assert other.statistic == pytest.approx(found.statistic, rel=1e-8)
    assert other.dof_denominator == pytest.approx(found.dof_denominator, rel=1e-6)


def test_the_joint_test_names_what_it_cannot_test():
    constant = np.column_stack((OUTCOMES[:, 0], np.ones(len(ARM))))
    with pytest.raises(DesignError, match='outcome "two" does not vary'):
        joint_test_of_outcomes(constant, ARM, EACH, outcome_names=["one", "two"])
    lacking = OUTCOMES.copy()
    lacking[ARM == 2, 1] = np.nan
    with pytest.raises(DesignError, match="nobody in arm 2 has outcome 1"):
        joint_test_of_outcomes(lacking, ARM, EACH)


GOOD = ("high", "low", "high")


def test_the_standardised_average_is_the_mean_of_control_group_scores_of_those_answered():
    found = standardised_average(OUTCOMES, ARM == 0, GOOD)
    control = TRIAL[ARM == 0][["one", "two", "three"]]
    z = (TRIAL[["one", "two", "three"]] - control.mean()) / control.std() * [1, -1, 1]
    assert found.values == pytest.approx(z.mean(axis=1).to_numpy(), abs=1e-12)
    assert found.partial == 3


def test_the_index_weighs_by_the_inverse_covariance_and_so_counts_twin_outcomes_less_than_twice():
    y = TRIAL[["one", "three"]].to_numpy()
    rng = np.random.default_rng(4)
    twin = np.column_stack((y, y[:, 0] + rng.normal(0, 1, len(y))))
    two = inverse_covariance_index(y, ARM == 0, ("high", "high"))
    three = inverse_covariance_index(twin, ARM == 0, ("high", "high", "high"))
    assert three.weights[1] > 1 / 3 + 0.03
    assert three.weights[1] == pytest.approx(two.weights[1], abs=0.06)
    z = (y - y[ARM == 0].mean(axis=0)) / y[ARM == 0].std(axis=0, ddof=1)
    s = np.cov(z, rowvar=False)
    by_hand = (z @ np.linalg.inv(s).sum(axis=1)) / np.linalg.inv(s).sum()
    assert two.values == pytest.approx(by_hand, abs=1e-12)


def test_a_missing_component_shares_its_weight_and_nobody_without_any_gets_a_score():
    y = OUTCOMES.copy()
    y[0] = np.nan
    y[1, 2] = np.nan
    found = inverse_covariance_index(y, ARM == 0, GOOD)
    assert np.isnan(found.values[0])
    alone = found.weights[:2] / found.weights[:2].sum()
    held = y[ARM == 0][:, :2]
    z = (y[1, :2] - np.nanmean(held, axis=0)) / np.nanstd(held, axis=0, ddof=1) * [1, -1]
    assert found.values[1] == pytest.approx(alone @ z, abs=1e-12)


def test_an_index_refuses_an_outcome_that_nobody_of_the_control_arm_varies_in():
    y = np.where((ARM == 0)[:, None], 1.0, OUTCOMES)
    with pytest.raises(DesignError, match='outcome "pay" has 18 values that do not vary'):
        standardised_average(y, ARM == 0, GOOD, outcome_names=["pay", "two", "three"])
