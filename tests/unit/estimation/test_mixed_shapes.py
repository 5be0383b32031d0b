"""Mixed models on awkward shapes: what they do there, and what they refuse."""

import numpy as np
import pytest

from equipoise.errors import DesignError
from equipoise.estimation.least_squares.linear import fit_linear
from equipoise.estimation.mixed.arms import fit_arms, mixed_effect
from equipoise.estimation.mixed.crossover import fit_crossover, two_by_two
from equipoise.estimation.mixed.fit import fit_mixed
from equipoise.estimation.mixed.icc import design_effect, intracluster_correlation
from equipoise.estimation.mixed.mmrm import average_of_waves, fit_repeated, mmrm_effect, slope_over_waves
from equipoise.estimation.mixed.wedge import fit_stepped_wedge

RNG = np.random.default_rng(3)
CLUSTER = np.repeat(np.arange(10), [1, 2, 3, 4, 5, 6, 7, 8, 3, 1])
ARM = CLUSTER % 2
Y = RNG.normal(0, 1, 10)[CLUSTER] * 2 + ARM + RNG.normal(size=len(CLUSTER))
X = np.column_stack((np.ones(len(Y)), ARM))
WAVES = RNG.normal(size=(60, 1)) + RNG.normal(size=(60, 3)) + np.arange(3)
GROUP = np.arange(60) % 2


def test_clusters_of_one_size_give_the_test_of_their_means():
    """Balanced: the mixed model is the t test of cluster means, whatever the way of counting freedom."""
    cluster, rng = np.repeat(np.arange(9), 6), np.random.default_rng(2)
    arm = np.array([0, 0, 0, 0, 1, 1, 1, 1, 1])
    y = rng.normal(0, 2, 9)[cluster] + rng.normal(size=54)
    means = fit_linear(
        y.reshape(9, 6).mean(axis=1),
        np.column_stack((arm == 0, arm == 1)),
        variance="classical",
        dof="residual",
    ).contrast((-1, 1))
    for dof in ("kenward-roger", "satterthwaite"):
        found = mixed_effect(y, arm[cluster], (-1, 1), cluster=cluster, dof=dof)
        assert (found.estimate, found.std_error, found.dof) == pytest.approx(
            (means.estimate, means.std_error, means.dof), rel=1e-8
        )


def test_the_unit_of_the_outcome_and_the_order_of_rows_change_nothing():
    plain = mixed_effect(Y, ARM, (-1, 1), cluster=CLUSTER)
    order = np.random.default_rng(1).permutation(len(Y))
    other = mixed_effect(1e4 * Y[order] + 5e5, ARM[order], (-1, 1), cluster=CLUSTER[order])
    assert other.estimate == pytest.approx(1e4 * plain.estimate, rel=1e-6)
    assert (other.std_error, other.dof) == pytest.approx((1e4 * plain.std_error, plain.dof), rel=1e-6)


def test_a_repeated_covariate_is_dropped_and_changes_nothing():
    covariate = np.arange(len(Y)) % 3
    once = mixed_effect(Y, ARM, (-1, 1), cluster=CLUSTER, covariates=covariate)
    twice = mixed_effect(
        Y, ARM, (-1, 1), cluster=CLUSTER, covariates=np.column_stack((covariate, 2 * covariate + 1))
    )
    assert (once.estimate, once.std_error, once.dof) == pytest.approx(
        (twice.estimate, twice.std_error, twice.dof), rel=1e-7
    )


def test_a_dropped_column_cannot_be_asked_for():
    fit = fit_mixed(Y, np.column_stack((X, 2 * ARM)), {"cluster": CLUSTER})
    assert fit.dropped == (2,)
    with pytest.raises(DesignError, match="a column that repeats others"):
        fit.contrast((0, 0, 1))
    with pytest.raises(DesignError, match="has 2 weights; expected 3"):
        fit.contrast((0, 1))


