"""Effects by week against models written out in statsmodels and the definition of monotone regression."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from equipoise.estimation.effects.by_time import effect_by_week

WEEKS = (2, 3, 5, 8)


def answers(seed=3, people=240, arms=2, clusters=20):
    """Answers in weeks that are not evenly spaced; people of a cluster share a shock."""
    rng = np.random.default_rng(seed)
    cluster = rng.integers(0, clusters, people)
    week, arm = rng.choice(WEEKS, people), rng.integers(0, arms, people)
    y = (
        rng.normal(size=people) * (1 + 0.3 * arm)
        + rng.normal(size=clusters)[cluster]
        + arm * (2 - 0.2 * week)
    )
    return pd.DataFrame({"y": y, "arm": arm, "week": week, "cluster": cluster})


def wald(test):
    """The Wald statistic over its number of contrasts, before a small-sample factor."""
    eta = test.dof_denominator + test.dof_numerator - 1
    return test.statistic * eta / test.dof_denominator


@pytest.mark.parametrize("variance", ["HC0", "HC1", "HC2", "HC3"])
def test_equality_of_weeks_is_the_wald_test_of_the_interactions(variance):
    data = answers()
    model = smf.ols("y ~ C(week) * arm", data).fit(cov_type=variance)
    terms = ", ".join(f"{name} = 0" for name in model.params.index if name.endswith(":arm"))
    theirs = model.f_test(terms)
    found = effect_by_week(data["y"], data["arm"], data["week"], (-1, 1), variance=variance).equality
    assert found.dof_numerator == theirs.df_num == 3
    assert wald(found) == pytest.approx(float(theirs.fvalue), rel=1e-8)


def test_equality_of_weeks_with_one_variance_for_all_is_the_plain_f_test():
    data = answers()
    model = smf.ols("y ~ C(week) * arm", data).fit()
    terms = ", ".join(f"{name} = 0" for name in model.params.index if name.endswith(":arm"))
    theirs = model.f_test(terms)
    found = effect_by_week(data["y"], data["arm"], data["week"], (-1, 1), variance="classical").equality
    assert found.statistic == pytest.approx(float(theirs.fvalue), rel=1e-8)
    assert found.dof_denominator == theirs.df_denom
    assert found.p_value == pytest.approx(float(theirs.pvalue), rel=1e-8)


def test_equality_of_weeks_of_a_contrast_of_three_arms_tests_that_contrast_only():
    data = answers(arms=3, people=360)
    dummies = data.assign(one=data["arm"] == 1, two=data["arm"] == 2).astype(float)
    model = smf.ols("y ~ C(week) * (one + two)", dummies).fit(cov_type="HC2")
    terms = ", ".join(f"C(week)[T.{w}.0]:one * 0.4 + C(week)[T.{w}.0]:two * 0.6 = 0" for w in WEEKS[1:])
    found = effect_by_week(data["y"], data["arm"], data["week"], (-1, 0.4, 0.6)).equality
    assert wald(found) == pytest.approx(float(model.f_test(terms).fvalue), rel=1e-8)


def test_by_cluster_every_week_the_fade_and_the_equality_equal_those_of_statsmodels():
    data = answers()
    found = effect_by_week(
        data["y"], data["arm"], data["week"], (-1, 1), variance="CR1", cluster=data["cluster"]
    )
    for each in found.weeks:
        held = data[data["week"] == each.week]
        model = smf.ols("y ~ arm", held).fit(cov_type="cluster", cov_kwds={"groups": held["cluster"]})
        assert each.effect.estimate == pytest.approx(model.params["arm"], rel=1e-8)
        assert each.effect.std_error == pytest.approx(model.bse["arm"], rel=1e-8)
    options = {"cov_type": "cluster", "cov_kwds": {"groups": data["cluster"]}}
    fade = smf.ols("y ~ C(week) + arm + arm:week", data).fit(**options)
    assert found.fade.estimate == pytest.approx(fade.params["arm:week"], rel=1e-8)
    assert found.fade.std_error == pytest.approx(fade.bse["arm:week"], rel=1e-8)
    model = smf.ols("y ~ C(week) * arm", data).fit(**options)
    terms = ", ".join(f"{name} = 0" for name in model.params.index if name.endswith(":arm"))
    assert wald(found.equality) == pytest.approx(float(model.f_test(terms).fvalue), rel=1e-8)


def monotone(values, mass, rising):
    """Isotonic regression by its max-min formula: no pooling, only means of every run of weeks."""
    sign = 1 if rising else -1
    values = sign * np.asarray(values)

    def mean(first, last):
        return np.average(values[first : last + 1], weights=mass[first : last + 1])

    n = len(values)
    return sign * np.array(
        [max(min(mean(j, k) for k in range(i, n)) for j in range(i + 1)) for i in range(n)]
    )


@pytest.mark.parametrize("seed", range(12))
def test_the_monotone_fit_is_the_closer_of_the_two_isotonic_regressions(seed):
    """Robertson, Wright & Dykstra (1988), Order Restricted Statistical Inference, theorem 1.4.4."""
    data = answers(seed, people=160)
    found = effect_by_week(data["y"], data["arm"], data["week"], (-1, 1))
    values = np.array([week.effect.estimate for week in found.weeks])
    mass = np.array([week.effect.std_error**-2 for week in found.weeks])
    fits = {"rising": monotone(values, mass, True), "falling": monotone(values, mass, False)}
    distance = {way: mass @ (values - fit) ** 2 for way, fit in fits.items()}
    assert found.monotone.direction == min(distance, key=distance.get)
    assert found.monotone.effects == pytest.approx(fits[found.monotone.direction], rel=1e-10)
    assert found.monotone.weeks == WEEKS
