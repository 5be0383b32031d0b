"""What must hold of bounds, weeks and joint tests on any generated trial."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.estimation.effects.by_time import effect_by_week
from equipoise.estimation.effects.neyman import difference_in_means
from equipoise.estimation.least_squares.linear import fit_linear
from equipoise.estimation.missing.attrition import manski_bounds, tipping_points
from equipoise.estimation.missing.lee import lee_bounds

SEEDS = st.integers(0, 10**6)
CONTRASTS = st.sampled_from([(-1, 1, 0), (-1, 0.3, 0.7), (0.5, -1, 0.5)])
RANGE = (0.0, 10.0)


def trial(seed, people=45):
    rng = np.random.default_rng(seed)
    arm = rng.permutation(np.arange(people) % 3)
    return rng.uniform(*RANGE, people), rng.uniform(size=people) < 0.7, arm, rng


@settings(max_examples=60, deadline=None)
@given(SEEDS, CONTRASTS, st.sampled_from([0.6, 0.8, 0.95]))
def test_however_the_missing_are_filled_in_the_effect_lies_between_the_bounds(seed, contrast, level):
    y, answered, arm, rng = trial(seed)
    found = manski_bounds(np.where(answered, y, np.nan), answered, arm, contrast, RANGE, level=level)
    assert found.interval.low <= found.low <= found.high <= found.interval.high
    missing = sum(
        abs(weight) * (~answered)[arm == k].mean() for k, weight in enumerate(contrast) if (arm == k).any()
    )
    assert found.high - found.low == pytest.approx(missing * (RANGE[1] - RANGE[0]), abs=1e-9)
    for filling in (rng.uniform(*RANGE, len(y)), rng.choice(RANGE, len(y))):
        whole = np.where(answered, y, filling)
        effect = sum(weight * whole[arm == k].mean() for k, weight in enumerate(contrast))
        assert found.low - 1e-9 <= effect <= found.high + 1e-9


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.booleans(), st.floats(0.1, 50), st.floats(-20, 20))
def test_lees_bounds_hold_the_difference_of_those_who_answered_and_move_with_the_unit(
    seed, rounded, scale, shift
):
    y, answered, arm, _ = trial(seed, 90)
    y = np.round(y) if rounded else y
    found = lee_bounds(y, answered, arm, (-1, 1, 0))
    plain = y[answered & (arm == 1)].mean() - y[answered & (arm == 0)].mean()
    assert found.low - 1e-9 <= plain <= found.high + 1e-9
    assert found.interval.low <= found.low + 1e-9
    assert found.interval.high >= found.high - 1e-9
    moved = lee_bounds(scale * y + shift, answered, arm, (-1, 1, 0))
    for part in ("low", "high", "low_error", "high_error"):
        assert getattr(moved, part) == pytest.approx(scale * getattr(found, part), rel=1e-6, abs=1e-8)


@settings(max_examples=40, deadline=None)
@given(SEEDS, CONTRASTS, st.floats(0.1, 50), st.floats(-20, 20))
def test_tipping_points_move_with_the_unit_of_the_outcome(seed, contrast, scale, shift):
    y, answered, arm, _ = trial(seed, 90)

    def points(values):
        effect = difference_in_means(values[answered], arm[answered], contrast)
        return tipping_points(effect, values, answered, arm, contrast)

    for plain, moved in zip(points(y), points(scale * y + shift), strict=True):
        assert moved.mean == pytest.approx(scale * plain.mean + shift, abs=1e-8)
        if plain.missing:
            assert moved.to_change == pytest.approx(scale * plain.to_change, rel=1e-6, abs=1e-8)
            assert moved.to_zero == pytest.approx(scale * plain.to_zero, rel=1e-6, abs=1e-8)


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.sampled_from(["HC2", "HC3", "classical"]), st.sampled_from(["satterthwaite", "residual"]))
def test_a_joint_test_of_one_contrast_is_the_square_of_its_t_test(seed, variance, dof):
    y, _, arm, _ = trial(seed)
    fit = fit_linear(y, (arm[:, None] == np.arange(3)).astype(float), variance=variance, dof=dof)
    one, joint = fit.contrast([-1, 1, 0]), fit.joint_test([[-1, 1, 0]])
    assert joint.statistic == pytest.approx(one.statistic**2, rel=1e-8, abs=1e-12)
    assert (joint.dof_denominator, joint.p_value) == pytest.approx((one.dof, one.p_value), rel=1e-6)


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.sampled_from(["satterthwaite", "residual"]))
def test_a_joint_test_does_not_depend_on_how_its_contrasts_are_written(seed, dof):
    y, _, arm, rng = trial(seed)
    fit = fit_linear(y, (arm[:, None] == np.arange(3)).astype(float), dof=dof)
    contrasts = np.array([[-1.0, 1, 0], [-1, 0, 1]])
    mixed = (np.array([[2.0, 1], [0, 1]]) + np.diag(rng.uniform(0, 1, 2))) @ contrasts
    one, other = fit.joint_test(contrasts), fit.joint_test(mixed)
    assert (other.statistic, other.dof_denominator) == pytest.approx(
        (one.statistic, one.dof_denominator), rel=1e-7
    )


@settings(max_examples=25, deadline=None)
@given(SEEDS, st.floats(0.1, 50), st.integers(-5, 5))
def test_weeks_counted_from_another_day_or_outcomes_in_another_unit_tell_the_same(seed, scale, later):
    y, _, arm, rng = trial(seed, 90)
    week = rng.permutation(np.arange(90) // 3 % 3)
    plain = effect_by_week(y, arm, week, (-1, 1, 0))
    moved = effect_by_week(scale * y, arm, week + later, (-1, 1, 0))
    assert [each.week for each in moved.weeks] == [each.week + later for each in plain.weeks]
    assert moved.monotone.effects == pytest.approx(
        [scale * each for each in plain.monotone.effects], rel=1e-8
    )
    if plain.fade is not None:
        assert moved.fade.estimate == pytest.approx(scale * plain.fade.estimate, rel=1e-6, abs=1e-8)
        assert moved.equality.p_value == pytest.approx(plain.equality.p_value, rel=1e-6)
