"""The linear estimators against statsmodels, pyfixest and stored results of R (make_cluster_reference.R)."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyfixest
import pytest
import statsmodels.formula.api as smf

from equipoise.estimation.effects.adjusted import lin_interacted, linear_effect
from equipoise.estimation.effects.neyman import difference_in_means
from equipoise.estimation.least_squares.linear import fit_linear

HERE = Path(__file__).parent
TRIAL = pd.read_csv(HERE / "cluster_trial.csv")
STORED = json.loads((HERE / "cluster_reference.json").read_text(encoding="utf-8"))
ARMS = ["control", "high", "low"]
ARM = TRIAL["arm"].map({name: code for code, name in enumerate(ARMS)}).to_numpy()
DESIGN = np.column_stack([ARM == 1, ARM == 2, TRIAL["before"]]).astype(float)
FORMULA = "y ~ C(arm) + before + C(stratum)"
TERMS = ["C(arm)[T.high]", "C(arm)[T.low]", "before"]


def fitted(variance, **options):
    if variance.startswith("CR"):
        options["cluster"] = TRIAL["cluster"].to_numpy()
    return fit_linear(TRIAL["y"], DESIGN, strata=TRIAL["stratum"].to_numpy(), variance=variance, **options)


def errors(fit):
    return np.sqrt(np.diag(fit.covariance))


@pytest.mark.parametrize("variance", ["classical", "HC0", "HC1", "HC2", "HC3"])
def test_errors_equal_those_of_statsmodels_with_a_column_for_each_stratum(variance):
    model = smf.ols(FORMULA, TRIAL).fit(cov_type="nonrobust" if variance == "classical" else variance)
    fit = fitted(variance)
    assert fit.coefficients == pytest.approx(model.params[TERMS].to_numpy(), rel=1e-8)
    assert errors(fit) == pytest.approx(model.bse[TERMS].to_numpy(), rel=1e-8)


def test_errors_by_cluster_equal_those_of_statsmodels():
    model = smf.ols(FORMULA, TRIAL).fit(cov_type="cluster", cov_kwds={"groups": TRIAL["cluster"]}, use_t=True)
    fit = fitted("CR1", dof="residual")
    assert errors(fit) == pytest.approx(model.bse[TERMS].to_numpy(), rel=1e-8)
    found = fit.contrast([1, 0, 0])
    assert found.p_value == pytest.approx(model.pvalues[TERMS[0]], rel=1e-8)


@pytest.mark.parametrize(
    ("variance", "theirs"),
    [("HC1", "HC1"), ("HC2", "HC2"), ("HC3", "HC3"), ("CR1", "CRV1"), ("CR3", "CRV3")],
)
def test_errors_equal_those_of_pyfixest(variance, theirs):
    vcov = {theirs: "cluster"} if theirs.startswith("CRV") else theirs
    corrected = theirs in ("HC1", "CRV1")
    ssc = pyfixest.ssc(k_adj=corrected, G_adj=corrected)
    model = pyfixest.feols(FORMULA, TRIAL, vcov=vcov, ssc=ssc)
    assert errors(fitted(variance)) == pytest.approx(model.se()[TERMS].to_numpy(), rel=1e-8)


@pytest.mark.parametrize("variance", ["HC0", "HC1", "HC2", "HC3"])
def test_errors_equal_those_of_the_r_package_sandwich(variance):
    assert errors(fitted(variance)) == pytest.approx(STORED[variance], rel=1e-8)


@pytest.mark.parametrize("variance", ["CR0", "CR2", "CR3"])
def test_errors_and_freedom_by_cluster_equal_those_of_clubsandwich(variance):
    fit, stored = fitted(variance), STORED[variance]
    assert fit.coefficients == pytest.approx(STORED["estimate"], rel=1e-8)
    assert errors(fit) == pytest.approx(stored["std_error"], rel=1e-8)
    assert [fit.contrast(unit).dof for unit in np.eye(3)] == pytest.approx(stored["dof"], rel=1e-6)
    joint = fit.joint_test(np.eye(3)[:2])
    assert joint.statistic == pytest.approx(stored["F"], rel=1e-6)
    assert joint.dof_denominator == pytest.approx(stored["F_dof"], rel=1e-6)
    assert joint.p_value == pytest.approx(stored["F_p"], rel=1e-6)


def test_cr1_equals_clubsandwichs_cr1s_which_is_statas():
    fit = fitted("CR1")
    assert errors(fit) == pytest.approx(STORED["CR1S"]["std_error"], rel=1e-8)
    assert [fit.contrast(unit).dof for unit in np.eye(3)] == pytest.approx(STORED["CR1S"]["dof"], rel=1e-6)


def test_weighted_cr2_equals_clubsandwichs_with_variances_inverse_to_the_weights():
    fit, stored = fitted("CR2", weights=TRIAL["weight"]), STORED["CR2_weighted"]
    assert fit.coefficients == pytest.approx(STORED["CR2_weighted_estimate"], rel=1e-8)
    assert errors(fit) == pytest.approx(stored["std_error"], rel=1e-8)
    assert [fit.contrast(unit).dof for unit in np.eye(3)] == pytest.approx(stored["dof"], rel=1e-6)


@pytest.mark.parametrize(("variance", "theirs"), [("HC2", "rows_HC2"), ("HC3", "rows_HC3")])
def test_freedom_of_rows_equals_clubsandwichs_with_a_cluster_a_row(variance, theirs):
    fit = fitted(variance)
    assert errors(fit) == pytest.approx(STORED[theirs]["std_error"], rel=1e-8)
    assert [fit.contrast(unit).dof for unit in np.eye(3)] == pytest.approx(STORED[theirs]["dof"], rel=1e-6)


def test_absorbed_strata_equal_those_of_estimatr():
    assert errors(fitted("HC2")) == pytest.approx(STORED["lm_robust_HC2"], rel=1e-8)
    clustered = fitted("CR2")
    assert errors(clustered) == pytest.approx(STORED["lm_robust_CR2"]["std_error"], rel=1e-8)
    dof = [clustered.contrast(unit).dof for unit in np.eye(3)]
    assert dof == pytest.approx(STORED["lm_robust_CR2"]["dof"], rel=1e-6)


def test_lins_estimator_equals_that_of_estimatr():
    for index, contrast in enumerate([(-1, 1, 0), (-1, 0, 1)]):
        found = lin_interacted(TRIAL["y"], ARM, contrast, covariates=TRIAL["before"])
        assert found.estimate == pytest.approx(STORED["lm_lin"]["estimate"][index], rel=1e-8)
        assert found.std_error == pytest.approx(STORED["lm_lin"]["std_error"][index], rel=1e-8)


def test_lins_estimator_equals_interactions_written_out_in_statsmodels():
    data = TRIAL.assign(centred=TRIAL["before"] - TRIAL["before"].mean(), age=np.sin(np.arange(len(TRIAL))))
    data["age"] -= data["age"].mean()
    model = smf.ols("y ~ C(arm) * (centred + age)", data).fit(cov_type="HC2")
    test = model.t_test("C(arm)[T.high] - C(arm)[T.low] = 0")
    found = lin_interacted(TRIAL["y"], ARM, (0, 1, -1), covariates=data[["before", "age"]])
    assert found.estimate == pytest.approx(float(test.effect[0]), rel=1e-8)
    assert found.std_error == pytest.approx(float(np.squeeze(test.sd)), rel=1e-8)


def test_blocked_difference_in_means_equals_that_of_estimatr():
    chosen = (TRIAL["arm"] != "low").to_numpy()
    stratum = TRIAL["stratum"].to_numpy()[chosen]
    found = difference_in_means(TRIAL["y"][chosen], ARM[chosen], (-1, 1, 0), strata=stratum)
    stored = STORED["blocked"]
    assert (found.estimate, found.std_error) == pytest.approx(
        (stored["estimate"], stored["std_error"]), rel=1e-8
    )
    assert found.dof == stored["dof"]


def test_additive_adjustment_is_the_regression_itself():
    model = smf.ols(FORMULA, TRIAL).fit(cov_type="HC2")
    found = linear_effect(TRIAL["y"], ARM, (-1, 0, 1), covariates=TRIAL["before"], strata=TRIAL["stratum"])
    assert found.estimate == pytest.approx(model.params[TERMS[1]], rel=1e-8)
    assert found.std_error == pytest.approx(model.bse[TERMS[1]], rel=1e-8)


def test_weighted_hc_errors_equal_those_of_statsmodels():
    model = smf.wls("y ~ C(arm) + before", TRIAL, weights=TRIAL["weight"]).fit(cov_type="HC2")
    x = np.column_stack([np.ones(len(TRIAL)), DESIGN])
    fit = fit_linear(TRIAL["y"], x, weights=TRIAL["weight"])
    assert errors(fit) == pytest.approx(model.bse[["Intercept", *TERMS]].to_numpy(), rel=1e-8)


def test_residual_joint_test_is_the_f_test_of_statsmodels():
    model = smf.ols("y ~ C(arm) + before", TRIAL).fit()
    test = model.f_test("C(arm)[T.high] = 0, C(arm)[T.low] = 0")
    fit = fit_linear(TRIAL["y"], np.column_stack([np.ones(len(TRIAL)), DESIGN]), variance="classical")
    joint = fit.joint_test(np.eye(4)[1:3])
    assert joint.statistic == pytest.approx(float(test.fvalue), rel=1e-8)
    assert (joint.dof_numerator, joint.dof_denominator) == (2, test.df_denom)
    assert joint.p_value == pytest.approx(float(test.pvalue), rel=1e-8)
