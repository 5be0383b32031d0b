"""Pairs, small blocks and unequal chances over the whole design: every allocation that it can give."""

from itertools import combinations, product

import numpy as np
import pytest

from equipoise.errors import DesignError
from equipoise.estimation.effects.neyman import stratified_difference_in_means
from equipoise.estimation.effects.pairs import hybrid_difference, paired_clusters, paired_difference
from equipoise.estimation.effects.weighted import hajek, horvitz_thompson, joint_probabilities

EFFECT = (-1, 1)
RNG = np.random.default_rng(8)


def every_allocation(stratum, treated):
    """Each way to treat so many of each stratum."""
    parts = [combinations(np.flatnonzero(stratum == s), k) for s, k in enumerate(treated)]
    for chosen in product(*parts):
        arm = np.zeros(len(stratum), dtype=int)
        arm[[person for part in chosen for person in part]] = 1
        yield arm


BLOCK = np.repeat([0, 1, 2, 3, 4], [2, 2, 3, 3, 4])
TREATED = [1, 1, 1, 1, 2]
BEFORE = RNG.normal(size=14) + BLOCK


def test_a_mixture_of_small_and_large_blocks_has_an_exact_variance_when_blocks_share_their_effect():
    fits = [
        hybrid_difference(BEFORE + 2.0 * arm, arm, EFFECT, BLOCK) for arm in every_allocation(BLOCK, TREATED)
    ]
    assert len(fits) == 2 * 2 * 3 * 3 * 6
    assert np.mean([fit.estimate for fit in fits]) == pytest.approx(2.0, abs=1e-12)
    truth = np.var([fit.estimate for fit in fits])
    assert np.mean([fit.std_error**2 for fit in fits]) == pytest.approx(truth, rel=1e-10)


def test_it_is_unbiased_and_its_variance_never_too_small_when_effects_differ():
    effects = RNG.normal(1.0, 2.0, 14)
    fits = [
        hybrid_difference(BEFORE + effects * arm, arm, EFFECT, BLOCK)
        for arm in every_allocation(BLOCK, TREATED)
    ]
    assert np.mean([fit.estimate for fit in fits]) == pytest.approx(effects.mean(), abs=1e-12)
    assert np.mean([fit.std_error**2 for fit in fits]) >= np.var([fit.estimate for fit in fits])


def test_the_hybrid_is_the_paired_difference_for_pairs_and_neymans_for_large_strata():
    pair, arm = np.repeat(np.arange(9), 2), np.tile([0, 1], 9)
    y = RNG.normal(size=18) + arm
    hybrid, paired = hybrid_difference(y, arm, EFFECT, pair), paired_difference(y, arm, EFFECT, pair)
    assert hybrid.std_error == pytest.approx(paired.std_error, rel=1e-12)
    assert hybrid.dof == pytest.approx(8)
    stratum, arm = np.repeat([0, 1], 10), np.tile([0, 1], 10)
    y = RNG.normal(size=20)
    one = hybrid_difference(y, arm, EFFECT, stratum, randomised={0: 12, 1: 18})
    other = stratified_difference_in_means(
        y, arm, EFFECT, stratum, randomised={0: 12, 1: 18}, dof="satterthwaite"
    )
    assert (one.estimate, one.std_error, one.dof) == pytest.approx(
        (other.estimate, other.std_error, other.dof), rel=1e-12
    )


@pytest.mark.parametrize(
    ("stratum", "arm", "message"),
    [
        ([0, 0, 0, 0, 1, 1], [0, 0, 1, 1, 0, 1], 'stratum "1" has one person in an arm and at least half'),
        ([0, 0, 1, 1, 2, 2, 2, 2, 2], [0, 1, 0, 1, 0, 0, 0, 0, 1], 'stratum "2" has one person in an arm'),
        ([0, 0, 1, 1, 2, 2], [0, 1, 0, 1, 0, 0], 'stratum "2" has nobody in arm "texts"'),
    ],
)
def test_a_stratum_whose_error_cannot_be_told_is_named(stratum, arm, message):
    y = np.arange(len(arm), dtype=float) ** 2
    with pytest.raises(DesignError, match=message):
        hybrid_difference(y, arm, EFFECT, stratum, arm_names=["control", "texts"])


SIZES = np.array([3, 3, 2, 2, 4, 4, 1, 1])
CLUSTER = np.repeat(np.arange(8), SIZES)
PAIR = CLUSTER // 2


def test_pairs_of_clusters_are_unbiased_over_people_and_exact_for_one_effect():
    before = RNG.normal(size=20) + RNG.normal(size=8)[CLUSTER]
    fits = []
    for first in product([0, 1], repeat=4):
        arm = (np.array(first)[PAIR] + CLUSTER) % 2
        fits.append(paired_clusters(before + 1.5 * arm, arm, EFFECT, PAIR, CLUSTER))
    assert np.mean([fit.estimate for fit in fits]) == pytest.approx(1.5, abs=1e-12)
    assert np.mean([fit.std_error**2 for fit in fits]) >= np.var([fit.estimate for fit in fits])
    assert {fit.dof for fit in fits} == {3}


