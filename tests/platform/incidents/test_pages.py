"""The pages of the log: who sees what of it, how something gets into it, and that no arm stands on them."""

import re
from datetime import UTC, date, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.platform.office.conftest import Desk

from equipoise.platform.fieldwork.actions import leave_study
from equipoise.platform.incidents.actions import close_incident
from equipoise.platform.incidents.models import Incident, Statement
from equipoise.platform.incidents.texts import Texts, texts_of
from equipoise.platform.people.models import Allocation, Participant
from equipoise.platform.registry.models import Partner
from equipoise.platform.staff.actions import CommandLine, Place, grant

pytestmark = pytest.mark.django_db

LOG = "/office/studies/swing/incidents/"
RULE = "No single answer is acted on"
SENT = {
    "kind": "distress",
    "happened_on": "8/2/2021",
    "learnt_on": "2021-02-09",
    "way": "participant",
    "serious": "no",
    "expected": "yes",
    "related": "possibly",
    "outcome": "ongoing",
    "named": "",
    "happened": "Rang in tears\r\nafter the third question",
    "done": "",
}


def send(desk, path, **changes):
    """Send the form that a page shows, with the hidden fields that it brings."""
    desk.get(path)
    hidden = dict(re.findall(r'type="hidden" name="(code|seen)" value="([^"]*)"', desk.html))
    return desk.post(path, {**SENT, **hidden, **changes})


def file(desk, **address):
    desk.get(LOG, format="csv", **address)
    return desk.html.lstrip("\ufeff")  # it is streamed: once read, it is gone


def codes(text):
    return {line.partition(",")[0] for line in text.splitlines()[1:]}


@pytest.fixture
def desk(alice, swing):
    return Desk().sign_in(alice)


@pytest.fixture
def partners(swing, people, members):
    """Two partners with three people each; Bob looks after those of the first, Carol speaks with everybody."""
    first = swing.partners.get()
    second = Partner.objects.create(
        study=swing, name="second-provider", title="A second provider (synthetic)"
    )
    Participant.objects.filter(pk__in=[each.pk for each in people[3:]]).update(partner=second)
    grant(CommandLine(), members["Bob"], "coordinator", Place(swing, first))
    grant(CommandLine(), members["Carol"], "interviewer", Place(swing))
    return first, second


def test_an_empty_log_says_what_to_do_and_what_the_protocol_says_of_distress(desk, swing):
    desk.get(LOG)
    assert RULE in desk.text
    assert "tutors@example.org" in desk.text
    assert "Log what happens" in desk.text
    assert "Counted without being logged: opted out, left employer" in desk.text


def test_something_is_logged_read_corrected_closed_and_opened_again(desk, people, alice):
    assert send(desk, f"{LOG}add", named="T20-0002").status_code == 303
    one = desk.page["Location"]
    desk.follow()
    assert "Rang in tears" in desk.text
    assert people[2].key in desk.text
    assert "T20-0002" not in desk.text
    assert "8 February 2021" in desk.text
    desk.get(f"{one}correct")
    assert 'value="2021-02-08"' in desk.html
    assert f'value="{people[2].key}"' in desk.html
    send(desk, f"{one}correct", named=people[2].key, serious="hospital")
    assert desk.page.status_code == 422
    assert "What stood there before stays to be read" in desk.text
    send(desk, f"{one}correct", named=people[2].key, serious="hospital", why="The ward rang")
    desk.follow()
    assert (
        "Serious: “Somebody had to go into hospital, or to stay there longer” in place of “Not serious”"
        in desk.text
    )
    assert "Why: The ward rang" in desk.text
    assert send(desk, f"{one}close", outcome="resolved", done="").status_code == 422
    send(desk, f"{one}close", outcome="resolved", done="Rang back")
    desk.follow()
    assert "Open it again" in desk.text
    send(desk, f"{one}close", why="It began anew")
    desk.follow()
    assert [row.closed for row in Statement.objects.order_by("number")] == [False, False, True, False]
    assert desk.text.count("Alice (synthetic),") == 4
    assert texts_of(Statement.objects.first()).happened == "Rang in tears\nafter the third question"


