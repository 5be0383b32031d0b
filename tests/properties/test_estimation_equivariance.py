"""What must not move an estimate, and what must move it in step, on generated trials."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.estimation.registry import estimate_effect
from equipoise.estimation.several.multiplicity import METHODS, adjust_p_values

MODELS = st.sampled_from(["difference-in-means", "linear", "lin-interacted"])


def trial(seed):
    rng = np.random.default_rng(seed)
    stratum = rng.permutation(np.repeat(np.arange(3), 12))
    arm = np.empty(36, dtype=int)
    for label in range(3):
        arm[stratum == label] = rng.permutation(np.tile([0, 1, 2], 4))
    return rng.normal(size=36) + arm + stratum, arm, stratum


def numbers(found):
    return (
        found.estimate,
        found.std_error,
        found.dof,
        found.p_value,
        found.interval.low,
        found.interval.high,
    )


@settings(max_examples=40, deadline=None)
@given(MODELS, st.integers(0, 10**6), st.floats(-1e3, 1e3), st.floats(0.01, 100), st.booleans())
def test_an_outcome_in_another_unit_gives_the_same_effect_in_that_unit(model, seed, shift, scale, negative):
    y, arm, stratum = trial(seed)
    factor = -scale if negative else scale
    plain = estimate_effect(model, y, arm, (-1, 0, 1), strata=stratum)
    moved = estimate_effect(model, shift + factor * y, arm, (-1, 0, 1), strata=stratum)
    assert numbers(moved) == pytest.approx(numbers(plain.scaled(factor)), rel=1e-6, abs=1e-7 * scale)


@settings(max_examples=40, deadline=None)
@given(MODELS, st.integers(0, 10**6), st.permutations(["north", "south", "west"]))
def test_names_of_strata_and_order_of_rows_change_nothing(model, seed, names):
    y, arm, stratum = trial(seed)
    order = np.random.default_rng(seed).permutation(36)
    plain = estimate_effect(model, y, arm, (-1, 0.5, 0.5), strata=stratum)
    other = estimate_effect(
        model, y[order], arm[order], (-1, 0.5, 0.5), strata=np.array(names)[stratum][order]
    )
    assert numbers(other) == pytest.approx(numbers(plain), rel=1e-8, abs=1e-10)


@settings(max_examples=40, deadline=None)
@given(MODELS, st.integers(0, 10**6))
def test_a_contrast_turned_round_is_the_negative(model, seed):
    y, arm, stratum = trial(seed)
    there = estimate_effect(model, y, arm, (-1, 1, 0), strata=stratum)
    back = estimate_effect(model, y, arm, (1, -1, 0), strata=stratum)
    assert numbers(back) == pytest.approx(numbers(there.scaled(-1)), rel=1e-9, abs=1e-12)


@given(st.sampled_from(sorted(METHODS)), st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_adjusted_p_values_keep_their_order_and_never_fall(method, p):
    adjusted = adjust_p_values(method, p)
    assert (adjusted >= np.array(p) - 1e-15).all()
    assert (adjusted <= 1).all()
    assert (np.diff(adjusted[np.argsort(p, kind="stable")]) >= 0).all()
