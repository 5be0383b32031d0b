"""The tables of what was collected: what counts, what is left out, and how the numbers add up."""

import polars as pl
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from equipoise.platform.fieldwork.answers import answers_frame
from equipoise.platform.fieldwork.models import Session, Submission
from equipoise.platform.fieldwork.scores import scores_frame
from equipoise.platform.people.models import Allocation, Participant, RosterFacts
from equipoise.platform.registry.queries import folder_of
from equipoise.platform.review.frame import answered_times, counts, participants_frame

pytestmark = pytest.mark.django_db


@pytest.fixture
def alone(swing, trial):
    """The simulated trial, and somebody of it who has begun the wave `after` and sent nothing yet."""
    return trial, trial.session(trial.unanswered("after")[0], "after")


def row_of(trial, session):
    frame = answers_frame(trial.study, session.wave)
    return frame.row(by_predicate=pl.col("staff_ref") == session.participant.key, named=True)


def test_every_simulated_answer_comes_out_as_it_went_in(trial):
    for wave, expected in trial.data.answers.items():
        found = answers_frame(trial.study, wave)
        ordered = expected.sort("staff_ref")
        for name in expected.columns:
            assert found[name].to_list() == ordered[name].to_list()


def test_whoever_has_begun_and_sent_nothing_did_not_answer(alone):
    trial, session = alone
    assert session.participant.key not in answers_frame(trial.study, "after")["staff_ref"]
    assert session.participant.key not in answered_times(trial.study)["after"]


def test_whoever_broke_off_keeps_what_was_sent_and_the_rest_was_not_reached(alone):
    trial, session = alone
    trial.send(session, "wellbeing", {"swemwbs.optimism": 4, "swemwbs.usefulness_why": "refused"})
    row = row_of(trial, session)
    assert row["swemwbs.optimism"] == 4
    assert row["swemwbs.usefulness_why"] == "refused"
    assert row["swemwbs.relaxation_why"] is None  # asked, and left empty
    assert row["cbi.tired_why"] == "not_reached"
    assert row["completed_at"] is None
    assert answered_times(trial.study)["after"][session.participant.key] == Submission.objects.latest("pk").at


@pytest.mark.parametrize("state", ["declined", "screened-out", "quota-full"])
def test_whoever_was_turned_away_or_declined_did_not_answer(alone, state):
    trial, session = alone
    trial.send(session, "wellbeing", {"swemwbs.optimism": 4})
    Session.objects.filter(pk=session.pk).update(state=state)
    assert session.participant.key not in answers_frame(trial.study, "after")["staff_ref"]


def test_the_latest_of_a_page_is_its_answer_and_times_add_up(alone):
    trial, session = alone
    trial.send(session, "absence", {"days_sick": 3}, seconds=10.0)
    trial.send(session, "absence", {"days_sick_why": "dont_know"}, seconds=5.5)
    row = row_of(trial, session)
    assert (row["days_sick"], row["days_sick_why"], row["seconds_absence"]) == (None, "dont_know", 15.5)
    assert row["channel"] == "web"


def test_scores_stand_beside_raw_answers_with_the_reason_for_each_that_is_missing(alone):
    trial, session = alone
    trial.send(session, "wellbeing", {"swemwbs.optimism": 4})
    answers = answers_frame(trial.study, "after")
    scores = scores_frame(folder_of(trial.study), "after", answers)
    row = scores.row(by_predicate=pl.col("staff_ref") == session.participant.key, named=True)
    name = next(name for name in scores.columns if name.startswith("swemwbs.") and not name.endswith("_why"))
    assert (row[name], row[f"{name}_why"]) == (None, "too few answered")
    assert row["cbi.work_why"] == "nothing answered"
    assert scores["cbi.work"].drop_nulls().len() > 0
    assert answers["swemwbs.optimism"].dtype == pl.Int64


def test_the_erased_have_no_row_the_withdrawn_keep_theirs_and_the_numbers_add_up(trial):
    keys = sorted(trial.people)
    Participant.objects.filter(key=keys[0]).update(state="withdrawn")
    gone = Participant.objects.get(key=keys[1])
    Session.objects.filter(participant=gone).delete()
    RosterFacts.objects.filter(participant=gone).delete()
    Participant.objects.filter(pk=gone.pk).update(state="erased")
    late = Participant.objects.create(study=trial.study, key="z" * 16, enrolled_at=gone.enrolled_at)
    frame = participants_frame(trial.study, masked=False)
    rows = dict(zip(frame["staff_ref"], frame["withdrew"], strict=True))
    assert rows[keys[0]] is True
    assert keys[1] not in rows
    assert late.key not in rows
    found = counts(trial.study, frame)
    assert (found.enrolled, found.withdrawn, found.erased, found.not_randomised) == (159, 1, 1, 1)
    assert found.rows == found.enrolled + found.withdrawn - found.not_randomised == frame.height
    assert found.randomised == {"main": 160}


