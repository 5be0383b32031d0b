"""Stopping messages, leaving, erasing: at once, by the participant alone, and without a trace where asked."""

import pytest
from tests.platform.fieldwork.conftest import Browser, items
from tests.platform.fieldwork.test_answering_a_wave import agreed

from equipoise.platform.audit.models import Entry
from equipoise.platform.fieldwork.links import make_links
from equipoise.platform.fieldwork.models import SealedSubmission, Session, Submission
from equipoise.platform.fieldwork.sealing import seal_faults, seal_submissions
from equipoise.platform.people.models import Consent, Participant
from equipoise.platform.staff.actions import CommandLine


@pytest.fixture
def links(swing, people):
    return make_links(CommandLine(), swing, "before", people())[0]


def test_opening_the_stop_link_stops_nothing(swing, links, browser):
    browser.open(links.stop_link)
    assert Participant.objects.get().messages_stopped_at is None
    assert browser.heading == "Your choices"


def test_messages_are_stopped_with_one_button_and_can_come_again(swing, links, browser):
    browser.open(links.stop_link).send({"choice": "messages"})
    assert browser.heading == "You get no more messages"
    assert Participant.objects.get().messages_stopped_at is not None
    assert Participant.objects.get().state == "enrolled"
    browser.open(links.stop_link).send({"choice": "resume"})
    assert Participant.objects.get().messages_stopped_at is None


def test_a_mail_programs_own_button_needs_no_page(swing, links):
    response = Browser().client.post(
        links.stop_link.removeprefix("http://localhost:8000"), {"List-Unsubscribe": "One-Click"}, secure=True
    )
    assert response.status_code == 200
    assert Participant.objects.get().messages_stopped_at is not None


def test_any_other_form_from_elsewhere_is_refused(swing, links):
    path = links.stop_link.removeprefix("http://localhost:8000")
    response = Browser().client.post(path, {"choice": "messages"}, secure=True)
    assert response.status_code == 403
    assert Participant.objects.get().messages_stopped_at is None


def test_leaving_is_asked_once_more_and_ends_the_survey(swing, links, browser):
    agreed(browser, links.link).send(items(swing, "wellbeing", "wellbeing"))
    code = Session.objects.get().code
    browser.open(f"/survey/{code}/choices").send({"choice": "everything"})
    assert Participant.objects.get().state == "enrolled"
    browser.send()
    assert browser.heading == "You have left the study"
    assert Participant.objects.get().state == "withdrawn"
    assert Session.objects.get().state == "withdrawn"
    assert Submission.objects.count() == 1
    assert Browser().open(links.link).heading == "You have left this study"


def test_erasing_leaves_nothing_but_that_somebody_left(swing, links, browser):
    agreed(browser, links.link).send(items(swing, "wellbeing", "wellbeing"))
    assert seal_submissions(swing) == 1
    code = Session.objects.get().code
    browser.open(f"/survey/{code}/choices").send({"choice": "erase"}).send()
    assert browser.heading == "Your data are erased"
    assert Participant.objects.get().state == "erased"
    assert not Submission.objects.exists()
    assert not Session.objects.exists()
    assert not Consent.objects.exists()
    assert SealedSubmission.objects.get().erased
    assert list(seal_faults(swing)) == []
    assert Browser().open(links.stop_link).heading == "Your data were erased"


def test_a_page_sent_after_leaving_is_not_kept(swing, links, browser):
    agreed(browser, links.link)
    other = Browser().open(links.stop_link)
    other.send({"choice": "everything"}).send()
    browser.send(items(swing, "wellbeing", "wellbeing"))
    assert browser.heading == "You have left this study"
    assert not Submission.objects.exists()


def test_a_choice_that_there_is_not_is_asked_again(swing, links, browser):
    browser.open(links.stop_link).send({"choice": "fly"})
    assert browser.response.status_code == 422
    assert "Choose one of these" in browser.text


def test_the_record_names_keys_and_never_people(swing, links, browser):
    agreed(browser, links.link)
    browser.open(links.stop_link).send({"choice": "everything"}).send()
    told = "".join(Entry.objects.values_list("details", flat=True))
    assert Participant.objects.get().key in told
    assert "@" not in told
