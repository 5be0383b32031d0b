"""Four eyes in the office: asked for, found by whoever decides, decided, taken back, taken along."""

import re

import pytest

from equipoise.platform.approvals.actions import ask, decide
from equipoise.platform.approvals.acts import ERASE, IDENTIFY, UNMASK
from equipoise.platform.approvals.models import ApprovalRequest
from equipoise.platform.audit.models import Entry
from equipoise.platform.people.models import Participant
from equipoise.platform.registry.models import Study
from equipoise.platform.staff.actions import CommandLine, end_member

pytestmark = pytest.mark.django_db
ROOT = "/office/studies/swing/"
ALL = f"{ROOT}approvals/"
YES = {"choice": "approve", "reason": "I have seen the seal", "name": "swing"}


def state(number=1):
    return ApprovalRequest.objects.get(number=number).state


def numbers(text):
    return [line.partition(",")[0] for line in text.lstrip("\ufeff").splitlines()[1:]]


def test_one_asks_another_finds_it_waiting_and_approves_and_the_results_are_unmasked(at_desk, sealed):
    alice, dora = at_desk("Alice"), at_desk("Dora")
    alice.act(f"{ROOT}data/unmask", name="swing", reason="The seal is published")
    alice.follow()
    assert "once somebody else has approved it" in alice.text
    assert "Approvals (1)" in alice.text
    assert "waits for your decision" not in alice.get("/office/").content.decode()
    for page in ("/office/", ROOT):
        dora.get(page)
        assert "1 request waits for your decision" in dora.text
    dora.get(f"{ALL}1/")
    assert "The seal is published" in dora.text
    assert "Alice (synthetic)" in dora.text
    dora.act(f"{ALL}1/decide", YES)
    dora.follow()
    assert "Request 1 is decided" in dora.text
    assert "Dora (synthetic)" in dora.text
    assert "I have seen the seal" in dora.text
    assert Study.objects.get().results == "unmasked"
    dora.get(ALL)
    assert "Approvals (" not in dora.text


def test_whoever_asked_has_nothing_to_decide_and_takes_it_back(at_desk, sealed, cast):
    ask(cast["Alice"], sealed, UNMASK, reason="The seal is published")
    desk = at_desk("Alice")
    desk.get(f"{ROOT}data/unmask")
    assert desk.page["Location"] == f"{ALL}1/"
    desk.get(f"{ALL}1/")
    assert "Somebody else decides" in desk.text
    desk.act(f"{ALL}1/decide", YES)
    assert (desk.page.status_code, state()) == (303, "waiting")
    desk.get(f"{ALL}1/")
    desk.post(f"{ALL}1/back")
    assert state() == "taken-back"
    desk.post(f"{ALL}1/back")
    assert desk.page.status_code == 422
    assert "is taken back; nothing can be decided" in desk.text
    assert at_desk("Dora").act(f"{ALL}1/back").status_code == 403


def test_whoever_asks_is_told_where_nobody_else_can_decide(at_desk, sealed, cast):
    ask(cast["Alice"], sealed, UNMASK, reason="The seal is published")
    desk = at_desk("Alice")
    for name in ("Dora", "Erin"):
        desk.get(f"{ALL}1/")
        assert "Somebody else decides" in desk.text
        end_member(CommandLine(), cast[name])
    desk.get(f"{ALL}1/")
    assert "Nobody else in this study can decide yet" in desk.text


def test_a_decision_needs_the_name_a_choice_and_a_comment(at_desk, sealed, cast):
    ask(cast["Alice"], sealed, UNMASK, reason="The seal is published")
    desk = at_desk("Dora")
    for lacking, told in (
        ({"name": "swnig"}, "Type swing exactly"),
        ({"reason": " "}, "say what you looked at"),
        ({"choice": ""}, "hoose whether to approve"),
    ):
        desk.act(f"{ALL}1/decide", {**YES, **lacking})
        assert desk.page.status_code == 422
        assert told in desk.text
        assert state() == "waiting"


def test_what_is_no_longer_possible_is_told_on_the_page_and_can_be_refused(at_desk, sealed, cast):
    ask(CommandLine(), sealed, UNMASK, reason="The seal is published")
    Study.objects.update(results="unmasked")
    desk = at_desk("Dora")
    desk.act(f"{ALL}1/decide", YES)
    assert desk.page.status_code == 422
    assert "cannot become unmasked" in desk.text
    assert state() == "waiting"
    desk.post(f"{ALL}1/decide", {**YES, "choice": "refuse"})
    desk.get(f"{ALL}1/")
    assert "Refused" in desk.text
    assert "The command line" in desk.text


