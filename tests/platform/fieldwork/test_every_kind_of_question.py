"""A survey with a question of every kind, in two languages, answered on its pages."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.platform.fieldwork.conftest import Browser, enrolled

from equipoise.allocation import commitment
from equipoise.platform.clock import set_clock
from equipoise.platform.fieldwork.links import make_links
from equipoise.platform.fieldwork.models import QuotaPlace, Session, Submission
from equipoise.platform.people.models import Consent
from equipoise.platform.registry.actions import add_study
from equipoise.platform.registry.models import Study
from equipoise.platform.staff.actions import CommandLine
from equipoise.protocol import load_study, lock
from equipoise.protocol.registration import lock_text

KINDS = Path(__file__).parents[2] / "unit" / "protocol" / "kinds"
FILM = b"\x00\x00\x00\x18ftypmp42" + bytes(5000)
OPEN = datetime(2026, 2, 20, 12, tzinfo=UTC)
AGREE = {"consent.survey": "yes", "consent.interview": "yes"}
START = {"agree": "yes", "employed": "yes"}
WORK = {"role": "nurse", "uses": ["phone"], "hours": "36 hours", "overtime": "2"}


@pytest.fixture
def kinds(tmp_path, members):
    """The study of every kind, live (its launch is not asked for here), its wave open."""
    folder = tmp_path / "kinds"
    shutil.copytree(KINDS, folder)
    (folder / "media" / "plan.mp4").write_bytes(FILM)
    registration = lock(
        load_study(folder),
        time="2026-01-05T09:00:00Z",
        seed_commitment=commitment(bytes(range(32))),
        version="test",
        clock="rehearsal",
    )
    (folder / "lock.json").write_text(lock_text(registration), "utf-8")
    study = add_study(CommandLine(), folder)
    Study.objects.filter(pk=study.pk).update(state="live")
    study.refresh_from_db()
    set_clock(OPEN)
    return study


@pytest.fixture
def start(kinds):
    """A function that takes a new participant to the first page of questions."""

    def begin(team="blue", language="en-GB"):
        person = enrolled(kinds, team=team, years=3)[0]
        link = make_links(CommandLine(), kinds, "before", [person])[0].link
        browser = Browser().open(f"{link}?lang={language}")
        return browser.send().send(AGREE)

    return begin


def answers():
    found = {}
    for submission in Submission.objects.order_by("pk"):
        found |= submission.answers
    return found


def test_every_kind_is_answered_and_kept_by_its_column(kinds, start):
    browser = start().send(START)
    assert browser.heading == "Your work in the blue team"
    browser.send(WORK)
    pages = {
        "feelings": {
            **{f"aim.{item}": "4" for item in ("approval", "appealing", "liking", "welcome")},
            "calm": "3",
            "views.fair": "1",
            "views.clear": "2",
            "warmth": "55",
        },
        "ideas": {
            "first.pay": "2",
            "first.time": "1",
            "first.team": "3",
            "money.cake": "60",
            "money.tea": "40",
            "read_this": "blue",
        },
    }
    for _ in range(2):
        page = browser.path.rpartition("/")[2]
        names = set(browser_fields(browser))
        browser.send({name: value for name, value in pages[page].items() if name in names})
    assert browser.heading == "You and your work"
    assert "When did you begin as Nurse?" in browser.text
    browser.send(
        {"began__day": "3", "began__month": "March", "began__year": "2019", "short": "Busy", "more": "No."}
    )
    assert browser.heading == "Thank you"
    kept = answers()
    assert kept["role"] == "nurse"
    assert (kept["uses.phone"], kept["uses.car"]) == ("yes", "no")
    assert kept["hours"] == 36
    assert (kept["calm"], kept["views.fair"], kept["warmth"]) == (3, 1, 55)
    assert (kept["first.time"], kept["first.pay"], kept["first.team"]) == (1, 2, 3)
    assert (kept["money.cake"], kept["money.tea"]) == (60, 40)
    assert kept["began"] == "2019-03-03"
    assert (kept["short"], kept["more"]) == ("Busy", "No.")


def browser_fields(browser):
    import re

    return re.findall(r'name="([^"]+)"', browser.html)


def test_a_question_that_hangs_on_the_same_page_is_asked_next(kinds, start):
    browser = start().send(START)
    assert "How old is the car?" not in browser.text
    browser.send({**WORK, "uses": ["car"]})
    assert "How old is the car?" in browser.text
    assert "About" in browser.text
    browser.send({**WORK, "uses": ["car"], "car_age": "4.5"})
    assert answers()["car_age"] == 4.5


def test_a_rule_over_two_answers_has_its_own_message(kinds, start):
    browser = start().send(START).send({**WORK, "overtime": "40"})
    assert browser.response.status_code == 422
    assert "Overtime cannot be more than all your hours." in browser.text


def test_not_answering_is_kept_apart_from_silence(kinds, start):
    start().send(START).send({"role": "__dont_know", "hours": "__refused"})
    kept = answers()
    assert (kept["role_why"], kept["hours_why"]) == ("dont_know", "refused")
    assert "overtime_why" not in kept
    assert "role" not in kept


def test_something_else_is_asked_for_in_words(kinds, start):
    browser = start().send(START)
    browser.send({**WORK, "role": "something_else"})
    assert browser.response.status_code == 422
    browser.send({**WORK, "role": "something_else", "role.other": "Driver"})
    assert answers()["role.other"] == "Driver"


def test_whoever_is_screened_out_is_told_why_and_goes_no_further(kinds, start):
    browser = start().send({"agree": "yes", "employed": "no"})
    assert "Thank you. We ask people who work here now." in browser.text
    assert Session.objects.get().state == "screened-out"


def test_a_consent_inside_the_survey_is_recorded_as_one(kinds, start):
    start().send(START)
    newest = Consent.objects.filter(activity="survey").order_by("-pk").first()
    assert newest.given is True
    assert newest.version == Session.objects.get().wording


def test_a_full_quota_ends_the_survey_and_takes_no_place(kinds, start):
    for _ in range(2):
        start(team="red").send(START)
    third = start(team="red").send(START)
    assert "We have heard from enough of the red team." in third.text
    assert QuotaPlace.objects.count() == 2
    assert Session.objects.filter(state="quota-full").count() == 1
    assert start(team="blue").send(START).path.endswith("/page/work")


def test_the_survey_is_met_in_welsh_and_what_is_not_translated_says_so(kinds, start):
    browser = start(language="cy").send(START)
    assert '<html lang="cy"' in browser.html
    assert "Eich gwaith yn y tîm" in browser.text
    assert 'lang="en-GB"' in browser.html
    browser.send({**WORK, "overtime": "90"})
    assert "Ni all fod mwy o oriau ychwanegol nag oriau." in browser.text
    browser.send(WORK)
    assert Submission.objects.order_by("pk").last().shown["language"] == "cy"


def test_the_order_is_drawn_once_and_the_same_on_every_device(kinds, start):
    browser = start().send(START)
    order = Session.objects.get().order
    before = browser.html.index("Nurse") < browser.html.index("Clerk")
    again = browser.open(browser.path)
    assert (again.html.index("Nurse") < again.html.index("Clerk")) == before
    assert Session.objects.get().order == order
    browser.send(WORK)
    shown = Submission.objects.order_by("pk").last().shown["order"]["choices"]["role"]
    assert shown == [*order["choices"]["role"]]


def test_the_video_is_sent_in_ranges_with_captions_and_transcript(kinds, start):
    browser = start().send(START).send(WORK)
    code = Session.objects.get().code
    whole = browser.client.get(f"/survey/{code}/media/plan.mp4", secure=True)
    assert b"".join(whole.streaming_content) == FILM
    part = browser.client.get(f"/survey/{code}/media/plan.mp4", headers={"Range": "bytes=4-11"}, secure=True)
    assert part.status_code == 206
    assert b"".join(part.streaming_content) == b"ftypmp42"
    assert part.headers["Content-Range"] == f"bytes 4-11/{len(FILM)}"
    beyond = browser.client.get(
        f"/survey/{code}/media/plan.mp4", headers={"Range": "bytes=9999-"}, secure=True
    )
    assert beyond.status_code == 416
    assert browser.client.get(f"/survey/{code}/media/plan.vtt", secure=True)["Content-Type"].startswith(
        "text/vtt"
    )


@pytest.mark.parametrize("path", ["../protocol.yaml", "..%2Flock.json", "nothing.mp4", "/etc/passwd"])
def test_no_path_leads_to_anything_but_the_locks_media(kinds, start, path):
    browser = start()
    code = Session.objects.get().code
    response = browser.client.get(f"/survey/{code}/media/{path}", secure=True)
    assert response.status_code == 404


def test_nobody_else_sees_the_media(kinds, start):
    start()
    code = Session.objects.get().code
    assert Browser().client.get(f"/survey/{code}/media/plan.mp4", secure=True).status_code == 403