@pytest.mark.parametrize(
    ("outcome", "arm", "cluster", "message"),
    [
        (np.full(len(Y), 3.0), ARM, CLUSTER, "outcome: does not vary"),
        (np.where(CLUSTER == 2, np.nan, Y), ARM, CLUSTER, "outcome: is missing or infinite in 3 of 40 rows"),
        (Y, np.where(CLUSTER == 1, 1, 0), CLUSTER, 'arm "b" has 1; comparing arms needs at least 2'),
        (Y, np.zeros(len(Y), dtype=int), CLUSTER, 'arm "b" has 0; comparing arms needs at least 2'),
        (Y, ARM, np.arange(len(Y)), "cluster: cannot be told from residual"),
        (Y, ARM, None, "cluster: a mixed model needs clusters"),
    ],
)
def test_what_has_no_estimate_says_why(outcome, arm, cluster, message):
    with pytest.raises(DesignError, match=message):
        mixed_effect(outcome, arm, (-1, 1), cluster=cluster, arm_names=("a", "b"))


def test_clusters_that_the_design_fits_one_by_one_have_no_variance_of_their_own():
    with pytest.raises(DesignError, match="cluster: has no variance that the data could show"):
        fit_arms(Y, ARM, (-1, 1), {"cluster": CLUSTER}, strata=CLUSTER)


def test_two_intercepts_of_the_same_rows_cannot_be_told_apart():
    with pytest.raises(DesignError, match="team: cannot be told from site"):
        fit_mixed(Y, X, {"team": CLUSTER, "site": CLUSTER + 100})


def test_with_every_wave_answered_each_wave_is_the_difference_in_means():
    fitted = fit_repeated(WAVES, GROUP)
    assert (fitted.structure, fitted.failed) == ("unstructured", ())
    for wave in range(3):
        found = fitted.contrast((-1, 1), np.eye(3)[wave])
        difference = WAVES[GROUP == 1, wave].mean() - WAVES[GROUP == 0, wave].mean()
        spread = np.sqrt(sum(WAVES[arm == GROUP, wave].var(ddof=1) for arm in (0, 1)) / 2 * 2 / 30)
        assert (found.estimate, found.std_error, found.dof) == pytest.approx(
            (difference, spread, 58), rel=1e-6
        )


