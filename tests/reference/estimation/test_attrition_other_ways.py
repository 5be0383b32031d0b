"""Response, bounds and tipping points against other packages, halving, and data filled in by hand."""

from math import erf, sqrt

import numpy as np
import pytest
from statsmodels.stats.proportion import proportions_chisquare, proportions_ztest

from equipoise.errors import DesignError
from equipoise.estimation.effects.neyman import difference_in_means
from equipoise.estimation.missing.attrition import manski_bounds, response_differs, tipping_points

SCALE = (1.0, 7.0)


def trial(seed, arms=2, people=180, effect=1.5):
    """Answers from 1 to 7, about a third of them missing."""
    rng = np.random.default_rng(seed)
    arm = rng.integers(0, arms, people)
    y = np.clip(np.round(rng.normal(3.5 + effect * (arm == arms - 1), 1.2)), *SCALE)
    return y, rng.uniform(size=people) < 0.7 - 0.1 * arm, arm


def halved(function, low, high):
    """The root of an increasing function, by halving."""
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if function(middle) < 0 else (low, middle)
    return low


def normal(x):
    return 0.5 * (1 + erf(x / sqrt(2)))


@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
@pytest.mark.parametrize("contrast", [(-1, 0, 1), (-1, 0.5, 0.5)])
def test_the_interval_of_bounds_solves_the_equation_of_imbens_and_manski(contrast, level):
    y, answered, arm = trial(1, arms=3)
    found = manski_bounds(y, answered, arm, contrast, SCALE, level=level)
    errors = []
    for lowest in (True, False):
        ends = [SCALE[(weight > 0) ^ lowest] for weight in contrast]
        filled = [np.where(answered, y, ends[k])[arm == k] for k in range(3)]
        errors.append(
            sqrt(sum(w**2 * np.var(one, ddof=1) / len(one) for w, one in zip(contrast, filled, strict=True)))
        )
    width = (found.high - found.low) / max(errors)
    reach = halved(lambda c: normal(c + width) - normal(-c) - level, 0, 10)
    assert found.interval.low == pytest.approx(found.low - reach * errors[0], rel=1e-10)
    assert found.interval.high == pytest.approx(found.high + reach * errors[1], rel=1e-10)


def test_with_everybody_answering_bounds_are_the_estimate_with_its_normal_interval():
    y, _, arm = trial(2)
    found = manski_bounds(y, np.ones(len(y)), arm, (-1, 1), SCALE)
    plain = difference_in_means(y, arm, (-1, 1))
    assert found.low == found.high == pytest.approx(plain.estimate, rel=1e-12)
    assert found.interval.high - found.high == pytest.approx(1.959963984540054 * plain.std_error, rel=1e-9)


@pytest.mark.parametrize("level", [0.05, 0.3, 0.5])
def test_bounds_have_an_interval_at_a_low_level_too(level):
    y, answered, arm = trial(3)
    found = manski_bounds(y, answered, arm, (-1, 1), SCALE, level=level)
    assert found.interval.low < found.interval.high


def test_bounds_have_no_interval_where_an_arm_filled_in_does_not_vary():
    found = manski_bounds([1.0, 1, 1, 1], [1, 1, 1, 1], [0, 0, 1, 1], (-1, 1), SCALE)
    assert (found.low, found.high, found.interval) == (0, 0, None)
    assert manski_bounds([1.0, 2, 1], [1, 1, 1], [0, 0, 1], (-1, 1), SCALE).interval is None


def test_with_nobody_answering_bounds_are_the_whole_range():
    found = manski_bounds([np.nan] * 4, [False] * 4, [0, 0, 1, 1], (-1, 1), SCALE)
    assert (found.low, found.high) == (-6, 6)


@pytest.mark.parametrize("arms", [2, 3])
@pytest.mark.parametrize("effect", [0.0, 1.5])
def test_filling_in_the_shifted_values_undoes_the_conclusion(arms, effect):
    """The missing at their arm's mean leave the estimate; moved by the shift, they bring it to the edge."""
    y, answered, arm = trial(4, arms, effect=effect)
    contrast = (-1, 1) if arms == 2 else (-1, 0.25, 0.75)
    estimate = difference_in_means(y[answered], arm[answered], contrast)
    includes = estimate.interval.contains(0)
    for point in tipping_points(estimate, y, answered, arm, contrast):
        assert point.missing == ((arm == point.arm) & ~answered).sum()
        assert point.mean == pytest.approx(y[answered & (arm == point.arm)].mean(), rel=1e-12)

        def effect_with(shift, point=point):
            means = [y[answered & (arm == k)].mean() for k in range(arms)]
            whole = np.where(answered, y, np.array(means)[arm] + shift * (arm == point.arm))
            return sum(w * whole[arm == k].mean() for k, w in enumerate(contrast))

        assert effect_with(0) == pytest.approx(estimate.estimate, rel=1e-12)
        assert effect_with(point.to_zero) == pytest.approx(0, abs=1e-12)
        moved = effect_with(point.to_change) - estimate.estimate
        ends = np.array([estimate.interval.low, estimate.interval.high]) + moved
        assert np.abs(ends).min() == pytest.approx(0, abs=1e-12)
        past, short = (effect_with(point.to_change * k) - estimate.estimate for k in (1.001, 0.999))
        assert (estimate.interval.low + past <= 0 <= estimate.interval.high + past) != includes
        assert (estimate.interval.low + short <= 0 <= estimate.interval.high + short) == includes


