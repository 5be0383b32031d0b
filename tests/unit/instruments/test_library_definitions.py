"""The definitions themselves: complete, consistent, honest about what was checked."""

import itertools

import numpy as np
import pytest

from equipoise.instruments import instrument, instrument_ids, load, score

SCALES = [name for name in instrument_ids() if load(name).kind == "scale"]
SCORES = [(name, score_name) for name in SCALES for score_name in instrument(name).scores]


def answered_alike(definition, directed):
    """Answers of one participant whose items all stand at `directed` ('low' or 'high') after reversal."""
    return {
        name: {
            key: np.array(
                [
                    float(
                        getattr(
                            definition.format_of(key),
                            directed
                            if key not in rule.reversed
                            else {"low": "high", "high": "low"}[directed],
                        )
                    )
                ]
            )
            for key in rule.items
        }
        for name, rule in definition.scores.items()
    }


@pytest.mark.parametrize("name", SCALES)
def test_the_demonstration_words_every_item_and_every_labelled_answer(name):
    definition = instrument(name)
    assert set(definition.demonstration.items) == set(definition.keys)
    assert "demonstration wording" in definition.demonstration.introduction
    for form_name, form in definition.answers.items():
        assert tuple(definition.demonstration.answers.get(form_name, ())) == form.labelled_codes


@pytest.mark.parametrize(("name", "score_name"), SCORES)
def test_the_stated_range_is_what_the_lowest_and_highest_answers_give(name, score_name):
    definition = instrument(name)
    ends = [
        score(definition, score_name, answered_alike(definition, end)[score_name]).values[0]
        for end in ("low", "high")
    ]
    assert ends == pytest.approx(definition.scores[score_name].range)


@pytest.mark.parametrize("name", SCALES)
def test_bands_lie_in_the_range_and_follow_on_each_other(name):
    for rule in instrument(name).scores.values():
        for before, after in itertools.pairwise(rule.bands):
            assert before.high < after.low
        if rule.bands:
            assert (rule.bands[0].low, rule.bands[-1].high) == rule.range


@pytest.mark.parametrize("name", SCALES)
def test_a_figure_from_memory_is_never_marked_as_checked(name):
    definition = instrument(name)
    for reference in definition.references:
        if "memory" in reference.source or "Planning value" in reference.source:
            assert not reference.checked
    if any(not reference.checked for reference in definition.references):
        assert definition.not_confirmed


@pytest.mark.parametrize("name", SCALES)
def test_a_house_rule_for_missing_items_says_so(name):
    for rule in instrument(name).scores.values():
        if "house rule" in rule.missing.source:
            assert not rule.missing.checked


def test_licence_classes_are_those_of_the_owners():
    classes = {name: load(name).licence.class_ for name in instrument_ids()}
    assert {name for name, letter in classes.items() if letter == "L"} == {
        "swemwbs",
        "wemwbs",
        "affective-commitment",
        "affective-commitment-6",
    }
    assert all(classes[name] == "O" for name in ("ons4", "spane", "sus", "aim", "iam", "fim", "tfa"))
    assert all(classes[name] == "P" for name in ("ocq", "laws", "tam", "utaut", "ucla-loneliness"))


def test_only_worse_things_are_good_when_low():
    low = {(name, s) for name, s in SCORES if instrument(name).scores[s].good == "low"}
    assert {name for name, _ in low} == {
        "cbi",
        "laws",
        "ons4",
        "sickness-absence",
        "sickness-absence-month",
        "spane",
        "tfa",
        "ucla-loneliness",
        "utaut",
    }
    assert ("ons4", "anxiety") in low
    assert ("ons4", "satisfaction") not in low


def test_the_four_questions_of_the_ons_are_never_combined():
    assert all(len(rule.items) == 1 for rule in instrument("ons4").scores.values())
