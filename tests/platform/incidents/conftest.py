"""What the tests of incidents share: people of `swing`, and a function that logs something."""

from dataclasses import replace
from datetime import date

import pytest

from equipoise.platform.incidents.actions import record_incident
from equipoise.platform.incidents.stated import Stated
from equipoise.platform.incidents.texts import Texts
from equipoise.platform.people.actions import confirm_import

HEADER = "Trainee ID,Email,Mobile,Region,Start date"
CALLED = Stated(
    kind="distress",
    happened_on=date(2021, 2, 8),
    learnt_on=date(2021, 2, 9),
    way="participant",
    serious="no",
    expected="yes",
    related="possibly",
    outcome="ongoing",
)
TEXTS = Texts("Rang in tears after the third question", "Gave the number of the tutors")


@pytest.fixture
def people(swing, alice, tmp_path):
    """Six people of `swing`, of no partner in particular but the only one that there is."""
    path = tmp_path / "cohort-2020.csv"
    lines = [
        f"T20-{each:04d},person.{each}@trainees.example.org,07700 900{each:03d},north,2020-07-13"
        for each in range(6)
    ]
    path.write_text("\n".join([HEADER, *lines]) + "\n", "utf-8")
    imported = confirm_import(alice, swing, path)
    return list(imported.participants.select_related("study", "partner").order_by("pk"))


@pytest.fixture
def log(swing, alice):
    """A function that logs an incident; what it is given differs from the usual one."""

    def write(who=None, texts=TEXTS, code="", **changes):
        return record_incident(who or alice, swing, replace(CALLED, **changes), texts, code=code)

    return write
