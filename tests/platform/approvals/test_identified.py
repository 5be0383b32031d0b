"""The file with contact details: what is in it and what never is, who takes it, once, and what is recorded."""

import csv
import hashlib
import io
import json
import tracemalloc

import openpyxl
import pytest

from equipoise.errors import InputError
from equipoise.platform.approvals.actions import ask, decide
from equipoise.platform.approvals.acts import IDENTIFY
from equipoise.platform.approvals.identified import take_file
from equipoise.platform.database import writing
from equipoise.platform.people.actions import update_roster, withdraw
from equipoise.platform.people.contacts import sealed_contact, wrapping_keys
from equipoise.platform.people.models import Allocation, ContactDetails, Participant
from equipoise.platform.permissions import NotAllowedError
from equipoise.platform.staff.actions import CommandLine, Place, revoke

# The file is made in a snapshot, which is a transaction of its own.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def approved(swing, people, cast):
    """A function that has a file of some columns asked for by Dora and approved by Alice."""

    def make(*columns):
        subject = {"columns": list(columns)}
        request = ask(cast["Dora"], swing, IDENTIFY, reason="Letters to everybody", subject=subject)
        return decide(cast["Alice"], request, "approve", "Letters are in the protocol")

    return make


def rows_of(content):
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_it_has_everybody_who_takes_part_with_what_was_approved_and_its_hash_is_recorded(
    approved, people, cast, entered, swing, alice, roster, line
):
    update_roster(alice, swing, roster(line(3, email="=cmd@example.org")))
    withdraw(people[1], "everything", channel="web", actor=f"participant:{people[1].key}")
    withdraw(people[2], "messages", channel="web", actor=f"participant:{people[2].key}")
    content = b"".join(take_file(cast["Dora"], approved("email")))
    rows = {row["participant"]: row for row in rows_of(content)}
    assert set(rows) == {person.key for person in people} - {people[1].key}
    assert rows[people[0].key] == {
        "participant": people[0].key,
        "staff_ref": "T20-0000",
        "email": "person.0@trainees.example.org",
        "messages": "",
    }
    assert rows[people[2].key]["messages"] == "stopped"
    assert rows[people[3].key]["email"] == "'=cmd@example.org"
    begun, sent = entered("data.identify")[0], entered("data.identify.sent")[0]
    assert json.loads(begun.details)["columns"] == ["participant", "staff_ref", "email", "messages"]
    assert json.loads(sent.details) == {
        "request": 1, "rows": 9, "whole": True, "sha256": hashlib.sha256(content).hexdigest(),
    }  # fmt: skip
    assert begun.actor == sent.actor == cast["Dora"].actor
    assert "example.org" not in begun.details + sent.details


def test_no_answer_no_arm_and_nothing_that_the_roster_says_is_in_it(approved, people, cast, swing):
    for person in people:
        Allocation.objects.create(
            stage=swing.stages.get(), participant=person, stratum="2020 | north", arm="messages",
            at=person.enrolled_at,
        )  # fmt: skip
    content = b"".join(take_file(cast["Dora"], approved("email", "mobile"))).decode("utf-8-sig")
    header, *lines = content.splitlines()
    assert header == "participant,staff_ref,email,mobile,messages"
    assert all(line.endswith(",") for line in lines)
    assert "north" not in content


def test_it_is_taken_once_by_who_asked_within_a_day_and_while_they_hold_the_role(
    approved, cast, swing, later
):
    request = approved("email")
    for name in ("Alice", "Erin"):
        with pytest.raises(NotAllowedError):
            take_file(cast[name], request)
    later(hours=23, minutes=59)
    b"".join(take_file(cast["Dora"], request))
    with pytest.raises(InputError, match="has been taken"):
        take_file(cast["Dora"], request)
    late = approved("email")
    later(hours=24, minutes=1)
    with pytest.raises(InputError, match="more than 24 hours ago"):
        take_file(cast["Dora"], late)
    gone = approved("email")
    revoke(CommandLine(), cast["Dora"], "data-manager", Place(swing))
    with pytest.raises(NotAllowedError):
        take_file(cast["Dora"], gone)


def test_nothing_is_taken_that_nobody_has_approved(swing, people, cast):
    subject = {"columns": ["email"]}
    request = ask(cast["Dora"], swing, IDENTIFY, reason="Letters", subject=subject)
    with pytest.raises(InputError, match="is no approved request"):
        take_file(cast["Dora"], request)
    decide(cast["Alice"], request, "refuse", "Not in the protocol")
    with pytest.raises(InputError, match="is no approved request"):
        take_file(cast["Dora"], request)


def test_a_file_that_broke_off_is_recorded_as_such_and_is_not_given_again(
    approved, cast, entered, monkeypatch
):
    monkeypatch.setattr("equipoise.platform.approvals.identified._AT_ONCE", 2)
    request = approved("email")
    parts = take_file(cast["Dora"], request)
    next(parts)
    parts.close()
    assert json.loads(entered("data.identify.sent")[0].details) == {"request": 1, "rows": 4, "whole": False}
    with pytest.raises(InputError, match="has been taken"):
        take_file(cast["Dora"], request)


def test_the_last_of_it_leaves_only_once_it_is_recorded(approved, cast, monkeypatch):
    parts = take_file(cast["Dora"], approved("email"))

    def fail(*_, **__):
        raise RuntimeError("no record, no file")

    monkeypatch.setattr("equipoise.platform.approvals.identified.record", fail)
    got = []
    with pytest.raises(RuntimeError):
        got.extend(parts)
    assert not got


def test_a_workbook_has_the_same_and_numbers_that_can_be_dialled(approved, people, cast, monkeypatch):
    content = b"".join(take_file(cast["Dora"], approved("email", "mobile"), "xlsx"))
    header, *rows = openpyxl.load_workbook(io.BytesIO(content)).active.iter_rows(values_only=True)
    assert header == ("participant", "staff_ref", "email", "mobile", "messages")
    assert (people[7].key, "T20-0007", "person.7@trainees.example.org", "+447700900007", "") in rows
    assert len(rows) == 10
    monkeypatch.setattr("equipoise.platform.approvals.identified.LARGEST_SHEET", 10)
    request = approved("email")
    for form, told in (("xlsx", "take the file as CSV"), ("xls", 'Did you mean "xlsx"')):
        with pytest.raises(InputError, match=told):
            take_file(cast["Dora"], request, form)
    assert len(rows_of(b"".join(take_file(cast["Dora"], request)))) == 10


def test_ten_times_the_people_take_no_more_memory(swing, approved, cast, monkeypatch):
    monkeypatch.setattr("equipoise.platform.approvals.identified._AT_ONCE", 50)

    def add(number):
        keys = wrapping_keys()
        with writing():
            made = Participant.objects.bulk_create(
                Participant(study=swing, enrolled_at=swing.added_at) for _ in range(number)
            )
            ContactDetails.objects.bulk_create(
                sealed_contact(person, {"staff_ref": person.key, "email": f"{person.key}@example.org"}, keys)
                for person in made
            )

    def most():
        parts = take_file(cast["Dora"], approved("email"))
        tracemalloc.start()
        try:
            count = sum(part.count(b"\n") for part in parts)
            return count, tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    add(200)
    few = most()
    add(1_800)
    many = most()
    assert (few[0], many[0]) == (211, 2_011)
    assert many[1] < 1.3 * few[1]
