"""People in the office: listed and found without their details, opened on the record, helped on request."""

import json

import pytest

from equipoise.platform.approvals.actions import Rehearsal, decide
from equipoise.platform.approvals.queries import request_numbered
from equipoise.platform.audit.models import Entry
from equipoise.platform.fieldwork.actions import start_session
from equipoise.platform.fieldwork.models import Link, Session
from equipoise.platform.people.actions import confirm_import
from equipoise.platform.people.models import Allocation, ContactDetails, Participant

pytestmark = pytest.mark.django_db

PEOPLE = "/office/studies/swing/people/"


def one(person, place=""):
    return f"{PEOPLE}{person.key}/{place}"


def codes(desk):
    return [line.partition(",")[0] for line in desk.html.lstrip("\ufeff").splitlines()[1:]]


@pytest.fixture
def answered(people):
    """The first of the people has finished the first wave."""
    session = start_session(people[0], "before", language=None)
    Session.objects.filter(pk=session.pk).update(state="complete", ended_at=session.started_at)
    return people[0]


def test_nobody_to_see_says_what_to_do(desk, swing):
    desk.get(PEOPLE)
    assert "Import the roster first" in desk.text
    assert "Import a roster" in desk.text


def test_the_list_shows_codes_and_waves_and_neither_names_nor_arms(desk, answered, people):
    desk.get(PEOPLE)
    assert all(person.key in desk.text for person in people)
    assert "12 take part" in desk.text
    assert "Before the texts" in desk.text
    for hidden in ("T20-0000", "person.0@", "07700", "+44"):
        assert hidden not in desk.html, hidden


def test_the_address_sorts_filters_and_pages(desk, swing, alice, people, answered, roster):
    confirm_import(alice, swing, roster(60, first=100))
    keys = sorted(Participant.objects.values_list("key", flat=True))
    desk.get(PEOPLE, sort="-key", page="2")
    assert [key for key in reversed(keys) if key in desk.text] == list(reversed(keys))[50:]
    assert "Page 2 of 2" in desk.text
    desk.get(PEOPLE, answered="before", format="csv")
    assert codes(desk) == [answered.key]
    desk.get(PEOPLE, missing="before", format="csv")
    assert codes(desk) == [key for key in keys if key != answered.key]
    desk.get(PEOPLE, state="withdrawn")
    assert "Nobody is listed here" in desk.text


def test_an_address_that_asks_for_what_there_is_not_shows_the_whole_list(desk, people):
    page = desk.get(PEOPLE, sort="arm", state="x", partner="'--", answered="none", page="-3")
    assert page.status_code == 200
    assert "People: 12" in desk.text


@pytest.mark.parametrize(
    "sought", ["T20-0003", "PERSON.3@trainees.example.org", "07700 900003", "+447700900003"]
)
def test_somebody_is_found_by_identifier_address_or_number(desk, people, sought):
    desk.act(PEOPLE)
    desk.post(f"{PEOPLE}find", sought=sought)
    assert desk.page["Location"] == one(people[3])


def test_nobody_found_says_so_and_keeps_what_was_typed(desk, people):
    desk.act(PEOPLE)
    desk.post(f"{PEOPLE}find", sought="nobody@example.org")
    assert desk.page.status_code == 422
    assert "Nobody was found" in desk.text
    assert 'value="nobody@example.org"' in desk.html
    assert desk.get(f"{PEOPLE}find?sought=nobody@example.org").status_code == 200
    assert "nobody@example.org" not in desk.html.partition("<form")[2]


def test_contact_details_are_opened_by_a_button_and_each_look_is_recorded(desk, people):
    desk.get(one(people[2]))
    assert "person.2@trainees.example.org" not in desk.html
    desk.post(one(people[2]))
    assert "person.2@trainees.example.org" in desk.text
    assert "T20-0002" in desk.text
    entry = Entry.objects.get(verb="people.contact")
    assert json.loads(entry.details) == {"participant": people[2].key}


def test_a_person_shows_waves_and_consents_and_no_answer(desk, answered):
    desk.get(one(answered))
    assert "Complete" in desk.text
    assert "No (by the protocol; never asked)" in desk.text


def test_leaving_needs_the_code_the_way_and_a_reason(desk, people):
    place = one(people[1], "leave")
    sent = {"choice": "everything", "channel": "telephone", "reason": "Rang and asked", "name": people[1].key}
    for lacking, said in (
        ({"name": "x"}, f"Type {people[1].key} exactly"),
        ({"reason": " "}, "Is empty; say why"),
        ({"choice": "vanish"}, "is no choice"),
        ({"channel": "owl"}, "Say how the participant asked"),
    ):
        desk.act(place, {**sent, **lacking})
        assert desk.page.status_code == 422
        assert said in desk.text, said
        people[1].refresh_from_db()
        assert people[1].state == "enrolled"
    desk.post(place, sent)
    assert desk.page["Location"] == one(people[1])
    people[1].refresh_from_db()
    assert people[1].state == "withdrawn"
    assert "Rang and asked" in Entry.objects.get(verb="people.withdraw").details


def test_erasing_is_asked_for_and_destroys_what_was_known_once_somebody_else_approves(desk, people, swing):
    desk.act(
        one(people[1], "leave"),
        {"choice": "erase", "channel": "paper", "reason": "A letter", "name": people[1].key},
    )
    desk.follow()
    assert "once somebody else has approved it" in desk.text
    assert ContactDetails.objects.filter(participant=people[1]).exists()
    decide(Rehearsal(), request_numbered(swing, 1), "approve", "The letter is in the file")
    assert not ContactDetails.objects.filter(participant=people[1]).exists()
    desk.get(one(people[1]))
    assert "Erased" in desk.text
    desk.post(one(people[1]))
    assert "None are kept" in desk.text


def test_a_new_link_is_shown_once_and_stored_as_a_hash(desk, people):
    desk.act(one(people[0], "link"), wave="before")
    assert "/s/" in desk.text
    token = desk.text.partition("/s/")[2].split()[0]
    assert not Link.objects.filter(token_hash=token).exists()
    assert people[0].links.count() == 2
    desk.get(one(people[0], "link"))
    assert token not in desk.html


def test_a_link_to_no_wave_is_refused_beside_its_field(desk, people):
    desk.act(one(people[0], "link"), wave="never")
    assert desk.page.status_code == 422
    assert "is not a wave" in desk.text


def test_the_report_for_a_person_holds_everything_and_is_recorded(desk, answered):
    place = one(answered, "report")
    desk.get(place)
    assert "person.0@" not in desk.html
    desk.post(place, {"as": "page"})
    assert "person.0@trainees.example.org" in desk.text
    assert "north" in desk.text
    desk.post(place, {"as": "json"})
    said = json.loads(desk.html)
    assert {"what": "E-mail", "value": "person.0@trainees.example.org"} in said["kept"]["Contact details"]
    assert Entry.objects.filter(verb="people.report").count() == 2


def test_fields_that_no_form_has_are_ignored(desk, people):
    desk.act(one(people[0]), arm="messages", state="erased", study="2", partner="1", is_active="false")
    people[0].refresh_from_db()
    assert people[0].state == "enrolled"
    assert not Allocation.objects.exists()


def test_answers_can_be_entered_for_somebody(desk, people, alice):
    place = one(people[0], "enter/before")
    desk.act(place)
    assert "Choose how the answers came to you" in desk.text
    desk.post(place, channel="telephone")
    assert desk.page["Location"].startswith("/survey/")
    session = Session.objects.get()
    assert (session.channel, session.entered_by) == ("telephone", alice.actor)