def test_pairs_of_clusters_follow_the_formula_written_out():
    y, arm = RNG.normal(size=20), CLUSTER % 2
    found = paired_clusters(y, arm, EFFECT, PAIR, CLUSTER)
    gaps = [y[(k == PAIR) & (arm == 1)].mean() - y[(k == PAIR) & (arm == 0)].mean() for k in range(4)]
    people = np.bincount(PAIR)
    estimate = np.average(gaps, weights=people)
    spread = [people[k] * gaps[k] - 20 * estimate / 4 for k in range(4)]
    assert found.estimate == pytest.approx(estimate, rel=1e-12)
    assert found.std_error**2 == pytest.approx(4 / 3 * np.sum(np.square(spread)) / 20**2, rel=1e-12)


def test_clusters_of_two_arms_and_pairs_of_one_cluster_are_named():
    y = RNG.normal(size=20)
    with pytest.raises(DesignError, match="holds people of two arms or two pairs"):
        paired_clusters(y, np.arange(20) % 2, EFFECT, PAIR, CLUSTER)
    with pytest.raises(DesignError, match='"3" has 2 clusters in arm "control"; expected one in each'):
        paired_clusters(
            y, np.where(PAIR == 3, 0, CLUSTER % 2), EFFECT, PAIR, CLUSTER, arm_names=["control", "texts"]
        )


def test_horvitz_thompson_is_unbiased_and_never_too_sure_over_every_allocation_within_strata():
    stratum = np.repeat([0, 1], [4, 5])
    y0, effects = RNG.normal(size=9) + stratum, RNG.normal(1.0, 1.0, 9)
    chance = np.where(stratum == 0, 0.25, 0.4)
    fits = [
        horvitz_thompson(
            y0 + effects * arm,
            arm,
            EFFECT,
            np.column_stack([1 - chance, chance]),
            joint=joint_probabilities(arm, 2, strata=stratum),
        )
        for arm in every_allocation(stratum, [1, 2])
    ]
    assert len(fits) == 40
    assert np.mean([fit.estimate for fit in fits]) == pytest.approx(effects.mean(), abs=1e-12)
    assert np.mean([fit.std_error**2 for fit in fits]) >= np.var([fit.estimate for fit in fits])


def test_with_effects_of_nothing_but_a_mirror_image_its_variance_is_exact():
    """Young's inequality is an equality where one outcome is minus the other times the contrast's weights."""
    y = RNG.normal(size=6)
    chance = np.full((6, 2), 0.5)
    fits = [
        horvitz_thompson(np.where(arm, y, y), np.array(arm), EFFECT, chance)
        for arm in product([0, 1], repeat=6)
        if 0 < sum(arm) < 6
    ]
    truth = (2 * y**2 + 2 * y**2).sum() / 36
    assert all(fit.std_error**2 == pytest.approx(truth, rel=1e-10) for fit in fits)


def test_joint_chances_are_those_counted_over_every_allocation():
    stratum = np.repeat([0, 1], [4, 3])
    drawn = [np.eye(2)[arm] for arm in every_allocation(stratum, [1, 2])]
    counted = np.mean([one[:, :, None, None] * one for one in drawn], axis=0)
    arm = next(iter(every_allocation(stratum, [1, 2])))
    assert joint_probabilities(arm, 2, strata=stratum) == pytest.approx(counted, abs=1e-12)


def test_clusters_are_unbiased_and_never_too_sure_by_their_totals():
    unit = np.repeat(np.arange(6), [1, 2, 3, 1, 2, 4])
    y0, effects = RNG.normal(size=13), RNG.normal(1.0, 1.0, 13)
    even = np.full((13, 2), 0.5)
    fits = [
        horvitz_thompson(
            y0 + effects * arm[unit],
            arm[unit],
            EFFECT,
            even,
            joint=joint_probabilities(arm, 2),
            cluster=unit,
        )
        for arm in every_allocation(np.zeros(6, dtype=int), [3])
    ]
    assert np.mean([fit.estimate for fit in fits]) == pytest.approx(effects.mean(), abs=1e-12)
    assert np.mean([fit.std_error**2 for fit in fits]) >= np.var([fit.estimate for fit in fits])
    with pytest.raises(DesignError, match='"1" has people of different arms or chances'):
        horvitz_thompson(y0, np.arange(13) % 2, EFFECT, even, cluster=np.maximum(unit, 1))


def test_hajeks_estimator_does_not_move_with_a_constant_and_the_other_does():
    arm = RNG.integers(0, 2, 40)
    y, chance = RNG.normal(size=40), RNG.uniform(0.2, 0.8, 40)
    chances = np.column_stack([1 - chance, chance])
    steady = [hajek(y + shift, arm, EFFECT, chances).estimate for shift in (0, 100)]
    moving = [horvitz_thompson(y + shift, arm, EFFECT, chances).estimate for shift in (0, 100)]
    assert steady[0] == pytest.approx(steady[1], abs=1e-10)
    assert abs(moving[0] - moving[1]) > 0.1


@pytest.mark.parametrize(
    ("chances", "message"),
    [
        ([[0.5, 0.5]] * 3 + [[1.0, 0.0]], "1 people had no chance of arm 1"),
        ([[0.5, 0.6]] * 4, "holds rows that are no chances"),
        ([[0.2, 0.3, 0.5]] * 4, "has 3 arms, the contrast has 2"),
    ],
)
def test_chances_that_are_none_are_refused(chances, message):
    with pytest.raises(DesignError, match=message):
        hajek([1.0, 2, 3, 5], [0, 1, 1, 0], EFFECT, chances)
