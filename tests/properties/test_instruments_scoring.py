"""What holds for every score of every instrument and all answers."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.instruments import instrument, instrument_ids, load, rule_of, score
from equipoise.instruments.scoring import directed

SCORES = [
    (instrument(name), score_name)
    for name in instrument_ids()
    if load(name).kind == "scale"
    for score_name in instrument(name).scores
]
ROWS = 8


@st.composite
def answered(draw, gaps=True):
    """A score, and answers of eight participants to its items, some missing."""
    definition, name = draw(st.sampled_from(SCORES))
    rule = rule_of(definition, name)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    share = draw(st.sampled_from([0.0, 0.2, 0.5, 0.9])) if gaps else 0.0
    answers = {}
    for key in rule.items:
        form = definition.format_of(key)
        column = rng.integers(form.low, form.high + 1, ROWS).astype(float)
        column[rng.random(ROWS) < share] = np.nan
        answers[key] = column
    return definition, name, rule, answers


@given(answered())
@settings(max_examples=150, deadline=None)
def test_every_score_is_in_its_range_or_missing_with_a_reason(case):
    definition, name, rule, answers = case
    result = score(definition, name, answers)
    known = result.values[np.isfinite(result.values)]
    assert ((known >= rule.range[0] - 1e-9) & (known <= rule.range[1] + 1e-9)).all()
    assert np.array_equal(np.isnan(result.values), result.why != 0)
    assert ((result.n_answered >= rule.missing.needs) == np.isfinite(result.values)).all()


@given(answered())
@settings(max_examples=100, deadline=None)
def test_reversing_twice_changes_nothing(case):
    definition, name, rule, answers = case
    once = dict(zip(rule.items, directed(definition, name, answers).T, strict=True))
    twice = directed(definition, name, once)
    assert np.array_equal(twice, np.column_stack([answers[key] for key in rule.items]), equal_nan=True)


@given(answered(), st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_the_order_of_the_columns_changes_nothing(case, random):
    definition, name, _, answers = case
    keys = list(answers)
    random.shuffle(keys)
    shuffled = score(definition, name, {key: answers[key] for key in keys})
    assert np.array_equal(shuffled.values, score(definition, name, answers).values, equal_nan=True)


@given(answered(), st.permutations(range(ROWS)))
@settings(max_examples=60, deadline=None)
def test_each_participant_is_scored_alone(case, order):
    definition, name, _, answers = case
    moved = score(definition, name, {key: column[list(order)] for key, column in answers.items()})
    assert np.array_equal(moved.values, score(definition, name, answers).values[list(order)], equal_nan=True)


@given(answered(gaps=False), st.data())
@settings(max_examples=150, deadline=None)
def test_a_higher_answer_moves_the_score_the_items_own_way(case, data):
    definition, name, rule, answers = case
    key = data.draw(st.sampled_from(rule.items))
    form = definition.format_of(key)
    raised = {**answers, key: np.minimum(answers[key] + 1, form.high)}
    change = score(definition, name, raised).values - score(definition, name, answers).values
    change = -change if key in rule.reversed else change
    moved = raised[key] != answers[key]
    assert (change[moved] > 0).all()
    assert (change[~moved] == 0).all()


@given(st.sampled_from(SCORES), st.integers(1, 5))
@settings(max_examples=80, deadline=None)
def test_nothing_answered_is_never_a_score(which, n):
    definition, name = which
    result = score(definition, name, {key: np.full(n, np.nan) for key in rule_of(definition, name).items})
    assert np.isnan(result.values).all()
    assert sum(result.missing.values()) == n