def test_an_erasure_is_decided_by_the_participants_code(at_desk, swing, people, cast, erasing):
    ask(cast["Dora"], swing, ERASE, reason="Rang and asked", subject=erasing())
    desk = at_desk("Alice")
    desk.get(f"{ROOT}people/{people[0].key}/")
    assert "An erasure is asked for and waits for a second person: request 1" in desk.text
    desk.act(f"{ALL}1/decide", {**YES, "name": people[0].key})
    assert (desk.page.status_code, state()) == (303, "approved")
    assert Participant.objects.get(pk=people[0].pk).state == "erased"
    desk.get(f"{ALL}1/")
    assert f"{ROOT}people/{people[0].key}/" in desk.html
    desk.act(f"{ROOT}people/{people[0].key}/report", {"as": "page"})
    assert "Erasure asked for by staff" in desk.text
    auditor = at_desk("Erin")
    auditor.get(f"{ALL}1/")
    assert people[0].key in auditor.text
    assert f"{ROOT}people/" not in auditor.html


def test_those_who_may_not_see_requests_see_none(at_desk, sealed, cast):
    ask(cast["Alice"], sealed, UNMASK, reason="The seal is published")
    for name, code in (("Frank", 403), ("Carol", 403), ("Bob", 404)):
        desk = at_desk(name)
        for place in (ALL, f"{ALL}1/", f"{ALL}1/decide", f"{ROOT}data/identified"):
            assert desk.get(place).status_code == code, (name, place)
        desk.get("/office/")
        assert "waits for your decision" not in desk.text
    assert at_desk("Erin").get(f"{ROOT}data/identified").status_code == 403
    assert at_desk("Dora").get(f"{ALL}2/").status_code == 404


def test_all_requests_are_sorted_filtered_and_taken_along(at_desk, sealed, people, cast, erasing, later):
    ask(cast["Alice"], sealed, UNMASK, reason="=The seal is published")
    decide(
        cast["Dora"],
        ask(cast["Alice"], sealed, ERASE, reason="Rang", subject=erasing()),
        "refuse",
        "Ring back",
    )
    later(days=15)
    ask(cast["Dora"], sealed, IDENTIFY, reason="Letters", subject={"columns": ["email"]})
    desk = at_desk("Erin")
    for chosen, found in (
        ({}, ["3", "2", "1"]),
        ({"sort": "number"}, ["1", "2", "3"]),
        ({"sort": "decided", "act": ERASE}, ["2"]),
        ({"state": "waiting"}, ["3"]),
        ({"state": "expired"}, ["1"]),
        ({"state": "refused"}, ["2"]),
        ({"state": "nonsense", "sort": "nonsense", "page": "nonsense"}, ["3", "2", "1"]),
    ):
        assert desk.get(ALL, **chosen).status_code == 200
        assert re.findall(rf'href="{ALL}(\d+)/"', desk.html) == found, chosen
        desk.get(ALL, **chosen, format="csv")
        text = desk.html
        assert numbers(text) == found, chosen
    assert "Ring back" in text
    assert "'=The seal is published" in text


@pytest.mark.django_db(transaction=True)
def test_a_file_with_contact_details_is_asked_for_approved_and_taken_once(at_desk, swing, people, cast):
    dora = at_desk("Dora")
    dora.act(f"{ROOT}data/identified", columns=["email", "region"], reason=" ")
    assert dora.page.status_code == 422
    assert "Is empty; say what the file is for" in dora.text
    dora.post(f"{ROOT}data/identified", columns=["email", "region"], reason="Letters to everybody")
    assert ApprovalRequest.objects.get().subject == {"columns": ["email"]}
    assert "Take the file" not in dora.follow().content.decode()
    dora.post(f"{ALL}1/file", form="csv")
    assert dora.page.status_code == 422
    at_desk("Alice").act(f"{ALL}1/decide", YES)
    dora.get(f"{ALL}1/")
    assert "Take the file" in dora.text
    dora.post(f"{ALL}1/file")
    assert dora.page.status_code == 422
    dora.post(f"{ALL}1/file", form="csv")
    assert dora.page["Content-Disposition"] == 'attachment; filename="swing-1.csv"'
    assert "no-store" in dora.page["Cache-Control"]
    assert "person.0@trainees.example.org" in dora.html
    dora.page.close()
    assert Entry.objects.filter(verb="data.identify.sent").count() == 1
    dora.get(f"{ALL}1/")
    assert "Take the file" not in dora.text
    dora.post(f"{ALL}1/file", form="xlsx")
    assert "has been taken" in dora.text
    assert at_desk("Alice").act(f"{ALL}1/file", form="csv").status_code == 403
