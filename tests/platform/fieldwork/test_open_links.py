"""A study that recruits openly: anybody who comes is counted, screened, enrolled and allocated, once."""

from datetime import UTC, datetime

import pytest
from tests.platform.conftest import SECRET
from tests.platform.fieldwork.conftest import Browser

from equipoise.errors import InputError
from equipoise.platform.clock import set_clock
from equipoise.platform.fieldwork.links import close_open_link, make_open_link
from equipoise.platform.fieldwork.models import OpenLink, Session
from equipoise.platform.people.allocation import commit_stage, hand_in_secret
from equipoise.platform.people.models import Allocation, Participant, RosterFacts
from equipoise.platform.registry.actions import move_study
from equipoise.platform.registry.queries import stages
from equipoise.platform.staff.actions import CommandLine

OPEN = datetime(2021, 5, 12, 10, tzinfo=UTC)
SCREENING = {"qualified": "yes", "post": "team_manager", "years_qualified": "12", "has_hired": "no"}


def by_secret(folder):
    """The public beacon had not begun when this study was set."""
    path = folder / "protocol.yaml"
    path.write_text(path.read_text("utf-8").replace("seed: public-round", "seed: team-secret"), "utf-8")


@pytest.fixture
def hiring(add_example, alice):
    """The example with open links, live and open."""
    study = add_example("diversity-in-hiring", by_secret)
    set_clock(OPEN)
    (stage,) = stages(study)
    hand_in_secret(alice, stage, SECRET.hex())
    commit_stage(alice, stage)
    return move_study(alice, study, "live")


@pytest.fixture
def come(hiring, alice):
    """A function that lets somebody new come by the link and agree."""
    link = make_open_link(alice, hiring, "session", "Newsletter")

    def arrive(browser=None):
        return (browser or Browser()).open(link).send().send({"consent.survey": "yes"})

    return arrive


def test_whoever_comes_is_counted_before_they_are_enrolled(hiring, come):
    come()
    assert Participant.objects.get().state == "screening"
    assert not Allocation.objects.exists()


def test_the_screening_enrols_and_allocates_once(hiring, come):
    browser = come().send(SCREENING)
    person = Participant.objects.get()
    assert person.state == "enrolled"
    assert Allocation.objects.get(participant=person).arm in ("side_by_side_first", "names_first")
    facts = RosterFacts.objects.get(participant=person).values
    assert facts == {"qualified": True, "post": "Team manager", "years_qualified": 12, "has_hired": False}
    browser.open(browser.path.replace("attention", "screening")).send({**SCREENING, "has_hired": "yes"})
    assert Allocation.objects.count() == 1
    assert RosterFacts.objects.get(participant=person).values["has_hired"] is False


def test_whoever_is_not_eligible_stays_out_and_is_counted(hiring, come):
    browser = come().send({**SCREENING, "qualified": "no"})
    assert browser.heading == "Thank you"
    assert Session.objects.get().state == "screened-out"
    assert Participant.objects.get().state == "ineligible"
    assert not Allocation.objects.exists()


def test_a_browser_that_has_begun_is_led_back_to_its_own_session(hiring, come):
    browser = come().send(SCREENING)
    code = Session.objects.get().code
    link = OpenLink.objects.get()
    assert link.closed_at is None
    come_again = browser.open(browser.path)
    assert come_again.path.endswith("/page/attention")
    assert Session.objects.get().code == code


def test_the_whole_session_is_answered_and_cannot_be_given_twice_in_one_browser(hiring, alice):
    link = make_open_link(alice, hiring, "session", "Newsletter")
    browser = Browser().open(link).send().send({"consent.survey": "yes"}).send(SCREENING)
    browser.send({"attention": "third"}).send({"noticed": "Names", "comment": ""})
    assert browser.heading == "Thank you"
    again = browser.open(link)
    assert again.heading == "Thank you"
    assert Participant.objects.count() == 1


def test_a_closed_link_lets_nobody_new_in_and_lets_the_others_finish(hiring, alice):
    link = make_open_link(alice, hiring, "session", "Newsletter")
    browser = Browser().open(link).send().send({"consent.survey": "yes"}).send(SCREENING)
    close_open_link(alice, OpenLink.objects.get())
    assert Browser().open(link).heading == "This link does not work"
    assert browser.open(link).send().path.endswith("/page/attention")


def test_a_robot_that_fills_every_field_is_not_counted(hiring, alice):
    link = make_open_link(alice, hiring, "session", "Newsletter")
    Browser().open(link).send({"website": "https://example.org"})
    assert not Participant.objects.exists()


def test_a_study_with_a_roster_has_no_open_links(swing):
    with pytest.raises(InputError, match="is not open-link"):
        make_open_link(CommandLine(), swing, "before", "Newsletter")
