import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.errors import DesignError
from equipoise.estimation.effects.by_time import effect_by_week
from equipoise.estimation.effects.neyman import difference_in_means
from equipoise.estimation.effects.proportions import rate, rate_contrast, risk_ratio
from equipoise.estimation.inference import estimate_from, reread
from equipoise.estimation.meaning.standardised import hedges_g, in_sd_units, reference_sd
from equipoise.estimation.registry import MODELS, estimate_effect

ARM = np.tile([0, 1], 12)
WEEK = np.repeat([1, 2, 4], 8)
Y = np.random.default_rng(1).normal(size=24) + ARM


def test_a_week_with_one_person_in_an_arm_keeps_its_counts_and_says_why_it_has_no_effect():
    found = effect_by_week(
        np.append(Y, [3.0, 4.0, 9.0]), np.append(ARM, [0, 0, 1]), np.append(WEEK, [7, 7, 7]), (-1, 1),
        arm_names=["control", "messages"],
    )  # fmt: skip
    last = found.weeks[-1]
    assert (last.week, last.counts, last.effect) == (7, (2, 1), None)
    assert 'arm "messages" has 1 person with an outcome' in last.not_estimable
    without = effect_by_week(Y, ARM, WEEK, (-1, 1))
    assert (found.equality, found.fade, found.monotone) == (without.equality, without.fade, without.monotone)


def test_one_week_has_an_effect_and_nothing_to_compare_it_with():
    found = effect_by_week(Y, ARM, np.ones(24), (-1, 1))
    assert (found.equality, found.fade) == (None, None)
    assert found.monotone.effects == (found.weeks[0].effect.estimate,)


def test_no_week_that_can_be_estimated_has_no_monotone_fit():
    found = effect_by_week([1.0, 2.0, 3.0], [0, 1, 1], [1, 2, 3], (-1, 1))
    assert [week.effect for week in found.weeks] == [None] * 3
    assert (found.equality, found.fade, found.monotone) == (None, None, None)


def test_a_week_of_arms_outside_the_contrast_is_no_week_of_it():
    found = effect_by_week(
        np.append(Y, [1.0, 2.0]), np.append(ARM, [2, 2]), np.append(WEEK, [9, 9]), (-1, 1, 0)
    )
    assert [week.week for week in found.weeks] == [1, 2, 4]
    assert found.weeks[0].counts == (4, 4, 0)


def test_weeks_are_whole_numbers():
    with pytest.raises(DesignError, match=r"week: holds 2\.5; expected whole weeks since launch"):
        effect_by_week(Y[:4], ARM[:4], [1, 2, 2.5, 3], (-1, 1))


def test_a_week_with_one_cluster_in_an_arm_has_no_effect():
    cluster = np.tile([0, 10, 1, 11, 2, 12], 4)
    cluster[WEEK == 4] = np.tile([0, 10], 4)
    found = effect_by_week(Y, ARM, WEEK, (-1, 1), variance="CR2", cluster=cluster)
    assert [week.effect is not None for week in found.weeks] == [True, True, False]
    assert "rests on a cluster that the design fits exactly" in found.weeks[2].not_estimable


def test_more_weeks_than_clusters_can_tell_apart_leave_the_equality_untested():
    rng = np.random.default_rng(2)
    arm, week, cluster = np.tile([0, 1], 120), np.repeat(np.arange(8), 30), np.tile(np.arange(6), 40)
    found = effect_by_week(rng.normal(size=240), arm, week, (-1, 1), variance="CR2", cluster=cluster)
    assert found.equality is None
    assert found.fade is not None


@pytest.mark.parametrize(("count", "total"), [(-1, 4), (5, 4), (0, 0)])
def test_a_share_is_of_somebody_and_no_more_than_all(count, total):
    with pytest.raises(DesignError, match=f"count: is {count} of {total}; expected 0 to the total"):
        rate(count, total)


@pytest.mark.parametrize("counts", [(0, 4, 2, 4), (2, 4, 0, 4)])
def test_a_ratio_of_rates_needs_one_in_each(counts):
    with pytest.raises(DesignError, match=r"a ratio needs at least one in each\. Use the difference"):
        risk_ratio(*counts)


