"""Response by arm and by what was known before, against statsmodels and by hand."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from statsmodels.stats.proportion import confint_proportions_2indep, proportions_ztest

from equipoise.errors import DesignError
from equipoise.estimation.missing.response import arm_by_characteristic, response_contrast


def trial(seed=1, people=400, arms=2):
    rng = np.random.default_rng(seed)
    arm = rng.permutation(people) % arms
    x, site = rng.normal(size=people), rng.integers(0, 3, people)
    answered = rng.random(people) < 0.5 - 0.1 * arm + 0.1 * x * arm
    return answered, arm, x, site


def test_a_difference_in_response_has_newcombes_interval_and_the_pooled_test():
    answered, arm, _, _ = trial()
    found = response_contrast(answered, arm, (-1, 1))
    counts, totals = np.bincount(arm[answered]), np.bincount(arm)
    low, high = confint_proportions_2indep(counts[1], totals[1], counts[0], totals[0], method="newcomb")
    assert (found.interval.low, found.interval.high) == pytest.approx((low, high), rel=1e-9)
    assert found.p_value == pytest.approx(proportions_ztest(counts, totals)[1], rel=1e-9)
    assert "Newcombe" in found.method


def test_an_arm_that_is_not_compared_does_not_enter_the_test():
    answered, arm, _, _ = trial(arms=3)
    compared = arm < 2
    one, other = (
        response_contrast(answered, arm, (-1, 1, 0)),
        response_contrast(answered[compared], arm[compared], (-1, 1)),
    )
    assert (one.estimate, one.p_value) == pytest.approx((other.estimate, other.p_value), rel=1e-12)


def test_a_contrast_of_three_arms_is_tested_with_hc2():
    answered, arm, _, _ = trial(arms=3)
    frame = pd.DataFrame({"y": answered.astype(float), "arm": arm})
    fit = smf.ols("y ~ 0 + C(arm)", frame).fit(cov_type="HC2")
    theirs = fit.t_test([-1, 0.5, 0.5])
    found = response_contrast(answered, arm, (-1, 0.5, 0.5))
    assert found.estimate == pytest.approx(float(theirs.effect[0]), rel=1e-10)
    assert found.p_value == pytest.approx(float(theirs.pvalue), abs=0.01)  # t against the normal
    assert "HC2" in found.method


def test_clusters_have_errors_by_cluster():
    answered, arm, _, _ = trial()
    cluster = arm + 2 * (np.arange(len(arm)) // 40)
    found = response_contrast(answered, arm, (-1, 1), cluster=cluster)
    assert "CR2" in found.method
    assert found.interval.low < found.estimate < found.interval.high


@pytest.mark.parametrize("everybody", [True, False])
def test_where_all_or_none_answered_nothing_differs(everybody):
    _, arm, _, _ = trial()
    answered = np.full(len(arm), everybody)
    found = response_contrast(answered, arm, (-1, 1), cluster=np.arange(len(arm)) // 4)
    assert (found.estimate, found.p_value) == (0, 1)
    with pytest.raises(DesignError, match="answered: is the same for everybody"):
        arm_by_characteristic(answered, arm, np.arange(len(arm)))


def test_one_product_of_arm_and_number_has_the_hc2_test_of_statsmodels():
    answered, arm, x, _ = trial(2)
    frame = pd.DataFrame({"y": answered.astype(float), "arm": arm, "x": x - x.mean()})
    fit = smf.ols("y ~ arm * x", frame).fit(cov_type="HC2")
    found = arm_by_characteristic(answered, arm, x)
    assert found.statistic == pytest.approx(float(fit.tvalues["arm:x"]) ** 2, rel=1e-9)
    assert found.dof_numerator == 1


def test_levels_are_tested_together_and_repeated_ones_are_left_out():
    answered, arm, _, site = trial(3)
    frame = pd.DataFrame({"y": answered.astype(float), "arm": arm, "site": site})
    fit = smf.ols("y ~ arm * C(site)", frame).fit(cov_type="HC2")
    wald = fit.wald_test("arm:C(site)[T.1] = 0, arm:C(site)[T.2] = 0", use_f=True, scalar=True)
    columns = np.column_stack([site == k for k in (0, 1, 2)]).astype(float)
    found = arm_by_characteristic(answered, arm, columns)
    shrink = found.dof_denominator / (found.dof_denominator + 1)
    assert found.dof_numerator == 2
    assert found.statistic == pytest.approx(float(wald.statistic) * shrink, rel=1e-6)


def test_a_characteristic_that_is_the_same_for_everybody_cannot_be_tested():
    answered, arm, _, _ = trial()
    with pytest.raises(DesignError, match="columns: do not vary within the arms"):
        arm_by_characteristic(answered, arm, np.ones(len(arm)))