def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(desk, people):
    changes = {"kind": "", "happened_on": "31/2/2021", "named": "T20-9999", "happened": " ", "done": "Typed"}
    assert send(desk, f"{LOG}add", **changes).status_code == 422
    for field in ("kind", "happened_on", "named", "happened"):
        assert f'href="#{field}"' in desk.html, field
        assert f'id="{field}-error"' in desk.html, field
    assert "Nobody is found by this" in desk.text
    assert ">Typed</textarea>" in desk.html
    assert not Incident.objects.exists()


def test_a_form_says_not_to_write_names_or_the_arm_and_knows_whom_it_came_from(desk, people):
    desk.get(f"{LOG}add", participant=people[0].key)
    assert RULE in desk.text
    assert "Name nobody" in desk.text
    assert "do not write the arm" in desk.text
    assert f'value="{people[0].key}"' in desk.html
    desk.get(f"/office/studies/swing/people/{people[0].key}/")
    assert f"{LOG}add?participant={people[0].key}" in desk.html


def test_what_was_written_runs_nowhere_and_computes_nothing(desk, log):
    written = "=1+1 <script>alert(1)</script> {{ 7 * 7 }}"
    incident = log(texts=Texts(written, written))
    desk.get(f"{LOG}{incident.code}/")
    assert "<script>alert" not in desk.html
    assert "{{ 7 * 7 }}" in desk.text
    assert "'=1+1" in file(desk)


def test_the_address_sorts_filters_and_pages_and_the_file_has_the_texts(desk, log):
    for number in range(55):
        log(kind="complaint" if number % 5 else "distress", serious="no" if number % 11 else "death")
    desk.get(LOG, sort="kind", page="2")
    assert "Page 2 of 2" in desk.text
    assert "Incidents: 55" in desk.text
    found = file(desk, sort="-serious").splitlines()[1:]
    assert ["Somebody died" in line for line in found] == [True] * 5 + [False] * 50
    found = file(desk, kind="distress", serious="yes", state="open")
    assert len(codes(found)) == 1
    assert "Rang in tears after the third question" in found
    desk.get(LOG, kind="distress", state="closed")
    assert "Nothing is listed here" in desk.text
    page = desk.get(LOG, sort="arm", kind="x", state="--", page="-3", serious="0")
    assert (page.status_code, "Incidents: 55" in desk.text) == (200, True)


def test_a_coordinator_sees_and_changes_what_they_logged_of_their_partners_people(
    partners, log, people, members, alice
):
    by_lead, desk = log(named=people[0].key), Desk().sign_in(members["Bob"])
    assert send(desk, f"{LOG}add", named="T20-0001").status_code == 303
    one = desk.page["Location"]
    desk.follow()
    assert "Rang in tears" in desk.text
    assert codes(file(desk)) == {one.rstrip("/").rpartition("/")[2]}
    assert "Rang in tears" not in file(desk)
    for place in ("", "correct", "close"):
        assert desk.get(f"{LOG}{by_lead.code}/{place}").status_code == 404
    assert send(desk, f"{one}close", outcome="resolved", done="Rang back").status_code == 303
    assert f'href="{LOG}"' in desk.follow().content.decode()


def test_whoever_is_not_the_partners_is_to_a_coordinator_as_somebody_who_is_not_there(
    partners, members, people
):
    desk = Desk().sign_in(members["Bob"])
    said = set()
    for named in ("T20-0004", people[4].key, "person.1@trainees.example.org", "T20-9999", "nobody"):
        send(desk, f"{LOG}add", named=named)
        assert desk.page.status_code == 422
        said.add(re.search(r'id="named-error".*?</p>', desk.html, re.S)[0])
    assert len(said) == 1
    assert not Incident.objects.exists()


