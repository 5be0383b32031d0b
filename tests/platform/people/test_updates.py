"""A newer roster after enrolment: who left, moved, changed; what lots hang on stays as it was."""

import pytest

from equipoise.errors import CheckFailedError, InputError
from equipoise.platform.audit.models import Entry
from equipoise.platform.people.actions import (
    confirm_import,
    enrol_arrival,
    look_at_update,
    update_from,
    update_roster,
    withdraw,
)
from equipoise.platform.people.contacts import contact_of, find_by_contact
from equipoise.platform.people.facts import facts_of, frozen_columns
from equipoise.platform.people.models import Allocation, Participant, RosterImport
from equipoise.platform.people.reading import RosterSource

pytestmark = pytest.mark.django_db


def again(person):
    return Participant.objects.select_related("study", "partner").get(pk=person.pk)


def test_changed_contacts_are_found_by_the_new_ones_only(swing, alice, people, roster, line):
    update_roster(alice, swing, roster(line(3, email="moved.on@example.org", mobile="07700 900777")))
    assert contact_of(people[3]) == {
        "staff_ref": "T20-0003",
        "email": "moved.on@example.org",
        "mobile": "+447700900777",
    }
    assert find_by_contact(swing, "Moved.On@example.org") == [people[3]]
    assert find_by_contact(swing, "person.3@trainees.example.org") == []
    assert find_by_contact(swing, "07700900777") == [people[3]]


def test_what_changes_is_said_by_line_without_a_contact_detail(swing, people, roster, line):
    path = roster(line(1), line(2, email="other@example.org"), line(3, region="south"), line(4, mobile=""))
    found = look_at_update(swing, RosterSource(path))
    assert [(change.place, change.said) for change in found.changes] == [
        ("cohort-2020.csv:3", ("email changed",)),
        ("cohort-2020.csv:4", ("region: north → south",)),
        ("cohort-2020.csv:5", ("mobile removed",)),
    ]
    assert (found.counts["contact"], found.counts["facts"], found.counts["unchanged"]) == (2, 1, 1)
    assert found.counts["absent"] == 6
    assert contact_of(people[2])["email"] == "person.2@trainees.example.org"


def test_strata_of_a_committed_stage_are_reported_and_kept(swing, alice, people, commit, roster, line):
    path = roster(line(3, region="south", started="2020-08-01"), line(4, region="east"))
    commit()
    assert frozen_columns(swing) == {"cohort", "region"}
    found = look_at_update(swing, RosterSource(path))
    assert found.changes[0].said == (
        "started_on: 2020-07-13 → 2020-08-01",
        "region stays north, because lots were drawn by it",
    )
    imported = update_roster(alice, swing, path)
    assert facts_of(again(people[3]))["region"] == facts_of(again(people[4]))["region"] == "north"
    assert facts_of(again(people[3]))["started_on"].isoformat() == "2020-08-01"
    assert (imported.counts["kept"], imported.counts["facts"]) == (2, 1)


def test_a_ratio_and_a_derived_stratum_freeze_the_columns_that_they_ask_for(add_example):
    def change(folder):
        path = folder / "protocol.yaml"
        text = path.read_text("utf-8").replace("strata: [cohort, region]", "strata: [early, region]")
        text = text.replace(
            "  consent:\n", "  derived:\n    early: \"started_on < date('2021-01-01')\"\n  consent:\n", 1
        )
        path.write_text(text, "utf-8")

    study = add_example("swing", change)
    study.stages.update(state="committed")
    assert frozen_columns(study) == {"started_on", "region"}


def test_newcomers_are_enrolled_before_the_commitment_and_counted_after_it(
    swing, alice, people, commit, roster, line
):
    assert update_roster(alice, swing, roster(line(20))).counts["new"] == 1
    commit()
    imported = update_roster(alice, swing, roster(line(3, email="x@example.org"), line(21)))
    assert (imported.counts["late"], imported.counts["new"]) == (1, 0)
    assert Participant.objects.count() == 11


def test_a_whole_roster_marks_who_is_missing_as_left_and_who_is_back_as_returned(
    swing, alice, people, roster, line
):
    eight = roster(*(line(number) for number in range(8)))
    imported = update_roster(alice, swing, eight, whole=True)
    assert imported.counts["left"] == 2
    assert again(people[9]).left_at is not None
    assert again(people[9]).state == "enrolled"
    imported = update_roster(alice, swing, roster(line(9)))
    assert (imported.counts["returned"], imported.counts["left"]) == (1, 0)
    assert again(people[9]).left_at is None


def test_a_part_of_a_roster_makes_nobody_a_leaver(swing, alice, people, roster, line):
    imported = update_roster(alice, swing, roster(line(1, email="x@example.org")))
    assert (imported.counts["left"], imported.counts["absent"]) == (0, 9)
    assert not Participant.objects.exclude(left_at=None).exists()


def test_a_whole_roster_of_one_cohort_says_nothing_of_another(swing, alice, people, roster, line):
    confirm_import(alice, swing, roster(line(30), name="cohort-2021.csv"))
    found = look_at_update(swing, RosterSource(roster(*(line(number) for number in range(9)))), whole=True)
    assert found.counts["left"] == 1


def test_a_mover_keeps_the_stratum_and_changes_partner(add_example, alice, roster, at):
    header = "staff_ref,email,team,started_on,authority"
    study = add_example("symbolic-awards")
    row = "NO1,a@example.org,Fostering,01/02/2010"
    other = "NO2,b@example.org,Fostering,01/02/2010,northmoor"
    confirm_import(alice, study, roster(f"{row},northmoor", other, name="all.csv", header=header))
    study.stages.update(state="committed")
    imported = update_roster(alice, study, roster(f"{row},eastvale", other, name="new.csv", header=header))
    person = Participant.objects.select_related("study", "partner").earliest("pk")
    assert imported.counts["moved"] == 1
    assert person.partner.name == "eastvale"
    assert facts_of(person)["authority"] == "northmoor"


