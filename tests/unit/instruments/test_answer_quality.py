"""Counts behind a score: who answered, floor and ceiling, straight-liners; days of absence."""

import numpy as np
import pytest

from equipoise.errors import ScoringError
from equipoise.instruments import instrument, quality
from equipoise.instruments.absence import absence_rate, capped_days

GAP = np.nan


def columns(name, rows):
    definition = instrument(name)
    return dict(zip(definition.keys, np.array(rows, dtype=float).T, strict=True))


def test_floor_and_ceiling_are_shares_of_those_scored():
    rows = [[1] * 5, [7] * 5, [7] * 5, [4] * 5, [4, 4, 4, 4, GAP]]
    result = quality(instrument("swls"), None, columns("swls", rows))
    assert (result.n, result.n_scored, result.floor, result.ceiling) == (5, 4, 0.25, 0.5)
    assert result.items_answered == {0: 0, 1: 0, 2: 0, 3: 0, 4: 1, 5: 4}
    assert result.missing == {"too few answered": 1}


def test_equal_answers_are_no_pattern_where_nothing_is_reversed():
    assert quality(instrument("swls"), None, columns("swls", [[4] * 5])).straight_liners is None


def test_straight_liners_contradict_themselves_over_reversed_items():
    # SPOS-8 reverses items 2, 3, 5 and 7.
    rows = [
        [6] * 8,  # a line
        [6, 6, GAP, GAP, GAP, GAP, GAP, 6],  # three alike on both sides: a line
        [6, 6, GAP, GAP, GAP, GAP, GAP, GAP],  # two answers are no pattern
        [6, GAP, GAP, 6, GAP, 6, GAP, 6],  # alike, but on one side of the reversal only
        [6, 0, 0, 6, 0, 6, 0, 6],  # consistent
        [GAP] * 8,
    ]
    assert quality(instrument("spos-8"), None, columns("spos-8", rows)).straight_liners == 2


def test_nobody_scored_has_no_shares():
    result = quality(instrument("swls"), None, columns("swls", [[GAP] * 5]))
    assert (result.n_scored, result.floor, result.ceiling) == (0, None, None)


def test_days_lost_are_capped_by_the_days_of_the_contract():
    days, week = np.array([10.0, 10.0, 10.0, GAP]), np.array([5.0, 2.0, GAP, 5.0])
    # 28 days hold 20 and 8 working days; without a known contract the window is the cap.
    assert capped_days(days, week, 28) == pytest.approx([10, 8, 10, GAP], nan_ok=True)


def test_the_rate_is_days_lost_over_days_available():
    rate = absence_rate(np.array([1.0, 10.0, 1.0]), np.array([5.0, 2.0, GAP]), 28)
    assert rate == pytest.approx([5.0, 100.0, GAP], nan_ok=True)


@pytest.mark.parametrize("week", [0.0, -1.0, 7.5])
def test_a_contract_of_impossible_days_is_refused(week):
    with pytest.raises(ScoringError, match="row 2"):
        absence_rate(np.array([1.0, 1.0]), np.array([5.0, week]), 28)
