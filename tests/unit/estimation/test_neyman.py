from itertools import combinations, product

import numpy as np
import pytest
from scipy import stats

from equipoise.errors import DesignError
from equipoise.estimation.arrays import codes_of
from equipoise.estimation.effects.neyman import difference_in_means, stratified_difference_in_means
from equipoise.estimation.effects.pairs import paired_difference
from equipoise.estimation.least_squares.linear import fit_linear

STRATUM = np.array([0] * 4 + [1] * 5)
Y0 = np.array([1.0, 2.0, 4.0, 8.0, 3.0, 3.5, 5.0, 9.0, 2.0])
Y1 = Y0 + np.array([0.0, 1.0, 3.0, -2.0, 0.5, 0.0, 4.0, 2.0, 1.0])
EFFECT = (-1, 1)


def every_allocation(stratum):
    """Two of four treated in the first stratum, two of five in the second: 6 x 10 allocations."""
    parts = [combinations(np.flatnonzero(stratum == label), 2) for label in np.unique(stratum)]
    for chosen in product(*parts):
        arm = np.zeros(len(stratum), dtype=int)
        arm[[person for part in chosen for person in part]] = 1
        yield arm


def test_is_unbiased_and_its_variance_never_too_small_over_the_whole_design():
    fits = [
        stratified_difference_in_means(np.where(z, Y1, Y0), z, EFFECT, STRATUM)
        for z in every_allocation(STRATUM)
    ]
    assert len(fits) == 60
    assert np.mean([f.estimate for f in fits]) == pytest.approx((Y1 - Y0).mean(), abs=1e-12)
    assert np.mean([f.std_error**2 for f in fits]) >= np.var([f.estimate for f in fits])


def test_variance_is_exactly_right_on_average_when_the_effect_is_the_same_for_everyone():
    fits = [
        stratified_difference_in_means(Y0 + 2.0 * z, z, EFFECT, STRATUM) for z in every_allocation(STRATUM)
    ]
    errors = np.mean([f.std_error**2 for f in fits])
    assert errors == pytest.approx(np.var([f.estimate for f in fits]), rel=1e-12)


def test_three_arms_are_unbiased_for_every_contrast_over_the_whole_design():
    effects = np.column_stack((Y0, Y1, Y0 * 0.5))
    contrast = np.array([-1.0, 0.5, 0.5])
    found = []
    for first in combinations(range(9), 3):
        rest = [person for person in range(9) if person not in first]
        for second in combinations(rest, 3):
            arm = np.full(9, 2)
            arm[list(first)], arm[list(second)] = 0, 1
            found.append(difference_in_means(effects[np.arange(9), arm], arm, contrast).estimate)
    assert np.mean(found) == pytest.approx(float((effects @ contrast).mean()), abs=1e-12)


def test_two_arms_are_welchs_test():
    rng = np.random.default_rng(1)
    arm = np.repeat([0, 1], [30, 17])
    y = rng.normal(size=47) * (1 + arm) + arm
    found = difference_in_means(y, arm, EFFECT)
    expected = stats.ttest_ind(y[arm == 1], y[arm == 0], equal_var=False)
    interval = expected.confidence_interval(0.95)
    assert (found.statistic, found.p_value, found.dof) == pytest.approx(
        (expected.statistic, expected.pvalue, expected.df), rel=1e-10
    )
    assert (found.interval.low, found.interval.high) == pytest.approx(
        (interval.low, interval.high), rel=1e-10
    )


def test_hc2_on_arms_alone_is_neymans_variance():
    rng = np.random.default_rng(2)
    arm = rng.integers(0, 3, 50)
    y = rng.normal(size=50) * (1 + arm)
    fit = fit_linear(y, (arm[:, None] == np.arange(3)).astype(float))
    linear, neyman = fit.contrast([-1, 0.5, 0.5]), difference_in_means(y, arm, [-1, 0.5, 0.5])
    assert linear.std_error == pytest.approx(neyman.std_error, rel=1e-12)
    assert linear.estimate == pytest.approx(neyman.estimate, rel=1e-10)


def test_strata_weigh_by_the_people_randomised_when_asked():
    rng = np.random.default_rng(3)
    stratum = np.repeat(["north", "south"], [20, 10])
    arm = np.tile([0, 1], 15)
    y = rng.normal(size=30) + arm * np.where(stratum == "north", 1.0, 5.0)
    north, south = (
        difference_in_means(y[stratum == s], arm[stratum == s], EFFECT) for s in ("north", "south")
    )
    sized = difference_in_means(y, arm, EFFECT, strata=stratum)
    randomised = difference_in_means(y, arm, EFFECT, strata=stratum, randomised={"north": 30, "south": 90})
    assert sized.estimate == pytest.approx((2 * north.estimate + south.estimate) / 3)
    assert randomised.estimate == pytest.approx(0.25 * north.estimate + 0.75 * south.estimate)
    assert randomised.std_error == pytest.approx(np.hypot(0.25 * north.std_error, 0.75 * south.std_error))
    assert (sized.dof, randomised.dof) == (26, 26)


