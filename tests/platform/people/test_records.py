"""What is kept of one person, for them to read; and the roster's facts in their types."""

from datetime import UTC, date, datetime

import pytest

from equipoise.platform.people.actions import confirm_import, record_consents, withdraw
from equipoise.platform.people.models import Allocation, Participant
from equipoise.platform.people.queries import facts_of, person_record

pytestmark = pytest.mark.django_db


def sections(person):
    return {section.heading: dict(section.rows) for section in person_record(person)}


def test_everything_that_is_kept_of_a_participant_is_in_their_record(people, consent):
    record_consents(people[3], {"survey": True, "interview": False}, **consent)
    withdraw(people[3], "messages", channel="telephone", actor="participant:x")
    found = sections(Participant.objects.select_related("study").get(pk=people[3].pk))
    assert found["Contact details"]["E-mail"] == "person.3@trainees.example.org"
    assert found["Contact details"]["Trainee reference"] == "T20-0003"
    assert found["What the roster says"]["Start of training"] == date(2020, 7, 13)
    assert found["Consents"]["Survey: yes"] == (
        "2021-02-10 12:00 UTC, web, in en-GB, words of consent w1, privacy notice n1"
    )
    assert "Interview: no" in found["Consents"]
    assert found["Choices"] == {"Stop messages": "2021-02-10 12:00 UTC, telephone"}
    assert found["Taking part"]["Code"] == people[3].key


def test_the_arm_is_told_only_when_the_results_are_unmasked(swing, people):
    Allocation.objects.create(
        stage=swing.stages.get(),
        participant=people[0],
        stratum="2020 | north",
        arm="messages",
        at=datetime(2021, 3, 1, 10, tzinfo=UTC),
    )
    told = sections(people[0])["Allocation by lot"]
    assert told == {"Stage main": "Allocated on 2021-03-01; the arm is told when the study has ended"}
    assert "Weekly text" not in str(person_record(people[0]))
    swing.results = "unmasked"
    swing.save()
    person = Participant.objects.select_related("study").get(pk=people[0].pk)
    assert (
        sections(person)["Allocation by lot"]["Stage main"] == "Weekly text messages, allocated on 2021-03-01"
    )


def test_the_record_of_somebody_erased_has_their_choice_and_nothing_of_what_they_said(people, consent):
    record_consents(people[0], {"survey": True}, **consent)
    withdraw(people[0], "erase", channel="web", actor="participant:x")
    found = sections(Participant.objects.select_related("study").get(pk=people[0].pk))
    assert "Contact details" not in found
    assert "Consents" not in found
    assert set(found["What the roster says"].values()) == {None}
    assert found["Choices"].keys() == {"Leave the study and have everything erased"}


KINDS = """\
    team_size:  {type: integer, required: false, label: Size of the team}
    hours:      {type: number, required: false, label: Hours a week}
    manages:    {type: yes-no, required: false, label: Manages people}
    cohort:     {"""


def test_facts_come_back_in_the_types_that_the_roster_declares(add_example, alice, roster):
    def change(folder):
        path = folder / "protocol.yaml"
        path.write_text(path.read_text("utf-8").replace("    cohort:     {", KINDS, 1), "utf-8")

    study = add_example("swing", change)
    header = "staff_ref,email,cohort,region,started_on,team_size,hours,manages"
    lines = (
        "A1,a@example.org,2020,north,2020-01-31,12,36,yes",
        "A2,b@example.org,2021,south,2020-02-29,,37.5,",
    )
    confirm_import(alice, study, roster(*lines, name="kinds.csv", header=header))
    first, second = Participant.objects.select_related("study").order_by("pk")
    found = facts_of(first)
    assert found == {
        "team_size": 12,
        "hours": 36.0,
        "manages": True,
        "cohort": "2020",
        "region": "north",
        "started_on": date(2020, 1, 31),
    }
    assert {name: type(value) for name, value in found.items()}["hours"] is float
    assert facts_of(second)["started_on"] == date(2020, 2, 29)
    assert facts_of(second)["manages"] is facts_of(second)["team_size"] is None


def test_facts_never_hold_the_identifier_or_a_contact_detail(people):
    assert facts_of(people[0]).keys().isdisjoint({"staff_ref", "email", "mobile"})
