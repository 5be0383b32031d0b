"""Scores worked by hand, three or more for each scale, against the definitions of the library."""

import numpy as np
import pytest

from equipoise.instruments import instrument, instrument_ids, load, score

GAP = np.nan


def scored(name, score_name, given):
    """One participant's score; `given` in the order of the score's items, or one answer for all of them."""
    definition = instrument(name)
    keys = definition.scores[score_name or definition.sole_score()].items
    given = [given] * len(keys) if np.isscalar(given) else given
    answers = {key: np.array([answer], dtype=float) for key, answer in zip(keys, given, strict=True)}
    return score(definition, score_name, answers).values[0]


VECTORS = [
    # raw 21 -> 19.25; raw 28 -> 25.03; raw 7 and 35 are the ends; raw 2+3+4+5+1+2+3 = 20 -> 18.59
    ("swemwbs", None, 3, 19.25),
    ("swemwbs", None, 4, 25.03),
    ("swemwbs", None, 1, 7.00),
    ("swemwbs", None, 5, 35.00),
    ("swemwbs", None, [2, 3, 4, 5, 1, 2, 3], 18.59),
    # 14 x 3; eleven 4s and three gaps at their mean: 14 x 4; twelve answers 6x5 + 6x3 = 48, mean 4, so 56
    ("wemwbs", None, 3, 42),
    ("wemwbs", None, [4] * 11 + [GAP] * 3, 56),
    ("wemwbs", None, [5] * 6 + [3] * 6 + [GAP] * 2, 56),
    ("wemwbs", None, [4] * 10 + [GAP] * 4, GAP),
    # each question is its own score
    ("ons4", "satisfaction", 7, 7),
    ("ons4", "anxiety", 0, 0),
    ("ons4", "happiness", GAP, GAP),
    # neutral 5 x 4; 7+6+5+4+3 = 25; its mean 5
    ("swls", None, 4, 20),
    ("swls", None, [7, 6, 5, 4, 3], 25),
    ("swls", "mean", [7, 6, 5, 4, 3], 5),
    ("swls", None, [7, 6, 5, 4, GAP], GAP),
    # P 6 x 5; N 1+2+3+4+5+5 = 20; balance 6x5 - 6x1 = 24, 6x1 - 6x5 = -24, all 3s 18 - 18 = 0
    ("spane", "positive", 5, 30),
    ("spane", "negative", [1, 2, 3, 4, 5, 5], 20),
    ("spane", "balance", [5] * 6 + [1] * 6, 24),
    ("spane", "balance", [1] * 6 + [5] * 6, -24),
    ("spane", "balance", 3, 0),
    # never to always is 0, 25, 50, 75, 100; energy for family is reversed and here last
    ("cbi", "work", [5, 4, 3, 2, 1, 3, 5], 300 / 7),
    ("cbi", "work", [5, 4, 3, 2, 1, 3, GAP], 50),
    ("cbi", "work", [5, 4, 3, GAP, GAP, GAP, GAP], GAP),
    ("cbi", "work", [5, 4, 3, 2, GAP, GAP, GAP], 62.5),  # (100 + 75 + 50 + 25) / 4
    ("cbi", "personal", [1, 2, 3, 4, 5, 5], 350 / 6),  # 0 + 25 + 50 + 75 + 100 + 100
    ("cbi", "personal", [5, GAP, GAP, 5, GAP, 2], 75),  # (100 + 100 + 25) / 3
    ("cbi", "personal", [5, GAP, GAP, 5, GAP, GAP], GAP),
    ("cbi", "client", 2, 25),
    ("cbi", "client", [1, 1, 1, GAP, GAP, GAP], 0),
    ("cbi", "client", GAP, GAP),
    # 18 items at 4 and the reversed one at 2 (so 4): 4; all 1: (18 x 1 + 5) / 19; 13 answered
    ("cbi", "pooled-mean-1-5", [4] * 12 + [2] + [4] * 6, 4),
    ("cbi", "pooled-mean-1-5", 1, 23 / 19),
    ("cbi", "pooled-mean-1-5", [2] * 12 + [4] + [GAP] * 6, 2),
    ("intrinsic-motivation", None, [7, 6, 5, 4], 5.5),
    ("intrinsic-motivation", None, [7, 6, GAP, GAP], 6.5),
    ("intrinsic-motivation", None, [7, GAP, GAP, GAP], GAP),
    ("prosocial-motivation", None, [1, 2, 3, 4], 2.5),
    ("prosocial-motivation", None, 7, 7),
    ("prosocial-motivation", None, [5, 6, 7, GAP], 6),
    ("perceived-social-worth", None, [3, 6], 4.5),
    ("perceived-social-worth", None, 1, 1),
    ("perceived-social-worth", None, [3, GAP], GAP),
    ("perceived-social-worth-4", None, [3, 6, 5, 2], 4),
    ("perceived-social-worth-4", None, [3, 6, GAP, GAP], 4.5),
    ("perceived-social-worth-4", None, [3, GAP, GAP, GAP], GAP),
    # items 4, 5, 6 and 8 reversed: all 7 -> (4x7 + 4x1) / 8; best answers; one 5 in a reversed item is 3
    ("affective-commitment", None, 7, 4),
    ("affective-commitment", None, [7, 7, 7, 1, 1, 1, 7, 1], 7),
    ("affective-commitment", None, [4, 4, 4, 5, 4, 4, 4, 4], 31 / 8),
    # items 3, 4 and 5 reversed
    ("affective-commitment-6", None, 1, 4),
    ("affective-commitment-6", None, [7, 7, 1, 1, 1, 7], 7),
    ("affective-commitment-6", None, [6, 5, 2, 2, 2, 6], 35 / 6),
    # 3, 7, 9, 11, 12 and 15 reversed: all 7 -> (9x7 + 6x1) / 15; all 1 -> (9x1 + 6x7) / 15
    ("ocq", None, 7, 69 / 15),
    ("ocq", None, 1, 51 / 15),
    ("ocq", None, 4, 4),
    ("ocq-9", None, 7, 7),
    ("ocq-9", None, [1, 2, 3, 4, 5, 6, 7, 4, 4], 4),
    ("ocq-9", None, [6] * 5 + [GAP] * 4, 6),
    # all 6: (4x6 + 4x0) / 8; best answers; 1 to 7: all 7 (4x7 + 4x1) / 8; 1 to 5: all 5 (4x5 + 4x1) / 8
    ("spos-8", None, 6, 3),
    ("spos-8", None, [6, 0, 0, 6, 0, 6, 0, 6], 6),
    ("spos-8", None, [5, 1, 2, 4, 1, 4, 2, 5], 4.5),  # 5 + 5 + 4 + 4 + 5 + 4 + 4 + 5 = 36
    ("spos-8-1-7", None, 7, 4),
    ("spos-8-1-7", None, [7, 1, 1, 7, 1, 7, 1, 7], 7),
    ("spos-8-1-7", None, [6, 2, 3, 5, 2, 5, 3, 6], 5.5),  # the row above, one step up
    ("spos-8-1-5", None, 5, 3),
    ("spos-8-1-5", None, [5, 1, 1, 5, 1, 5, 1, 5], 5),
    ("spos-8-1-5", None, [1, 5, 5, 1, 5, 1, 5, 1], 1),
    ("professional-connection", None, [7, 6, 5, 4, 3, 5], 5),
    ("professional-connection", None, 1, 1),
    ("professional-connection", None, [6, 6, 6, GAP, GAP, GAP], 6),
    ("organisational-identification", None, [5, 4, 3, 2, 1, 3], 3),
    ("organisational-identification", None, 5, 5),
    ("organisational-identification", None, [2, 4, 3, GAP, GAP, GAP], 3),
    # deprivation: items 5 and 6 of 9 reversed, all 7 -> (7x7 + 2x1) / 9; companionship: 6 of 7, (7 + 6x1) / 7
    ("laws", "deprivation", 7, 51 / 9),
    ("laws", "companionship", 7, 13 / 7),
    ("laws", "total", 7, 64 / 16),
    # 9 of 20 reversed: all 1 -> 11 + 36; all 4 -> 44 + 9; all 2 -> 22 + 27
    ("ucla-loneliness", None, 1, 47),
    ("ucla-loneliness", None, 4, 53),
    ("ucla-loneliness", None, 2, 49),
    # odd x - 1, even 5 - x, times 2.5
    ("sus", None, 3, 50),
    ("sus", None, [5, 1] * 5, 100),
    ("sus", None, [4, 2, 5, 1, 4, 2, 3, 3, 4, 2], 75),  # 3+3+4+4+3+3+2+2+3+3 = 30
    ("sus", None, [3] * 9 + [GAP], GAP),
    ("sus", "centre-filled", [5, 1] * 4 + [5, GAP], 95),  # nine 4s and a 2: 38 x 2.5
    ("aim", None, [5, 4, 4, 3], 4),
    ("aim", None, 1, 1),
    ("aim", None, [2, 5, GAP, GAP], 3.5),
    ("iam", None, [1, 2, 3, 4], 2.5),
    ("iam", None, 5, 5),
    ("iam", None, [4, GAP, GAP, GAP], GAP),
    ("fim", None, [3, 3, 4, 4], 3.5),
    ("fim", None, 2, 2),
    ("fim", None, [5, 5, 2, GAP], 4),
    ("tfa", "burden", 4, 4),
    ("tfa", "overall", 5, 5),
    ("tfa", "coherence", GAP, GAP),
    ("tam", "usefulness", [7, 6, 5, 4, 3, 2], 4.5),
    ("tam", "ease", 6, 6),
    ("tam", "ease", [1, 2, 3, GAP, GAP, GAP], 2),
    ("utaut", "performance", [7, 6, 5, 2], 5),
    ("utaut", "facilitating", [7, 7, 7, 7], 22 / 4),  # the misfit item is reversed: 7 + 7 + 1 + 7
    ("utaut", "intention", [5, 6, GAP], 5.5),
    ("sickness-absence", None, 2.5, 2.5),
    ("sickness-absence", "spells", 3, 3),
    ("sickness-absence", "days", GAP, GAP),
    ("sickness-absence-month", None, 0, 0),
    ("sickness-absence-month", None, 30, 30),
    ("sickness-absence-month", "spells", 1, 1),
]


