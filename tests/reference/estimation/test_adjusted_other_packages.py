"""Marginal effects, missing covariates, centring and the jackknife against statsmodels and definitions."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf

from equipoise.errors import DesignError
from equipoise.estimation.effects.adjusted import lin_interacted, linear_effect, missing_indicator
from equipoise.estimation.effects.pseudo_likelihood import logistic_effect, poisson_effect
from equipoise.estimation.least_squares.linear import fit_linear

RNG = np.random.default_rng(21)
ROWS = 300
DATA = pd.DataFrame(
    {
        "arm": RNG.integers(0, 2, ROWS),
        "age": RNG.normal(40, 9, ROWS),
        "site": RNG.integers(0, 3, ROWS),
        "team": RNG.integers(0, 25, ROWS),
    }
)
DATA["yes"] = (RNG.uniform(size=ROWS) < 0.2 + 0.2 * DATA["arm"] + 0.005 * (DATA["age"] - 30)).astype(float)
DATA["days"] = RNG.negative_binomial(2, 0.3, ROWS) * (1.0 + DATA["arm"])
DATA["y"] = 0.05 * DATA["age"] + DATA["arm"] * (1 + 0.02 * DATA["age"]) + RNG.normal(size=ROWS)
FORMULA = "arm + age + C(site)"


@pytest.mark.parametrize(
    ("effect", "outcome", "model", "family"),
    [
        (logistic_effect, "yes", smf.logit, sm.families.Binomial()),
        (poisson_effect, "days", smf.poisson, sm.families.Poisson()),
    ],
)
def test_hc1_marginal_effects_equal_get_margeff_and_the_delta_method(effect, outcome, model, family):
    fit = model(f"{outcome} ~ {FORMULA}", DATA).fit(
        disp=0, method="newton", maxiter=100, tol=1e-13, cov_type="HC0"
    )
    theirs = fit.get_margeff(at="overall", dummy=True)
    at = list(fit.model.exog_names).index("arm") - 1
    found = {
        kind: effect(
            DATA[outcome], DATA["arm"], (-1, 1), covariates=DATA["age"], strata=DATA["site"], variance=kind
        )
        for kind in ("HC0", "HC1")
    }
    assert found["HC0"].estimate == pytest.approx(theirs.margeff[at], rel=1e-6)
    assert found["HC0"].std_error == pytest.approx(theirs.margeff_se[at], rel=1e-6)
    x, columns = fit.model.exog, len(fit.params)
    bread = np.linalg.inv(x.T @ (x * family.link.inverse_deriv(x @ fit.params)[:, None]))
    scores = x * (fit.model.endog - family.link.inverse(x @ fit.params))[:, None]
    covariance = bread @ scores.T @ scores @ bread * ROWS / (ROWS - columns)
    gradient = np.zeros(columns)
    for arm, sign in ((1, 1), (0, -1)):
        moved = x.copy()
        moved[:, at + 1] = arm
        gradient += sign * family.link.inverse_deriv(moved @ fit.params) @ moved / ROWS
    assert found["HC1"].estimate == found["HC0"].estimate
    assert found["HC1"].std_error == pytest.approx(np.sqrt(gradient @ covariance @ gradient), rel=1e-6)
    assert found["HC1"].dof == np.inf


@pytest.mark.parametrize("effect", [logistic_effect, poisson_effect])
def test_without_covariates_the_marginal_effect_is_the_difference_in_means(effect):
    found = effect(DATA["yes"], DATA["arm"], (-1, 1))
    plain = linear_effect(DATA["yes"], DATA["arm"], (-1, 1), variance="HC1")
    assert (found.estimate, found.std_error) == pytest.approx((plain.estimate, plain.std_error), rel=1e-8)


@pytest.mark.parametrize("share", [0.05, 0.6])
def test_a_missing_covariate_is_filled_and_marked_as_written_out_in_statsmodels(share):
    age = DATA["age"].where(RNG.uniform(size=ROWS) > share)
    found = missing_indicator(age)
    assert found.missing == age.isna().sum()
    filled = DATA.assign(age=age.fillna(age.mean()), lacks=age.isna().astype(float))
    model = smf.ols("y ~ arm + age + lacks", filled).fit(cov_type="HC2")
    effect = linear_effect(DATA["y"], DATA["arm"], (-1, 1), covariates=found.columns)
    assert (effect.estimate, effect.std_error) == pytest.approx(
        (model.params["arm"], model.bse["arm"]), rel=1e-8
    )


@pytest.mark.parametrize("estimator", [linear_effect, lin_interacted])
def test_what_the_missing_are_filled_with_changes_nothing(estimator):
    age = DATA["age"].where(np.arange(ROWS) % 3 > 0).to_numpy()
    columns = missing_indicator(age).columns
    other = columns.copy()
    other[np.isnan(age), 0] = 99.0
    one, two = (estimator(DATA["y"], DATA["arm"], (-1, 1), covariates=each) for each in (columns, other))
    assert (one.estimate, one.std_error) == pytest.approx((two.estimate, two.std_error), rel=1e-8)


def test_a_covariate_that_nobody_or_everybody_lacks_needs_no_indicator():
    whole = missing_indicator(DATA["age"])
    assert (whole.columns.shape, whole.missing) == ((ROWS, 1), 0)
    assert (whole.columns[:, 0] == DATA["age"]).all()
    nothing = missing_indicator(np.full(ROWS, np.nan))
    assert nothing.missing == ROWS
    for estimator in (linear_effect, lin_interacted):
        adjusted = estimator(DATA["y"], DATA["arm"], (-1, 1), covariates=nothing.columns)
        assert adjusted == estimator(DATA["y"], DATA["arm"], (-1, 1))


def test_lins_estimator_of_people_of_one_stratum_is_that_without_strata():
    alone = lin_interacted(DATA["y"], DATA["arm"], (-1, 1), strata=np.full(ROWS, "north"))
    assert alone == lin_interacted(DATA["y"], DATA["arm"], (-1, 1))


def test_lins_estimator_compares_arms_at_the_centre_given():
    centred = DATA.assign(age=DATA["age"] - 35, site=DATA["site"] - 0.5)
    model = smf.ols("y ~ arm * (age + site)", centred).fit(cov_type="HC2")
    found = lin_interacted(
        DATA["y"], DATA["arm"], (-1, 1), covariates=DATA[["age", "site"]], centre=(35, 0.5)
    )
    assert (found.estimate, found.std_error) == pytest.approx(
        (model.params["arm"], model.bse["arm"]), rel=1e-8
    )
    usual = lin_interacted(DATA["y"], DATA["arm"], (-1, 1), covariates=DATA["age"])
    given = lin_interacted(
        DATA["y"], DATA["arm"], (-1, 1), covariates=DATA["age"], centre=[DATA["age"].mean()]
    )
    assert given.estimate == pytest.approx(usual.estimate, rel=1e-10)


@pytest.mark.parametrize(
    ("centre", "message"), [([1, 2], "has 2 means; expected 1"), ([np.nan], "centre: is missing or infinite")]
)
def test_a_centre_that_does_not_fit_the_covariates_is_refused(centre, message):
    with pytest.raises(DesignError, match=message):
        lin_interacted(DATA["y"], DATA["arm"], (-1, 1), covariates=DATA["age"], centre=centre)


def coefficients_without(y, x, left_out, strata):
    full = np.column_stack([x, strata[:, None] == np.unique(strata)]).astype(float)
    kept = ~left_out
    return np.linalg.lstsq(full[kept], y[kept], rcond=None)[0]


@pytest.mark.parametrize(("variance", "unit"), [("CR3", "team"), ("HC3", None)])
def test_the_third_kind_of_covariance_is_the_jackknife(variance, unit):
    """Bell & McCaffrey (2002): the sum over units of the square of what leaving one out does."""
    y, x, site = (DATA[name].to_numpy() for name in ("y", "age", "site"))
    x = np.column_stack([DATA["arm"], x])
    unit_of = np.arange(ROWS) if unit is None else DATA[unit].to_numpy()
    cluster = None if unit is None else unit_of
    fit = fit_linear(y, x, variance=variance, strata=site, cluster=cluster)
    whole = coefficients_without(y, x, np.zeros(ROWS, dtype=bool), site)
    moved = np.array([coefficients_without(y, x, unit_of == one, site) - whole for one in np.unique(unit_of)])
    assert fit.coefficients == pytest.approx(whole[:2], rel=1e-8)
    assert fit.covariance == pytest.approx((moved.T @ moved)[:2, :2], rel=1e-8)