def test_before_the_draw_everybody_has_a_row_and_nobody_an_arm(trial):
    Allocation.objects.all().delete()
    frame = participants_frame(trial.study, masked=True)
    assert frame.height == 160
    assert frame["arm"].null_count() == 160


def test_a_masked_frame_has_letters_for_arms_and_nothing_that_happened_after_the_draw(trial):
    masked, open_ = (participants_frame(trial.study, masked=each) for each in (True, False))
    assert set(masked["arm"]) == {"A", "B"}
    happened = {"opted_out", "left_employer", "withdrew", "saw_other_arm", "complaint", "distress"}
    gone = set(open_.columns) - set(masked.columns)
    arrived = {name for name in gone if name.startswith(("dose_", "sent_"))}
    assert {"dose_sent", "sent_weekly_message"} <= arrived
    assert gone - arrived == {"answered_after", *happened}
    pairs = set(zip(masked["arm"], open_["arm"], strict=True))
    assert len(pairs) == 2
    assert masked.equals(participants_frame(trial.study, masked=True))
    assert masked["staff_ref"].is_sorted()


def test_the_letters_follow_from_a_key_of_the_workspace(trial, settings, monkeypatch):
    letters = set()
    for number in range(20):
        key = bytes([number]) * 32
        monkeypatch.setattr(settings.WORKSPACE, "key", lambda _, key=key: key)
        frame = participants_frame(trial.study, masked=True)
        letters.add(tuple(frame["arm"]))
    assert len(letters) == 2


def test_no_more_queries_are_made_for_more_people(trial):
    with CaptureQueriesContext(connection) as all_of_them:
        participants_frame(trial.study, masked=True)
        answers_frame(trial.study, "after")
    some = sorted(trial.people)[20:]
    Submission.objects.filter(session__participant__key__in=some).delete()
    Session.objects.filter(participant__key__in=some).delete()
    with CaptureQueriesContext(connection) as fewer:
        participants_frame(trial.study, masked=True)
        answers_frame(trial.study, "after")
    assert len(all_of_them) == len(fewer)


def routed(folder):
    """Whoever was off sick is asked for how many days; a question on a page of its own comes after."""
    survey = folder / "surveys" / "wellbeing.yaml"
    text = survey.read_text("utf-8").replace(
        "      - id: days_sick\n",
        "      - {id: off_sick, ask: Were you off sick?, type: yes-no}\n      - id: days_sick\n        show-if: off_sick\n",
    )
    survey.write_text(text, "utf-8")


def test_what_was_answered_and_then_led_past_is_not_asked(add_example, trial_of):
    trial = trial_of(add_example("swing", routed))
    person = Participant.objects.create(study=trial.study, key="a" * 16, enrolled_at=trial.moment)
    RosterFacts.objects.create(participant=person, values={"cohort": "2021", "region": "north"})
    session = trial.session(person, "after")
    for page in ("wellbeing", "burnout", "connection"):
        trial.send(session, page, {})
    trial.send(session, "absence", {"off_sick": "yes", "days_sick": 4})
    row = row_of(trial, session)
    assert (row["off_sick"], row["days_sick"]) == (True, 4.0)
    assert row["comment_why"] == "not_reached"
    trial.send(session, "absence", {"off_sick": "no"})
    Submission.objects.filter(answers__days_sick=4).get()  # what was sent stays as it was sent
    row = row_of(trial, session)
    assert (row["off_sick"], row["days_sick"], row["days_sick_why"]) == (False, None, "not_asked")


def test_a_page_put_aside_is_not_reached_yet(alone):
    trial, session = alone
    trial.send(session, "wellbeing", {"swemwbs.optimism": 4})
    trial.send(session, "burnout", {"cbi.tired": 2}, partial=True)
    row = row_of(trial, session)
    assert (row["swemwbs.optimism"], row["cbi.tired"], row["cbi.tired_why"]) == (4, None, "not_reached")