def test_a_shift_is_possible_when_the_missing_mean_stays_on_the_scale():
    y, answered, arm = trial(5)
    estimate = difference_in_means(y[answered], arm[answered], (-1, 1))
    for scale in (SCALE, (-100.0, 100.0), (3.0, 4.0)):
        for point in tipping_points(estimate, y, answered, arm, (-1, 1), scale):
            filled = point.mean + point.to_change
            assert point.possible == (scale[0] <= filled <= scale[1])
    assert {point.possible for point in tipping_points(estimate, y, answered, arm, (-1, 1))} == {None}


def test_an_arm_without_anybody_missing_has_no_tipping_point():
    y, answered, arm = trial(6)
    answered = answered | (arm == 0)
    estimate = difference_in_means(y[answered], arm[answered], (-1, 1))
    control, treated = tipping_points(estimate, y, answered, arm, (-1, 1), SCALE)
    assert (control.missing, control.to_zero, control.to_change, control.possible) == (0, None, None, None)
    assert treated.to_zero is not None


def test_an_arm_in_which_nobody_answered_has_no_mean_to_shift_from():
    y, answered, arm = trial(7)
    estimate = difference_in_means(y, arm, (-1, 1))
    with pytest.raises(DesignError, match="answered: nobody in arm 1 answered"):
        tipping_points(estimate, y, answered & (arm == 0), arm, (-1, 1))


def test_that_response_differs_has_the_p_value_of_the_pooled_comparison_of_proportions():
    for seed in range(20):
        _, answered, arm = trial(seed, people=60)
        counts, totals = np.bincount(arm[answered], minlength=2), np.bincount(arm)
        _, theirs = proportions_ztest(counts, totals)
        assert response_differs(answered, arm) == pytest.approx(theirs, rel=1e-9)


def test_that_response_differs_over_several_arms_has_the_p_value_of_statsmodels():
    _, answered, arm = trial(8, arms=4)
    _, theirs, _ = proportions_chisquare(np.bincount(arm[answered], minlength=4), np.bincount(arm))
    assert response_differs(answered, arm) == pytest.approx(theirs, rel=1e-9)
    skipping = np.array([0, 2, 5, 9])[arm]
    assert response_differs(answered, skipping) == pytest.approx(theirs, rel=1e-9)


def test_response_cannot_differ_when_all_or_none_answered_or_there_is_one_arm():
    arm = np.array([0, 0, 1, 1])
    assert response_differs(np.ones(4), arm) == response_differs(np.zeros(4), arm) == 1
    assert response_differs([True, False], [1, 1]) == 1


def test_response_of_nobody_is_refused():
    with pytest.raises(DesignError, match="arm: holds no rows"):
        response_differs([], [])


def test_bounds_of_clusters_that_count_once_are_those_of_their_means_filled_in():
    y, answered, arm = trial(9)
    cluster = np.char.add(np.array(["u", "t"])[arm], (np.arange(len(arm)) % 7).astype(str))
    found = manski_bounds(y, answered, arm, (-1, 1), SCALE, cluster=cluster)
    for end, value in (("low", (7.0, 1.0)), ("high", (1.0, 7.0))):
        filled = np.where(answered, y, np.array(value)[arm])
        means = [
            np.array([filled[cluster == each].mean() for each in np.unique(cluster[arm == k])])
            for k in (0, 1)
        ]
        assert getattr(found, end) == pytest.approx(means[1].mean() - means[0].mean(), rel=1e-12)
    assert found.interval.low < found.low


def test_a_tipping_point_of_clusters_that_count_once_shifts_each_by_its_missing_share():
    y, answered, arm = trial(10)
    cluster = arm * 10 + np.minimum(np.arange(len(arm)) // 4, 5)
    estimate = difference_in_means(y[answered], arm[answered], (-1, 1))
    for point in tipping_points(estimate, y, answered, arm, (-1, 1), cluster=cluster):
        shares = [(~answered)[cluster == each].mean() for each in np.unique(cluster[arm == point.arm])]
        push = (1 if point.arm else -1) * np.mean(shares)
        assert point.to_zero == pytest.approx(-estimate.estimate / push, rel=1e-12)