def test_nothing_that_happens_at_another_partner_changes_a_coordinators_pages(
    partners, log, people, members, monkeypatch
):
    monkeypatch.setattr("equipoise.platform.office.incidents.forms.new_code", lambda: "a" * 10)
    desk = Desk().sign_in(members["Bob"])
    send(desk, f"{LOG}add", named=people[1].key)
    desk.follow()  # which says once that it is done
    places = (LOG, f"{LOG}?format=csv", f"{LOG}?kind=distress&sort=serious", f"{LOG}add")

    def seen():
        pages = [(desk.get(place).status_code, desk.html) for place in places]
        return [re.sub(r'csrfmiddlewaretoken" value="[^"]*"', "", repr(page)) for page in pages]

    before = seen()
    log(named=people[4].key, serious="death")
    log(named=people[0].key, kind="complaint")  # one of theirs, logged by somebody else
    log()
    assert seen() == before


def test_an_interviewer_names_people_by_their_codes_and_sees_what_is_theirs(partners, log, people, members):
    desk = Desk().sign_in(members["Carol"])
    log(named=people[0].key)
    assert send(desk, f"{LOG}add", named="T20-0005").status_code == 422
    assert send(desk, f"{LOG}add", named=people[5].key).status_code == 303
    desk.follow()
    assert "Look at" not in desk.text
    desk.get(LOG)
    assert "Incidents: 1" in desk.text
    assert "You see what you logged yourself" in desk.text
    assert "How often" not in desk.text


def test_a_coordinator_of_two_partners_says_whose_people_it_concerns(partners, swing, members):
    second = partners[1]
    grant(CommandLine(), members["Bob"], "coordinator", Place(swing, second))
    desk = Desk().sign_in(members["Bob"])
    assert send(desk, f"{LOG}add").status_code == 422
    assert "Say whose people it concerns" in desk.text
    assert send(desk, f"{LOG}add", partner="second-provider").status_code == 303
    assert Statement.objects.get().partner == second


def test_serious_ones_and_distress_that_wait_are_on_the_overview(desk, log, at, alice):
    incident = log(serious="hospital")
    log()
    at(datetime(2021, 2, 16, 12, tzinfo=UTC))
    desk.get("/office/studies/swing/")
    assert "1 serious incident has been open for a day or more" in desk.text
    assert "1 incident of distress has been open for 3 days or more" in desk.text
    close_incident(alice, incident, outcome="resolved", done="Seen to", seen=1)
    desk.get("/office/studies/swing/")
    assert "serious incident" not in desk.text


def test_no_arm_stands_on_the_log_before_the_results_are_unmasked_and_counts_by_arm_do_after(
    desk, swing, log, people
):
    for number, arm in enumerate(("messages", "messages", "control")):
        Allocation.objects.create(
            stage=swing.stages.get(),
            participant=people[number],
            stratum="x",
            arm=arm,
            at=datetime(2021, 2, 8, 10, tzinfo=UTC),
        )
        log(named=people[number].key)
    log(named=people[0].key), log(named=people[0].key, happened_on=date(2021, 2, 7))
    for place in ("", "?format=csv", "add", Incident.objects.first().code + "/"):
        desk.get(LOG + place)
        text = desk.html
        assert not re.search("Weekly text|Usual comm|by arm", text), place
    swing.results = "unmasked"
    swing.save()
    desk.get(LOG)
    table = desk.text.partition("Participants by arm, since the draw of stage main")[2]
    assert re.search(r"Distress 1 2", table)  # control, messages


def test_what_was_erased_says_so(desk, log, people):
    incident = log(named=people[0].key, texts=Texts("Told us of it"))
    leave_study(people[0], "erase", channel="web", actor=f"participant:{people[0].key}")
    desk.get(f"{LOG}{incident.code}/")
    assert "What was written was erased" in desk.text
    assert people[0].key not in desk.text
    found = file(desk)
    assert people[0].key not in found
    assert incident.code in found


def test_the_log_asks_no_more_of_the_database_when_there_are_more_incidents(desk, log, people):
    def asked():
        with CaptureQueriesContext(connection) as found:
            desk.get(LOG)
            desk.get(LOG, format="csv")
            assert desk.html
        return len(found)

    log(named=people[0].key)
    desk.get(LOG)
    few = asked()
    for person in people:
        log(named=person.key, kind="complaint")
    assert asked() == few
