"""Questions that were not shown have no answer; nobody answers outside a wave; weeks are counted alike."""

from datetime import timedelta

import numpy as np
import polars as pl
import pytest

from equipoise.diagnosis import simulate_study
from equipoise.diagnosis.simulated.response import answer_times
from equipoise.findings.levels.subgroups import weeks_since
from equipoise.protocol.timeline import timeline


def everybody_answers(protocol):
    protocol["diagnosis"]["assume"]["response"] = {}


def test_a_question_kept_back_has_no_answer_and_one_shown_has(build):
    def change(protocol, survey):
        everybody_answers(protocol)
        survey["pages"].append({"id": "more", "questions": [asked("useful", "heard == true")]})

    answers = simulate_study(build(change), 1).data.answers["after"]
    assert (answers["useful"].is_not_null() == answers["heard"]).all()
    assert 0 < answers["useful"].null_count() < answers.height


def asked(name, rule):
    return {"id": name, "ask": f"Was it {name}?", "type": "yes-no", "show-if": rule}


def test_a_question_that_hangs_on_one_kept_back_is_kept_back_too(build):
    def change(protocol, survey):
        everybody_answers(protocol)
        questions = [asked("useful", "heard == true"), asked("again", "useful == true")]
        survey["pages"].append({"id": "more", "questions": questions})

    answers = simulate_study(build(change), 1).data.answers["after"]
    again = answers.filter(pl.col("again").is_not_null())
    assert again.height > 0
    assert again["useful"].all()
    assert again["heard"].all()


def test_a_page_kept_back_takes_its_instruments_items_with_it(build):
    def change(protocol, survey):
        everybody_answers(protocol)
        survey["pages"][0]["show-if"] = "site == 'east'"

    data = simulate_study(build(change), 1).data
    answers = data.answers["after"].join(data.participants.select("ref", "site"), on="ref")
    items = [name for name in answers.columns if "." in name]
    assert items
    for item in items:
        assert (answers[item].is_not_null() == (answers["site"] == "east")).all()
    assert answers["days"].null_count() == 0


def test_an_instrument_kept_back_by_its_own_rule_has_no_items(build):
    def change(protocol, survey):
        everybody_answers(protocol)
        survey["pages"][0]["questions"][0]["show-if"] = "age >= 40"

    data = simulate_study(build(change), 1).data
    answers = data.answers["before"].join(data.participants.select("ref", "age"), on="ref")
    shown = answers["prosocial-motivation.benefit"].is_not_null()
    assert (shown == (answers["age"] >= 40)).all()


@pytest.mark.parametrize("seed", range(3))
def test_everybody_answers_between_opening_and_closing(build, seed):
    study = build()
    times = timeline(study.protocol)
    people = simulate_study(study, seed, people=3000).data.participants
    for wave in ("before", "after"):
        moments = people[f"answered_{wave}"].drop_nulls()
        assert moments.min() >= times.opens[wave]
        assert moments.max() < times.closes[wave]


def test_most_answer_soon_after_they_were_asked_and_a_reminder_brings_more(build):
    times = timeline(build().protocol)
    opens, closes = times.opens["after"], times.closes["after"]
    found = answer_times(opens, closes, [timedelta(weeks=3)], 20_000, np.random.default_rng(1))
    days = np.array([(moment - opens) / timedelta(days=1) for moment in found])
    per_day = np.histogram(days, bins=np.arange(0, 42))[0]
    assert per_day[0] > 4 * per_day[10]
    assert per_day[21] > 4 * per_day[20]
    assert (days < 21).mean() == pytest.approx(0.5, abs=0.015)


def test_a_reminder_after_the_close_brings_nobody(build):
    times = timeline(build().protocol)
    opens, closes = times.opens["before"], times.closes["before"]
    found = answer_times(opens, closes, [timedelta(weeks=9)], 500, np.random.default_rng(1))
    assert max(found) < closes


def test_nobody_who_did_not_answer_has_answers_and_the_other_way_round(build):
    data = simulate_study(build(), 4).data
    for wave in ("before", "after"):
        who = data.participants.filter(pl.col(f"answered_{wave}").is_not_null())["ref"]
        assert data.answers[wave]["ref"].to_list() == who.to_list()


def test_effect_by_week_follows_the_weeks_of_the_analysis(build):
    """Nobody is moved before the week from which on there is an effect; weeks are those of the findings."""

    def change(protocol, survey):
        everybody_answers(protocol)
        assume = protocol["diagnosis"]["assume"]
        assume["uptake"] = 1.0
        assume["heard"] = {"mean": 0.0, "effect": {"arm": "offer", "by-week": [0.0, 1.0]}}

    study = build(change)
    data = simulate_study(study, 1, people=1000).data
    table = data.answers["after"].join(data.participants, on="ref")
    week = weeks_since(table["answered_after"], timeline(study.protocol).launch)
    assert set(week) >= {1.0, 2.0}
    expected = (table["arm"] == "offer").to_numpy() & (week >= 2)
    assert (table["heard"].to_numpy() == expected).all()


def test_messages_sent_at_the_launch_are_told_of_those_they_are_for(build):
    def change(protocol, survey):
        protocol["contacts"] = {
            "first-letter": {
                "to": {"arm": "offer"},
                "channel": "email",
                "template": "messages/letter.md",
                "from": "launch + 1 day",
                "repeat-risk": "at-most-once",
            }
        }

    study = build(change, {"messages/letter.md": "---\nsubject: A letter\n---\nHello.\n"})
    people = simulate_study(study, 1).data.participants
    sent = people[study.protocol.sent_column("first-letter")]
    assert (sent.is_not_null() == (people["arm"] == "offer")).all()
    assert sent.min() == timeline(study.protocol).launch + timedelta(days=1)
