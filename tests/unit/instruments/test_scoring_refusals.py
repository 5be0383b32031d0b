"""What the scoring refuses, and what it says; why a score is missing."""

import numpy as np
import pytest

from equipoise.errors import ScoringError
from equipoise.instruments import instrument, load, read, score

SWLS = {key: np.array([4.0, 4.0, 4.0]) for key in instrument("swls").keys}


def refusal(name, score_name, answers):
    with pytest.raises(ScoringError) as caught:
        score(instrument(name), score_name, answers)
    return str(caught.value)


@pytest.mark.parametrize("faulty", [0.0, 8.0, 3.5, np.inf, -np.inf, -1.0])
def test_an_answer_that_the_item_does_not_allow_is_refused_with_item_row_and_value(faulty):
    told = refusal("swls", None, {**SWLS, "satisfied": np.array([4.0, faulty, 4.0])})
    assert f"satisfied: row 2: found {faulty:g}; allowed: whole numbers from 1 to 7" in told


def test_all_faulty_items_are_told_at_once_and_many_rows_are_counted():
    many = {"satisfied": np.full(20, 9.0), "conditions": np.full(20, 0.0)}
    told = refusal("swls", None, {**{key: np.full(20, 4.0) for key in SWLS}, **many})
    assert "satisfied: row 1" in told
    assert "conditions: row 1" in told
    assert "and 15 more rows" in told


def test_an_unknown_item_is_refused_with_the_nearest_key():
    told = refusal("swls", None, {**SWLS, "satisfyed": SWLS["satisfied"]})
    assert 'Did you mean "satisfied"?' in told


def test_an_absent_item_is_refused_and_not_taken_for_unanswered():
    told = refusal("swls", None, {key: column for key, column in SWLS.items() if key != "conditions"})
    assert "conditions: swls needs answers to this item" in told


def test_columns_of_different_length_are_refused():
    assert "one length" in refusal("swls", None, {**SWLS, "satisfied": np.array([4.0])})


def test_a_score_has_to_be_named_where_there_are_several_without_a_default():
    assert "personal, work, client" in refusal("cbi", None, {})
    assert 'Did you mean "work"?' in refusal("cbi", "wrok", {})


def test_half_a_day_of_absence_is_a_count_but_91_days_of_90_are_refused():
    absence = instrument("sickness-absence")
    assert score(absence, None, {"days": np.array([0.5])}).values[0] == 0.5
    assert "allowed: a number from 0 to 90" in refusal("sickness-absence", None, {"days": np.array([91.0])})


def test_people_without_clients_skip_the_client_scale_and_keep_the_others():
    cbi = instrument("cbi")
    answers = {key: np.array([3.0, 3.0, np.nan]) for key in cbi.keys}
    for key in cbi.scores["client"].items:
        answers[key] = np.array([np.nan, 3.0, np.nan])
    client = score(cbi, "client", answers)
    work = score(cbi, "work", answers)
    assert client.missing == {"skipped": 2}
    assert work.missing == {"nothing answered": 1}
    assert work.values[0] == 50


def test_the_reason_for_each_missing_score_is_counted():
    answers = {key: np.array([4.0, np.nan, 4.0]) for key in SWLS}
    answers["satisfied"] = np.array([4.0, np.nan, np.nan])
    result = score(instrument("swls"), None, answers)
    assert result.missing == {"nothing answered": 1, "too few answered": 1}
    assert result.n_answered.tolist() == [5, 0, 4]


def test_an_unknown_instrument_is_refused_with_the_nearest_name():
    with pytest.raises(ScoringError, match='Did you mean "swemwbs"'):
        load("swembs")


def test_a_composite_has_no_items_of_its_own():
    with pytest.raises(ScoringError, match="ask spane, swls"):
        instrument("subjective-wellbeing")


OWN = """
id: breaks
version: 1
title: Breaks
measures: Breaks
citation: Ours
licence: {class: O, asks: Nothing, source: Ours}
answers: {often: {low: 1, high: 3}}
items: [{key: lunch, answers: often}, {key: pause, answers: often}]
scores:
  total:
    title: Total
    items: [lunch, pause]
    aggregate: sum
    missing: {needs: 2, source: Ours}
    range: [2, 6]
    good: high
demonstration: {introduction: Last week, items: {lunch: I had lunch., pause: I paused.}}
"""


def test_a_team_can_define_an_instrument_of_its_own():
    own = read(OWN, "breaks.yaml")
    assert score(own, None, {"lunch": np.array([3.0]), "pause": np.array([1.0])}).values[0] == 4


@pytest.mark.parametrize(
    ("found", "put", "told"),
    [
        ("aggregate: sum", "aggregate: sum\n    reversed: [pauze]", "reversed names pauze"),
        ("items: [lunch, pause]", "items: [lunch, pausa]", "'pausa' is not one of lunch, pause"),
        ("needs: 2", "needs: 3", "missing.needs is 3 of 2 items"),
        ("needs: 2", "needs: 1", "missing.fill says"),
        ("version: 1", "version: 1\ncolour: red", "colour"),
        ("range: [2, 6]", "range: [6, 2]", "the second must be the larger"),
        ("aggregate: sum", "aggregate: sum\n    table: {2: 1, 3: 2}", "must hold every total from 2 to 6"),
        ("aggregate: sum", "aggregate: sum\n    recode: {1: 0, 2: 50}", "must name every code from 1 to 3"),
        ("[lunch, pause]", "[lunch, lunch]", "names lunch twice"),
        ("low: 1, high: 3", "low: 3, high: 1", "high must be the larger"),
        ("id: breaks", "id: [breaks", "not YAML"),
    ],
)
def test_a_faulty_definition_is_refused_with_its_place(found, put, told):
    with pytest.raises(ScoringError) as caught:
        read(OWN.replace(found, put), "breaks.yaml")
    assert told in str(caught.value)
    assert "breaks.yaml" in str(caught.value)
