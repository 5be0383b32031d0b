"""Values from a latent: moments by an independent integral, order, bounds and effects."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from equipoise.diagnosis.simulated.response import answered
from equipoise.diagnosis.simulated.values import Scale, values_of
from equipoise.errors import InputError

# Midpoints of 50,000 equal shares, other than the method's own, so that the steps of counts are met anywhere.
LATENT = stats.norm.ppf((np.arange(50_000) + 0.5) / 50_000)
FEW = settings(max_examples=25, deadline=None)


def values(scale, mean, sd, effect=0.0, latent=LATENT, zeros=None):
    """Values, or no example where nothing on this scale is like that."""
    try:
        return values_of("x", scale, mean, sd, latent, np.full(len(latent), effect), zero_share=zeros)
    except InputError:
        assume(False)


@FEW
@given(st.integers(-20, 20), st.integers(2, 100), st.floats(0.1, 0.9), st.floats(0.05, 0.4), st.booleans())
def test_numbers_within_bounds_have_their_mean_and_sd(low, width, place, spread, whole):
    scale = Scale("number", low, low + width, whole=whole)
    mean, sd = low + place * width, spread * width
    found = values(scale, mean, sd)
    assert found.mean() == pytest.approx(mean, abs=0.015 * sd)
    assert found.std() == pytest.approx(sd, rel=0.02)
    assert found.min() >= low
    assert found.max() <= low + width
    assert (np.diff(found) >= 0).all()
    if whole:
        assert (found == np.round(found)).all()


@FEW
@given(st.floats(0.3, 6), st.floats(1.1, 2.5), st.floats(0.2, 0.9), st.integers(5, 60))
def test_counts_with_zeros_have_share_mean_and_sd(mean, ratio, zeros, high):
    sd = ratio * mean
    found = values(Scale("count", 0, high, whole=True), mean, sd, zeros=zeros)
    assert (found == 0).mean() == pytest.approx(zeros, abs=2e-4)
    assert found.mean() == pytest.approx(mean, abs=0.015 * sd)
    assert found.std() == pytest.approx(sd, rel=0.02)
    assert found.max() <= high
    assert (np.diff(found) >= 0).all()


@FEW
@given(st.floats(1, 6), st.floats(1.1, 2), st.none() | st.floats(0.2, 0.6), st.floats(-0.5, 0.5))
def test_an_effect_moves_the_mean_by_exactly_that_much(mean, ratio, zeros, effect):
    scale = Scale("count", 0, 60, whole=True)
    sd = ratio * mean + 0.3
    plain, moved = values(scale, mean, sd, zeros=zeros), values(scale, mean, sd, effect, zeros=zeros)
    assert moved.mean() - plain.mean() == pytest.approx(effect, abs=0.005 * sd)


@FEW
@given(st.floats(0.05, 0.95), st.floats(-0.05, 0.05))
def test_shares_of_yes_are_the_mean_and_the_effect_and_rise_with_the_latent(mean, effect):
    found = values(Scale("yes-no"), mean, 0.0, effect)
    assert found.mean() == pytest.approx(mean + effect, abs=1e-4)
    assert (np.diff(found) >= 0).all()


@settings(deadline=None)
@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=4),
    st.integers(1, 200),
    st.integers(0, 2**32),
    st.floats(-3, 3),
)
def test_exactly_the_rounded_share_of_each_group_answers(rates, n, seed, lean):
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, len(rates), n)
    found = answered(np.array(rates), lean * rng.standard_normal(n), groups, rng)
    for group, rate in enumerate(rates):
        assert found[groups == group].sum() == round(rate * (groups == group).sum())
