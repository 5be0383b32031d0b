"""Vignettes are drawn in their shares and rated by the assumed shifts and interactions."""

from dataclasses import replace
from itertools import product

import numpy as np
import polars as pl
import pytest

from equipoise.diagnosis import simulate_study
from equipoise.errors import NotSupportedError
from equipoise.protocol.folder import load_study
from equipoise.protocol.models.assumptions import AssumedEffect

PEOPLE = 4000


@pytest.fixture(scope="module")
def hiring(examples):
    return load_study(examples / "diversity-in-hiring")


@pytest.fixture(scope="module")
def ratings(hiring):
    return simulate_study(hiring, 1, people=PEOPLE).data.ratings


def test_every_person_rates_as_often_as_the_task_says(ratings):
    for task, times in (("cvs", 8), ("blinding", 6)):
        table = ratings[task]
        assert table.height == PEOPLE * times
        assert table.group_by("participant_ref").len()["len"].unique().to_list() == [times]
        assert sorted(table["position"].unique().to_list()) == list(range(1, times + 1))


def test_attributes_come_in_their_shares_within_each_person(ratings):
    for factor, levels, times in (("ethnicity", 4, 2), ("quality", 2, 4)):
        counted = ratings["cvs"].group_by("participant_ref", factor).len()
        assert counted.height == PEOPLE * levels
        assert counted["len"].unique().to_list() == [times]


def test_attributes_are_drawn_apart_from_each_other_and_from_the_place(ratings):
    table = ratings["cvs"]
    for left, right in (("ethnicity", "quality"), ("ethnicity", "position"), ("quality", "position")):
        counts = table.group_by(left, right).len()
        cells = table[left].n_unique() * table[right].n_unique()
        assert counts.height == cells
        expected = table.height / cells
        assert np.abs(counts["len"].to_numpy() - expected).max() < 5 * np.sqrt(expected)


def test_a_way_of_showing_is_one_for_a_person_between_and_both_in_equal_parts_within(ratings):
    ways = ratings["cvs"].group_by("participant_ref").agg(pl.col("condition").unique())["condition"]
    assert ways.list.len().max() == 1
    assert ways.list.first().value_counts()["count"].to_list() == [PEOPLE / 2, PEOPLE / 2]
    within = ratings["blinding"].group_by("participant_ref", "shown").len()
    assert within["len"].unique().to_list() == [3]


def test_rates_are_the_mean_with_the_assumed_shifts_and_interactions(hiring, ratings):
    assumed = hiring.protocol.diagnosis.assume.outcomes["progress"]
    table = ratings["cvs"]
    levels = {name: sorted(table[name].unique()) for name in ("condition", "ethnicity", "quality")}
    for cell in product(*levels.values()):
        here = dict(zip(levels, cell, strict=True))
        expected = assumed.mean
        expected += sum(shifts[here[factor]] for factor, shifts in assumed.attributes.items())
        expected += sum(each.add for each in assumed.interactions if each.when.items() <= here.items())
        marks = table.filter(*(pl.col(name) == level for name, level in here.items()))["progress"]
        error = np.sqrt(expected * (1 - expected) / len(marks))
        assert marks.mean() == pytest.approx(expected, abs=4.5 * error), here


def test_marks_have_the_assumed_sd_of_which_the_assumed_part_lies_between_people(ratings):
    table = ratings["blinding"]
    plain = table.with_columns(
        rest=pl.col("score") - pl.col("quality").replace_strict({"strong": 0.6, "typical": -0.6})
    )
    assert plain["rest"].mean() == pytest.approx(6.3, abs=0.08)
    assert plain["rest"].std() == pytest.approx(1.6, abs=0.06)
    by_person = plain.group_by("participant_ref").agg(
        pl.col("rest").mean(), pl.col("rest").var().alias("own")
    )
    between = by_person["rest"].var() - by_person["own"].mean() / 6
    assert np.sqrt(between) == pytest.approx(0.9, abs=0.05)
    assert table["score"].min() >= 0
    assert table["score"].max() <= 10


def test_an_effect_of_an_arm_on_ratings_is_refused(hiring):
    assume = hiring.protocol.diagnosis.assume
    effect = AssumedEffect(arm="names_first", constant=0.1)
    outcomes = dict(assume.outcomes) | {
        "progress": assume.outcomes["progress"].model_copy(update={"effects": (effect,)})
    }
    with pytest.raises(
        NotSupportedError, match=r"diagnosis\.assume\.progress: an effect of an arm on ratings"
    ):
        simulate_study(assuming(hiring, outcomes=outcomes), 1)


def assuming(study, **changes):
    diagnosis = study.protocol.diagnosis
    assume = diagnosis.assume.model_copy(update=changes)
    protocol = study.protocol.model_copy(
        update={"diagnosis": diagnosis.model_copy(update={"assume": assume})}
    )
    return replace(study, protocol=protocol)