def test_waves_that_nobody_has_together_fall_back_in_the_locked_order():
    apart = WAVES.copy()
    apart[::2, 2] = np.nan
    apart[1::2, 0] = np.nan
    fitted = fit_repeated(apart, np.arange(60) // 2 % 2)
    assert (fitted.structure, fitted.failed) == ("ar1", ("unstructured", "toeplitz"))


def test_people_without_any_wave_count_for_nothing():
    gaps = WAVES.copy()
    gaps[[0, 1, 7]] = np.nan
    kept = np.setdiff1d(np.arange(60), [0, 1, 7])
    one = mmrm_effect(gaps, GROUP, (-1, 1), at=average_of_waves([True, False, True]))
    two = mmrm_effect(WAVES[kept], GROUP[kept], (-1, 1), at=(0.5, 0, 0.5))
    assert (one.estimate, one.std_error) == pytest.approx((two.estimate, two.std_error), rel=1e-9)


def test_an_arm_without_a_wave_is_named_and_the_other_waves_stand():
    gaps = WAVES.copy()
    gaps[GROUP == 1, 1] = np.nan
    fitted = fit_repeated(gaps, GROUP, arm_names=("a", "b"), wave_names=("first", "second", "third"))
    with pytest.raises(DesignError, match='arm "b" has nobody who answered wave "second"'):
        fitted.contrast((-1, 1), (0, 1, 0))
    assert np.isfinite(fitted.contrast((-1, 1), (0, 0, 1)).estimate)


@pytest.mark.parametrize(
    ("outcome", "options", "message"),
    [
        (WAVES[:, 0], {}, "outcome: has one wave"),
        (np.where(np.arange(3) == 1, np.nan, WAVES), {}, "nobody answered wave 2; leave that wave out"),
        (WAVES, {"cluster": GROUP}, "cluster: arm 0 has 1; comparing arms needs at least 2 in each"),
        (WAVES, {"at": (1, 0)}, "2 arms and 2 waves have weights; expected 2 and 3"),
    ],
)
def test_waves_that_cannot_be_modelled_say_why(outcome, options, message):
    with pytest.raises(DesignError, match=message):
        mmrm_effect(outcome, GROUP, (-1, 1), **options)


def test_a_slope_is_per_unit_of_time_and_needs_two_times():
    assert slope_over_waves((4, 8, 16)) @ np.array([4, 8, 16]) == pytest.approx(1)
    with pytest.raises(DesignError, match="times: are all the same"):
        slope_over_waves((4, 4))


PERIOD = np.tile(np.repeat(np.arange(4), 3), 6)
SITE = np.repeat(np.arange(6), 12)
EXPOSURE = np.maximum(0, PERIOD - SITE % 3)
SEEN = RNG.normal(size=6)[SITE] + 0.3 * PERIOD + EXPOSURE + RNG.normal(size=72)


def test_a_period_with_one_row_of_each_cluster_has_no_intercept_of_its_own():
    first = np.arange(72) % 3 == 0
    fitted = fit_stepped_wedge(SEEN[first], EXPOSURE[first], PERIOD[first], SITE[first])
    assert tuple(fitted.fit.parameters) == ("cluster", "residual")
    whole = fit_stepped_wedge(SEEN, EXPOSURE, PERIOD, SITE)
    assert tuple(whole.fit.parameters) == ("cluster", "cluster and period", "residual")


def test_the_average_over_exposure_times_is_that_of_the_effects_of_each():
    fitted = fit_stepped_wedge(SEEN, EXPOSURE, PERIOD, SITE)
    each = [fitted.after(exposure).estimate for exposure in (1, 2, 3)]
    assert fitted.average().estimate == pytest.approx(np.mean(each), rel=1e-9)
    with pytest.raises(DesignError, match="exposure: 7 was not seen; seen: 1, 2, 3"):
        fitted.after(7)


@pytest.mark.parametrize(
    ("exposure", "cluster", "message"),
    [
        (np.zeros(72), SITE, "nobody was measured with the intervention"),
        (np.ones(72), SITE, "nobody was measured without the intervention"),
        (EXPOSURE, np.zeros(72), "holds 1 cluster; a stepped wedge compares several"),
        (np.maximum(0, PERIOD - 1), SITE, "cannot be told from the periods: all clusters switch together"),
    ],
)
def test_a_wedge_without_steps_is_refused(exposure, cluster, message):
    with pytest.raises(DesignError, match=message):
        fit_stepped_wedge(SEEN, exposure, PERIOD, cluster).average()


def test_a_crossover_says_what_it_lacks():
    outcome, arms = RNG.normal(size=(12, 2)), np.tile([[0, 1], [1, 0]], (6, 1))
    with pytest.raises(DesignError, match="carry_over: is not in this model"):
        fit_crossover(outcome, arms, arms=2).carry_over((-1, 1))
    with pytest.raises(DesignError, match="expected every arm from 0 to 2"):
        fit_crossover(outcome, arms, arms=3)
    with pytest.raises(DesignError, match="needs two periods or more"):
        fit_crossover(outcome[:, :1], arms[:, :1], arms=2)
    with pytest.raises(DesignError, match="1 people had the second arm first; expected 2 or more"):
        two_by_two(outcome, np.arange(12) == 0)


def test_likeness_may_be_negative_and_what_cannot_show_it_is_refused():
    cluster = np.repeat(np.arange(8), 5)
    within = np.tile(np.arange(5.0), 8)
    assert intracluster_correlation(within, cluster, cluster % 2).correlation == pytest.approx(-1 / 4)
    found = intracluster_correlation(within + 0.1 * cluster, cluster, cluster % 2)
    assert found.interval.low < found.correlation < found.interval.high < 0
    assert (found.clusters, found.mean_size, found.variation) == (8, 5, 0)
    assert found.design_effect == pytest.approx(design_effect(found.correlation, 5))
    assert found.design_effect < 1
    for arm, group, message in (
        (np.arange(40) % 2, cluster, '"0" is in two arms'),
        (cluster, cluster, "no arm has two clusters"),
        (np.arange(40) % 2, np.arange(40), "every cluster has one person"),
    ):
        with pytest.raises(DesignError, match=message):
            intracluster_correlation(within, group, arm)
    with pytest.raises(DesignError, match="does not vary within clusters"):
        intracluster_correlation(cluster, cluster, cluster % 2)
