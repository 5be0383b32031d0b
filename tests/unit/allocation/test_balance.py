"""The balance table against a calculation by hand and against statsmodels."""

import numpy as np
import pytest
from statsmodels.stats.weightstats import DescrStatsW

from equipoise.allocation import balance_table
from equipoise.errors import DesignError

ARMS = ["t", "c", "c", "t", "c", "t"]


def test_numbers_are_described_with_their_standardised_difference():
    age = np.array([2.0, 1.0, 2.0, 4.0, 3.0, np.nan])
    control, treated = balance_table(ARMS, {"age": age}, reference="c")
    assert (control.arm, control.n, control.missing, control.mean, control.sd) == ("c", 3, 0, 2.0, 1.0)
    assert (treated.n, treated.missing, treated.mean) == (2, 1, 3.0)
    assert treated.difference == pytest.approx(1 / np.sqrt((1 + 2) / 2))
    assert np.isnan(control.difference)


def test_levels_are_shares_of_those_with_a_value():
    rows = balance_table(ARMS, {"region": ["n", "n", "s", "n", "s", None]}, reference="c")
    assert [(row.level, row.arm, row.n, row.missing) for row in rows] == [
        ("n", "c", 3, 0),
        ("n", "t", 2, 1),
        ("s", "c", 3, 0),
        ("s", "t", 2, 1),
    ]
    assert [row.share for row in rows] == pytest.approx([1 / 3, 1, 2 / 3, 0])
    assert rows[1].difference == pytest.approx((2 / 3) / np.sqrt((2 / 9 + 0) / 2))


def test_weighted_means_agree_with_statsmodels():
    rng = np.random.default_rng(5)
    arms = ["c", "t"] * 50
    values, weights = rng.normal(size=100), rng.choice([1.5, 2.0, 3.0], size=100)
    rows = balance_table(arms, {"score": values}, reference="c", weights=weights)
    for row, start in zip(rows, (0, 1), strict=True):
        other = DescrStatsW(values[start::2], weights=weights[start::2], ddof=0)
        assert row.mean == pytest.approx(other.mean, rel=1e-12)
        assert row.sd == pytest.approx(other.std * np.sqrt(50 / 49), rel=1e-12)


def test_what_never_varies_is_no_difference_and_an_empty_covariate_is_unknown():
    flat, empty = np.ones(6), np.full(6, np.nan)
    rows = balance_table(ARMS, {"flat": flat, "empty": empty}, reference="c")
    assert rows[1].difference == 0
    assert np.isnan(rows[3].mean)


def test_lengths_and_the_reference_arm_are_checked():
    with pytest.raises(DesignError, match="1 values for 6 people"):
        balance_table(ARMS, {"age": np.ones(1)}, reference="c")
    with pytest.raises(DesignError, match=r'nobody is in arm "x"\. Arms: c, t'):
        balance_table(ARMS, {}, reference="x")
