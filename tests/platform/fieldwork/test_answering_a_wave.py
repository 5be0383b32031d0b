"""A participant's way through a wave: landing, consent, questions, thanks; and everything that can come between."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError
from tests.platform.fieldwork.conftest import Browser, items

from equipoise.platform.clock import set_clock
from equipoise.platform.fieldwork.links import make_links
from equipoise.platform.fieldwork.models import Session, Submission
from equipoise.platform.people.models import Consent, Participant
from equipoise.platform.registry.actions import move_study
from equipoise.platform.staff.actions import CommandLine

PAGES = ("wellbeing", "burnout", "connection", "absence", "close")
AGREE = {
    "consent.survey": "yes",
    "consent.interview": "no",
    "consent.recording": "no",
    "consent.quotation": "no",
}


def agreed(browser, link):
    """A browser on the first page of questions."""
    return browser.open(link).send().send(AGREE)


def test_a_wave_is_answered_from_the_link_to_the_thanks(swing, link, browser):
    agreed(browser, link())
    for page in PAGES:
        assert browser.path.endswith(f"/page/{page}")
        browser.send(items(swing, "wellbeing", page))
    assert browser.heading == "Thank you"
    session = Session.objects.get()
    assert session.state == "complete"
    assert [each.page for each in session.submissions.order_by("pk")] == list(PAGES)
    assert session.submissions.get(page="absence").answers == {"days_sick": 3}
    assert Consent.objects.get(activity="survey").given is True


def test_opening_a_link_changes_nothing_however_often(swing, link, browser):
    address = link()
    for _ in range(3):
        browser.open(address)
    assert browser.response.status_code == 200
    assert not Session.objects.exists()


def test_a_wrong_link_looks_the_same_as_one_that_never_was(swing, link, browser):
    address = link()
    missing = browser.open(address[:-1] + ("a" if address[-1] != "a" else "b")).response
    other = browser.open("http://localhost:8000/s/" + "a" * 32).response
    assert missing.status_code == other.status_code == 404
    assert missing.content == other.content


def test_nothing_is_asked_before_consent(swing, link, browser):
    browser.open(link()).send()
    code = Session.objects.get().code
    browser.open(f"/survey/{code}/page/wellbeing")
    assert browser.path.endswith("/taking-part")


def test_a_consent_left_open_is_asked_again_and_nothing_is_kept(swing, link, browser):
    browser.open(link()).send().send({"consent.survey": "yes"})
    assert browser.response.status_code == 422
    assert "Choose Yes or No" in browser.text
    assert not Consent.objects.exists()


def test_a_consent_that_cannot_be_kept_just_now_is_shown_again_as_it_was_chosen(
    swing, link, browser, monkeypatch
):
    browser.open(link()).send()

    def busy():
        raise OperationalError("the database is busy")

    with monkeypatch.context() as patched:
        patched.setattr("equipoise.platform.fieldwork.views.consent.writing", busy)
        browser.send(AGREE)
    assert browser.response.status_code == 503
    assert "Your page is not saved yet" in browser.text
    assert browser.html.count(" checked") == len(AGREE)
    browser.send(AGREE)
    assert browser.path.endswith("/page/wellbeing")


def test_whoever_declines_is_asked_nothing_and_can_think_again(swing, link, browser):
    address = link()
    browser.open(address).send().send({**AGREE, "consent.survey": "no"})
    assert browser.heading == "You have chosen not to take part"
    assert Session.objects.get().state == "declined"
    agreed(browser, address)
    assert browser.path.endswith("/page/wellbeing")


def test_pages_are_answered_in_order(swing, link, browser):
    agreed(browser, link())
    code = Session.objects.get().code
    browser.open(f"/survey/{code}/page/absence")
    assert browser.path.endswith("/page/wellbeing")
    assert not Submission.objects.exists()


def test_a_double_click_adds_nothing(swing, link, browser):
    agreed(browser, link())
    answers = {**browser.hidden(), **items(swing, "wellbeing", "wellbeing")}
    for _ in range(2):
        response = browser.client.post(browser.path, answers, secure=True)
        assert response.status_code == 303
    assert Submission.objects.count() == 1


def test_a_page_kept_by_the_browser_and_changed_is_a_new_answer(swing, link, browser):
    agreed(browser, link())
    hidden, answers = browser.hidden(), items(swing, "wellbeing", "wellbeing")
    first = next(iter(answers))
    for value in (answers[first], "5"):
        browser.client.post(browser.path, {**hidden, **answers, first: value}, secure=True)
    assert [each.answers[first] for each in Submission.objects.order_by("pk")] == [int(answers[first]), 5]


def test_what_was_typed_is_kept_beside_the_message(swing, link, browser):
    agreed(browser, link())
    for page in PAGES[:3]:
        browser.send(items(swing, "wellbeing", page))
    browser.send({"days_sick": "quite a few"})
    assert browser.response.status_code == 422
    assert "Error:" in browser.html.split("</title>")[0]
    assert 'value="quite a few"' in browser.html
    assert 'href="#days_sick"' in browser.html


def test_answers_can_be_put_aside_and_taken_up_on_another_device(swing, link):
    address, other = link(), Browser()
    one = agreed(Browser(), address)
    answers = items(swing, "wellbeing", "wellbeing")
    some = dict(list(answers.items())[:2])
    one.send({**some, "later": "1"})
    assert one.heading == "Your answers are saved"
    other.open(address).send()
    assert other.path.endswith("/page/wellbeing")
    assert other.html.count(" checked") == 2


def test_two_tabs_on_one_session_each_keep_what_they_sent(swing, link, browser):
    agreed(browser, link())
    first_tab = dict(browser.hidden())
    browser.send(items(swing, "wellbeing", "wellbeing"))
    code = Session.objects.get().code
    late = browser.client.post(
        f"/survey/{code}/page/wellbeing", {**first_tab, **items(swing, "wellbeing", "wellbeing")}, secure=True
    )
    assert late.status_code == 303
    assert late.headers["Location"].endswith("/page/burnout")


def test_a_page_sent_after_the_end_says_that_it_is_the_end(swing, link, browser):
    agreed(browser, link())
    stale = {**browser.hidden(), **items(swing, "wellbeing", "wellbeing")}
    for page in PAGES:
        browser.send(items(swing, "wellbeing", page))
    before = Submission.objects.count()
    code = Session.objects.get().code
    response = browser.client.post(f"/survey/{code}/page/wellbeing", stale, secure=True)
    assert "Thank you" in response.content.decode()
    assert Submission.objects.count() == before


def test_a_browser_without_its_ticket_is_told_to_open_the_link_again(swing, link, browser):
    agreed(browser, link())
    path = browser.path
    browser.client.cookies.pop("__Host-survey")
    browser.open(path)
    assert browser.response.status_code == 403
    assert browser.heading == "Please open your link again"


def test_a_page_filled_in_over_a_long_lunch_is_not_lost(swing, link, browser):
    agreed(browser, link())
    browser.client.cookies.pop("__Host-survey")
    browser.send(items(swing, "wellbeing", "wellbeing"))
    assert browser.path.endswith("/page/burnout")
    assert Submission.objects.count() == 1


@pytest.mark.parametrize(
    ("moment", "heading"),
    [
        (datetime(2021, 2, 1, tzinfo=UTC), "This survey is not open yet"),
        (datetime(2021, 3, 2, tzinfo=UTC), "This survey has closed"),
    ],
)
def test_outside_its_times_a_wave_says_when_it_is_open(swing, link, browser, moment, heading):
    address = link()
    set_clock(moment)
    browser.open(address)
    assert browser.heading == heading
    assert "London time" in browser.text


def test_a_page_sent_after_the_wave_closed_is_not_kept(swing, link, browser):
    agreed(browser, link())
    set_clock(datetime(2021, 3, 1, 9, tzinfo=UTC))
    browser.send(items(swing, "wellbeing", "wellbeing"))
    assert browser.heading == "This survey has closed"
    assert not Submission.objects.exists()


def test_the_last_moment_of_a_wave_still_counts(swing, link, browser):
    agreed(browser, link())
    set_clock(datetime(2021, 3, 1, 9, tzinfo=UTC) - timedelta(seconds=1))
    browser.send(items(swing, "wellbeing", "wellbeing"))
    assert Submission.objects.count() == 1


def test_a_paused_study_keeps_what_was_sent_and_takes_nothing_more(swing, alice, link, browser):
    agreed(browser, link())
    browser.send(items(swing, "wellbeing", "wellbeing"))
    move_study(alice, swing, "paused", reason="A wrong wording")
    browser.send(items(swing, "wellbeing", "burnout"))
    assert browser.heading == "This survey is paused"
    assert Submission.objects.count() == 1


def test_a_form_of_another_page_or_session_is_not_taken(swing, link, browser):
    agreed(browser, link())
    mine, other = browser.path, agreed(Browser(), link())
    foreign = other.hidden()["__key"]
    browser.client.post(
        mine, {**browser.hidden(), "__key": foreign, **items(swing, "wellbeing", "wellbeing")}, secure=True
    )
    assert not Submission.objects.exists()


def test_a_field_that_the_page_does_not_have_is_refused(swing, link, browser):
    agreed(browser, link())
    browser.send({**items(swing, "wellbeing", "wellbeing"), "arm": "messages"})
    assert browser.response.status_code == 400
    assert not Submission.objects.exists()


def test_without_the_forms_token_nothing_is_taken(swing, link, browser):
    agreed(browser, link())
    fields = {**browser.hidden(), "csrfmiddlewaretoken": "x" * 64, **items(swing, "wellbeing", "wellbeing")}
    assert browser.client.post(browser.path, fields, secure=True).status_code == 403
    assert not Submission.objects.exists()


def test_earlier_links_go_on_working_when_a_new_one_is_made(swing, people, browser):
    person = people()[0]
    links = [make_links(CommandLine(), swing, "before", [person])[0].link for _ in range(2)]
    agreed(browser, links[0])
    browser.send(items(swing, "wellbeing", "wellbeing"))
    again = Browser().open(links[1])
    assert "Carry on" in again.html
    again.send()
    assert again.path.endswith("/page/burnout")


def test_the_number_of_queries_does_not_grow_with_the_answers(
    swing, link, browser, django_assert_max_num_queries
):
    agreed(browser, link())
    for page in PAGES[:3]:
        with django_assert_max_num_queries(14):
            browser.send(items(swing, "wellbeing", page))


def test_no_page_is_kept_by_browsers_or_told_to_other_sites(swing, link, browser):
    agreed(browser, link())
    headers = browser.response.headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert "default-src 'none'" in headers["Content-Security-Policy"]


def test_nobody_is_told_the_arms(swing, link, browser):
    agreed(browser, link())
    assert "Weekly text messages" not in browser.html
    assert Participant.objects.count() == 1