@pytest.mark.parametrize("choice", ["everything", "erase"])
def test_an_update_brings_nobody_back_who_left_the_study(swing, alice, people, roster, line, choice):
    withdraw(people[3], choice, channel="web", actor="participant:x")
    imported = update_roster(
        alice, swing, roster(line(3, email="x@example.org"), line(4, email="y@example.org"))
    )
    assert (imported.counts["kept_out"], imported.counts["contact"]) == (1, 1)
    assert contact_of(people[3]) == {}
    assert find_by_contact(swing, "x@example.org") == []


def test_an_update_that_says_nothing_new_is_refused(swing, alice, people, roster, line):
    with pytest.raises(InputError, match="nothing would change"):
        update_roster(alice, swing, roster(line(1)))
    assert not RosterImport.objects.filter(kind="update").exists()


def test_the_file_of_an_import_can_be_the_file_of_an_update(swing, alice, people, roster, line):
    update_roster(alice, swing, roster(line(3, email="x@example.org")))
    imported = update_roster(alice, swing, roster(*(line(number) for number in range(10))))
    assert imported.counts["contact"] == 1
    assert contact_of(people[3])["email"] == "person.3@trainees.example.org"


def test_what_was_shown_is_what_is_changed(swing, alice, people, roster, line):
    source = RosterSource(roster(line(3, email="x@example.org"), line(4, email="y@example.org")))
    shown = look_at_update(swing, source).counts
    withdraw(people[4], "everything", channel="web", actor="participant:x")
    with pytest.raises(InputError, match="people have changed since you looked"):
        update_from(alice, swing, source, expected=shown)
    assert contact_of(people[3])["email"] == "person.3@trainees.example.org"


def test_without_the_key_of_the_contact_details_an_update_is_refused_and_changes_nothing(
    swing, alice, people, roster, line, monkeypatch
):
    path = roster(line(3, region="south"))
    monkeypatch.setattr(type(_workspace()), "contact_keys", lambda self: {"contacts-9": bytes(32)})
    with pytest.raises(CheckFailedError, match="the key contacts-1 is missing"):
        update_roster(alice, swing, path)
    assert facts_of(again(people[3]))["region"] == "north"


def _workspace():
    from django.conf import settings

    return settings.WORKSPACE


def test_the_record_of_an_update_has_numbers_and_no_person(swing, alice, people, roster, line, everywhere):
    update_roster(alice, swing, roster(line(3, email="zanzibar@example.org", mobile="07700 900421")))
    assert '"contact":1' in Entry.objects.get(verb="people.update").details
    assert not any(each in everywhere().lower() for each in ("zanzibar", "900421", "t20-0003"))


def test_the_number_of_statements_of_a_comparison_does_not_grow_with_people(
    swing, alice, roster, line, queries
):
    confirm_import(alice, swing, roster(*(line(number) for number in range(400))))
    with queries() as few:
        look_at_update(swing, RosterSource(roster(line(1, region="south"))))
    with queries() as many:
        look_at_update(swing, RosterSource(roster(*(line(number, region="south") for number in range(400)))))
    assert few.count == many.count


# --- rolling enrolment -----------------------------------------------------------------------------------------


PERSON = {"cohort": "2020", "region": "north", "started_on": "2020-07-13"}


def test_an_arrival_is_enrolled_and_given_an_arm_in_one_step(rolling, alice):
    contact = {"staff_ref": "T1", "email": "one@example.org"}
    person = enrol_arrival(alice, rolling, PERSON, contact)
    assert contact_of(person) == contact
    assert facts_of(person)["started_on"].isoformat() == "2020-07-13"
    assert Allocation.objects.filter(participant=person).count() == 1
    assert person.partner.name == "training-provider"
    with pytest.raises(InputError, match="this person takes part already"):
        enrol_arrival(alice, rolling, PERSON, contact)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"region": "Narnia"}, "“Narnia” is no level"),
        ({"started_on": "2022-01-01"}, "this person is not eligible"),
        ({"region": None}, "region: empty, but required"),
    ],
)
def test_an_arrival_that_is_not_as_declared_or_not_eligible_is_refused(rolling, alice, change, told):
    with pytest.raises(InputError, match=told):
        enrol_arrival(alice, rolling, {**PERSON, **change}, {"staff_ref": "T1", "email": "one@example.org"})
    assert not Participant.objects.exists()


def test_an_arrival_who_left_stays_out(rolling, alice):
    contact = {"staff_ref": "T1", "email": "one@example.org"}
    withdraw(enrol_arrival(alice, rolling, PERSON, contact), "erase", channel="web", actor="participant:x")
    with pytest.raises(InputError, match="left the study earlier"):
        enrol_arrival(alice, rolling, PERSON, contact)


def test_nobody_arrives_in_a_study_that_enrols_a_roster_at_once(swing, alice):
    with pytest.raises(InputError, match="import the roster, or update it"):
        enrol_arrival(alice, swing, PERSON, {"staff_ref": "T1", "email": "one@example.org"})


def test_with_rolling_enrolment_a_roster_and_its_update_allocate_the_newcomers(rolling, alice, roster, line):
    confirm_import(alice, rolling, roster(*(line(number) for number in range(6))))
    update_roster(alice, rolling, roster(*(line(number) for number in range(9))))
    assert Allocation.objects.count() == Participant.objects.filter(source="rolling").count() == 9