@pytest.mark.parametrize(("name", "score_name", "given", "expected"), VECTORS)
def test_answers_worked_by_hand_give_the_published_score(name, score_name, given, expected):
    assert scored(name, score_name, given) == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_every_scale_of_the_library_has_three_vectors_or_more():
    scales = [name for name in instrument_ids() if load(name).kind == "scale"]
    counts = {name: sum(vector[0] == name for vector in VECTORS) for name in scales}
    assert {name for name, count in counts.items() if count < 3} == set()


def test_the_swemwbs_table_holds_29_strictly_increasing_values_from_7_to_35():
    table = instrument("swemwbs").scores["metric"].table
    worth = [table[raw] for raw in range(7, 36)]
    assert len(table) == 29
    assert (np.diff(worth) > 0).all()
    assert (worth[0], worth[-1], table[23], table[32]) == (7.0, 35.0, 20.73, 29.31)


def test_a_swemwbs_with_one_item_missing_has_no_score_because_the_table_is_never_interpolated():
    assert np.isnan(scored("swemwbs", None, [4, 4, 4, GAP, 4, 4, 4]))


def test_both_scorings_of_the_burnout_inventory_agree_when_nothing_is_missing():
    definition = instrument("cbi")
    rng = np.random.default_rng(5)
    answers = {key: rng.integers(1, 6, 200).astype(float) for key in definition.keys}
    parts = [score(definition, name, answers).values for name in ("personal", "work", "client")]
    pooled = score(definition, "pooled-mean-1-5", answers).values
    hundred = (6 * parts[0] + 7 * parts[1] + 6 * parts[2]) / 19
    assert hundred == pytest.approx((pooled - 1) * 25, abs=1e-10)