def test_pairs_are_the_paired_t_test():
    rng = np.random.default_rng(4)
    pair = np.repeat(np.arange(12), 2)
    arm = np.array([rng.permutation([0, 1]) for _ in range(12)]).ravel()
    y = rng.normal(size=12)[pair] + rng.normal(size=24) + 0.4 * arm
    found = paired_difference(y, arm, EFFECT, pair)
    expected = stats.ttest_rel(
        y[arm == 1][np.argsort(pair[arm == 1])], y[arm == 0][np.argsort(pair[arm == 0])]
    )
    assert (found.statistic, found.p_value, found.dof) == pytest.approx(
        (expected.statistic, expected.pvalue, 11), rel=1e-10
    )


def test_an_arm_with_one_person_is_named():
    with pytest.raises(DesignError, match='arm "messages" has 1 person with an outcome; its error needs'):
        difference_in_means([1.0, 2.0, 3.0], [0, 0, 1], EFFECT, arm_names=["control", "messages"])


def test_a_stratum_without_two_people_in_an_arm_is_named():
    arm = [0, 0, 1, 1, 0, 1, 1]
    with pytest.raises(DesignError, match='stratum "south" has 1 person in arm "control"'):
        difference_in_means(
            np.arange(7.0),
            arm,
            EFFECT,
            strata=["north"] * 4 + ["south"] * 3,
            arm_names=["control", "messages"],
        )


def test_arms_outside_the_contrast_need_nobody():
    y, arm = [1.0, 2.0, 4.0, 7.0, 9.0], [0, 0, 1, 1, 2]
    assert difference_in_means(y, arm, (-1, 1, 0)).estimate == pytest.approx(4.0)


def test_a_randomised_stratum_where_nobody_answered_is_named():
    arm, strata = [0, 0, 1, 1], ["north"] * 4
    with pytest.raises(DesignError, match='stratum "south" was randomised, but nobody in it has an outcome'):
        difference_in_means([1.0, 2, 3, 5], arm, EFFECT, strata=strata, randomised={"north": 9, "south": 4})
    with pytest.raises(DesignError, match='no count above 0 for stratum "north"'):
        difference_in_means([1.0, 2, 3, 5], arm, EFFECT, strata=strata, randomised={})


def test_a_pair_that_is_not_one_in_each_arm_is_named():
    with pytest.raises(DesignError, match='"b" has 2 people in arm 0; expected one in each'):
        paired_difference([1.0, 2, 3, 4], [0, 1, 0, 0], EFFECT, ["a", "a", "b", "b"])
    with pytest.raises(DesignError, match=r"gives \+1 to one arm and -1 to another"):
        paired_difference([1.0, 2, 3, 4], [0, 1, 0, 1], (-2, 2), ["a", "a", "b", "b"])


@pytest.mark.parametrize(
    ("outcome", "arm", "contrast", "message"),
    [
        ([1.0, np.nan, 2, 3], [0, 0, 1, 1], (-1, 1), "missing or infinite in 1 of 4 rows .first: row 1."),
        ([1.0, np.inf, 2, 3], [0, 0, 1, 1], (-1, 1), "missing or infinite"),
        ([], [], (-1, 1), "holds no rows"),
        ([[1.0, 2]], [0], (-1, 1), "2 dimensions; expected one column"),
        ([1.0, 2, 3, 4], [0, 0, 1], (-1, 1), "has 3 rows, the outcome has 4"),
        ([1.0, 2, 3, 4], [0, 0, 1, 2], (-1, 1), "the contrast has weights for 0 to 1"),
        ([1.0, 2, 3, 4], [0, 0, 1, 1], (0, 0), "compares nothing"),
        ([1.0, 2, 3, 4], [0, 0, 1, 1], (0, 1), "add up to 1; the weights"),
        ([3.0, 3, 3, 3], [0, 0, 1, 1], (-1, 1), "does not vary within the arms"),
        ([0.1, 0.1, 0.7, 0.7], [0, 0, 1, 1], (-1, 1), "does not vary within the arms"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_a_reason(outcome, arm, contrast, message):
    with pytest.raises(DesignError, match=message):
        difference_in_means(outcome, arm, contrast)


def test_a_missing_label_is_refused_with_its_count():
    with pytest.raises(DesignError, match="strata: is missing in 1 of 3 rows"):
        codes_of(np.array(["a", None, "b"], dtype=object), "strata")


def test_satterthwaite_freedom_of_strata_is_between_the_smallest_cell_and_the_residual():
    arm = np.tile([0, 0, 0, 1, 1], 6)
    y = np.random.default_rng(5).normal(size=30)
    found = difference_in_means(y, arm, EFFECT, strata=np.repeat([0, 1], 15), dof="satterthwaite")
    assert 1 <= found.dof <= 26