@given(st.integers(1, 60), st.integers(1, 60), st.data())
def test_a_difference_of_rates_lies_in_its_interval_and_that_in_minus_one_to_one(n, m, data):
    counts = data.draw(st.integers(0, n)), data.draw(st.integers(0, m))
    found = rate_contrast(counts, (n, m), (-1, 1))
    assert -1 - 1e-12 <= found.interval.low <= found.estimate <= found.interval.high <= 1 + 1e-12


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"covariates": Y}, "covariates: cannot be used by difference-in-means; choose linear"),
        ({"cluster": ARM}, "cluster: cannot be used by difference-in-means; choose linear, with CR2"),
        ({"variance": "HC3"}, "variance: HC3 does not go with difference-in-means; its variance is neyman"),
    ],
)
def test_a_difference_in_means_says_what_it_cannot_use(options, message):
    with pytest.raises(DesignError, match=message):
        estimate_effect("difference-in-means", Y, ARM, (-1, 1), **options)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("strata", [None, WEEK])
def test_every_model_gives_the_sign_level_and_unit_of_the_difference_in_means(model, strata):
    """The contract that each member of the registry keeps."""
    yes = np.greater(Y, np.median(Y)).astype(float)
    outcome = np.column_stack((Y, yes)) if model == "mmrm" else yes
    cluster = np.arange(24) // 4 * 2 + ARM if model == "mixed" else None
    found = estimate_effect(model, outcome, ARM, (-1, 1), strata=strata, cluster=cluster, level=0.9)
    assert MODELS[model].summary
    assert found.interval.level == 0.9
    assert found.interval.low < found.estimate < found.interval.high
    assert found.estimate == pytest.approx(difference_in_means(yes, ARM, (-1, 1)).estimate, abs=0.05)


def test_an_interval_read_again_at_another_level_keeps_all_else():
    found = difference_in_means(Y, ARM, (-1, 1))
    again = reread(found, 0.8)
    assert reread(again, 0.95) == found
    assert again.interval.low > found.interval.low
    assert (again.p_value, again.dof) == (found.p_value, found.dof)


@pytest.mark.parametrize(("factor", "message"), [(0, "factor: is 0"), (np.inf, "factor: is inf")])
def test_a_unit_of_nothing_is_refused(factor, message):
    with pytest.raises(DesignError, match=message):
        difference_in_means(Y, ARM, (-1, 1)).scaled(factor)


def test_levels_errors_and_freedom_out_of_range_are_refused():
    for bad, message in (
        ((1.0, 1.0, 5, 1.2), "level: is 1.2"),
        ((1.0, 1.0, 0), "dof: is 0"),
        ((1.0, 0.0, 5), "does not vary"),
    ):
        with pytest.raises(DesignError, match=message):
            estimate_from(*bad)


def test_the_standard_deviation_is_that_before_where_enough_were_measured_then():
    before = Y - ARM
    some, few = before.copy(), before.copy()
    some[:4], few[:5] = np.nan, np.nan
    assert reference_sd(Y, some, ARM, 0).of == "all arms before allocation, pooled"
    assert reference_sd(Y, few, ARM, 0).of == "the control arm after"
    pooled = reference_sd(Y, before, ARM, 0)
    squares = sum(((part - part.mean()) ** 2).sum() for part in (before[::2], before[1::2]))
    assert (pooled.value, pooled.dof) == (pytest.approx(np.sqrt(squares / 22)), 22)


def test_a_standardised_effect_needs_a_deviation_above_nothing():
    effect = difference_in_means(Y, ARM, (-1, 1))
    with pytest.raises(DesignError, match="Everyone answered alike"):
        hedges_g(effect, reference_sd(np.ones(24), None, ARM, 0))
    with pytest.raises(DesignError, match="its SD needs at least 2"):
        reference_sd([1.0, 2.0], None, [0, 1], 0)
    with pytest.raises(DesignError, match="expected a number above 0"):
        in_sd_units(effect, 0)
    assert in_sd_units(effect, 2).estimate == pytest.approx(effect.estimate / 2)
