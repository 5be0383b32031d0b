"""The log itself: nothing in it is lost or changed, what was written is sealed, and an erasure leaves the count."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from django.db import connection

from equipoise.errors import InputError
from equipoise.platform.audit.models import Entry
from equipoise.platform.audit.queries import verdicts
from equipoise.platform.fieldwork.actions import leave_study
from equipoise.platform.incidents.actions import (
    close_incident,
    correct_incident,
    new_code,
    record_incident,
    reopen_incident,
)
from equipoise.platform.incidents.models import Incident, Statement, StatementText
from equipoise.platform.incidents.queries import Waiting, counts, history, statement_of, waiting
from equipoise.platform.incidents.texts import Texts, texts_of
from equipoise.platform.incidents.verification import incident_faults
from equipoise.platform.people.actions import rotate_keys, undo_import
from equipoise.platform.people.models import ContactDetails
from equipoise.platform.people.queries import person_record
from equipoise.platform.permissions import NotAllowedError
from equipoise.platform.staff.actions import CommandLine, Place, grant

from .conftest import CALLED, TEXTS

pytestmark = pytest.mark.django_db


def newest(incident):
    return history(Statement.objects.filter(incident=incident).first())[0]


def said(verb):
    return [json.loads(text) for text in Entry.objects.filter(verb=verb).values_list("details", flat=True)]


def problems(refused):
    return {problem.where: problem.message for problem in refused.value.problems}


def stored():
    """Everything that the database holds of incidents and the record, as text."""
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table.startswith(("incidents_", "audit_")):
                cursor.execute(f"SELECT * FROM {table}")  # noqa: S608 - a name of our own
                found += cursor.fetchall()
    return repr(found)


def erase(person):
    leave_study(person, "erase", channel="web", actor=f"participant:{person.key}")


def test_what_was_written_is_read_again_and_stands_nowhere_in_the_clear(log, people):
    incident = log(named=people[0].key)
    assert texts_of(newest(incident)) == TEXTS
    assert newest(incident).participant == people[0]
    assert "in tears" not in stored()
    assert "tutors" not in stored()


def test_the_record_says_what_was_chosen_and_of_texts_and_people_digests_alone(log, people, alice):
    incident = log(named=people[0].key, serious="hospital")
    (entry,) = said("incidents.record")
    assert entry["incident"] == incident.code
    assert (entry["kind"], entry["serious"]) == ("distress", "hospital")
    assert (entry["happened_on"], entry["learnt_on"]) == ("2021-02-08", "2021-02-09")
    assert len(entry["text"]) == len(entry["participant"]) == 64
    assert people[0].key not in json.dumps(entry)
    assert Entry.objects.get(verb="incidents.record").actor == alice.actor


def test_the_same_text_twice_has_two_digests(log):
    log(), log()
    assert len({entry["text"] for entry in said("incidents.record")}) == 2


def test_a_form_sent_twice_is_one_incident(log, swing, members):
    code = new_code()
    assert log(code=code).pk == log(code=code).pk
    assert (Incident.objects.count(), Statement.objects.count()) == (1, 1)
    grant(CommandLine(), members["Bob"], "interviewer", Place(swing))
    with pytest.raises(InputError, match="open the form again"):
        log(members["Bob"], code=code)
    with pytest.raises(InputError, match="was not opened here"):
        log(code="../../etc")


def test_everything_that_is_wrong_is_said_at_once(swing, alice):
    wrong = replace(
        CALLED,
        kind="distres",
        happened_on=date(2021, 2, 11),
        learnt_on=date(2021, 2, 10),
        serious="",
        way="owl",
    )
    with pytest.raises(InputError) as refused:
        record_incident(alice, swing, wrong, Texts(" ", "x" * 10_001))
    found = problems(refused)
    assert set(found) == {"kind", "happened_on", "learnt_on", "serious", "way", "happened", "done"}
    assert 'Did you mean "distress"?' in found["kind"]
    assert found["happened_on"] == "2021-02-11 is still to come; today is 2021-02-10"
    assert "10,001 characters" in found["done"]
    assert not Incident.objects.exists()


@pytest.mark.parametrize("kind", ["opted_out", "left_employer", "withdrew"])
def test_what_is_counted_by_itself_cannot_be_logged_as_well(log, kind):
    with pytest.raises(InputError, match="complaint, distress"):
        log(kind=kind)


def test_today_is_that_of_the_studys_zone(log, at):
    at(datetime(2021, 6, 1, 23, 30, tzinfo=UTC))  # half past midnight in London
    log(happened_on=date(2021, 6, 2), learnt_on=date(2021, 6, 2))
    with pytest.raises(InputError, match="is still to come"):
        log(happened_on=date(2021, 6, 3), learnt_on=date(2021, 6, 3))
    with pytest.raises(InputError, match="look at the year"):
        log(happened_on=date(201, 6, 2), learnt_on=date(2021, 6, 2))


def test_a_correction_needs_a_reason_and_leaves_what_stood_there_to_be_read(log, alice):
    incident = log()
    with pytest.raises(InputError, match="say why"):
        correct_incident(alice, incident, CALLED, TEXTS, seen=1)
    correct_incident(
        alice, incident, replace(CALLED, serious="hospital"), replace(TEXTS, why="The ward rang"), seen=1
    )
    now, before = history(newest(incident))
    assert (now.serious, before.serious) == ("hospital", "no")
    assert (texts_of(now).why, texts_of(before)) == ("The ward rang", TEXTS)
    (entry,) = said("incidents.correct")
    assert (entry["statement"], entry["serious"]) == (2, "hospital")
    assert all(not chain.faults for chain in verdicts())


def test_whoever_did_not_see_the_newest_statement_changes_nothing(log, alice):
    incident = log()
    close_incident(alice, incident, outcome="resolved", done="Rang back", seen=1)
    with pytest.raises(InputError, match="since you opened it"):
        correct_incident(alice, incident, CALLED, replace(TEXTS, why="Late"), seen=1)
    assert Statement.objects.count() == 2


def test_what_is_closed_is_opened_again_before_it_is_closed_again(log, alice):
    incident = log()
    with pytest.raises(InputError, match="is open and can be closed"):
        reopen_incident(alice, incident, why="x", seen=1)
    with pytest.raises(InputError) as refused:
        close_incident(alice, incident, outcome="", done="", seen=1)
    assert set(problems(refused)) == {"outcome", "done"}
    close_incident(alice, incident, outcome="resolved", done="Rang back: all is well", seen=1)
    assert (newest(incident).closed, newest(incident).outcome) == (True, "resolved")
    assert texts_of(newest(incident)) == replace(TEXTS, done="Rang back: all is well")
    with pytest.raises(InputError, match="open it again first"):
        close_incident(alice, incident, outcome="resolved", done="x", seen=2)
    reopen_incident(alice, incident, why="Rang again", seen=2)
    assert (newest(incident).closed, newest(incident).outcome) == (False, "ongoing")
    assert [entry["closed"] for entry in said("incidents.reopen")] == [False]


def test_whoever_leaves_leaves_what_happened_to_be_followed_up(log, people, alice):
    incident = log(named=people[0].key)
    leave_study(people[0], "everything", channel="web", actor=f"participant:{people[0].key}")
    assert not ContactDetails.objects.filter(participant=people[0]).exists()
    assert texts_of(newest(incident)) == TEXTS
    close_incident(alice, incident, outcome="resolved", done="Rang back", seen=1)


def test_erasing_destroys_what_was_written_and_who_it_was_and_leaves_the_count(log, people, alice, swing):
    incident, other = log(named=people[0].key, serious="hospital"), log(named=people[1].key)
    unnamed = replace(CALLED, serious="hospital")
    correct_incident(alice, incident, unnamed, replace(TEXTS, why="Not to be named"), seen=1)
    erase(people[0])
    assert all(row.participant is None and texts_of(row) is None for row in history(newest(incident)))
    assert texts_of(newest(other)) == TEXTS
    found = counts(swing)["distress"]
    assert (found.incidents, found.people, found.serious) == (2, 1, 1)
    assert said("incidents.erase") == [{"incidents": 1}]
    assert all(not chain.faults for chain in verdicts())
    close_incident(alice, incident, outcome="unknown", done="They erased", seen=2)


def test_a_statement_that_names_somebody_else_outlives_an_erasure(log, people, alice):
    incident = log(named=people[0].key)
    right = replace(CALLED, named=people[1].key)
    correct_incident(alice, incident, right, replace(TEXTS, why="The wrong one of two"), seen=1)
    erase(people[0])
    now, before = history(newest(incident))
    assert (now.participant, before.participant) == (people[1], None)
    assert (texts_of(now).happened, texts_of(before)) == (TEXTS.happened, None)


def test_nothing_is_logged_of_somebody_who_had_everything_erased(log, people):
    erase(people[0])
    with pytest.raises(InputError, match="nobody is found by this"):
        log(named=people[0].key)
    assert not Incident.objects.exists()


def test_the_record_of_a_participant_has_every_statement_about_them_and_no_other(log, people, alice):
    incident = log(named=people[0].key)
    log(named=people[1].key, texts=Texts("Something else altogether"))
    stated = replace(CALLED, named=people[0].key)
    correct_incident(alice, incident, stated, replace(TEXTS, why="A word was wrong"), seen=1)
    sections = {one.heading: dict(one.rows) for one in person_record(people[0])}
    assert sections[f"Incident {incident.code}, statement 1"]["What happened"] == TEXTS.happened
    assert sections[f"Incident {incident.code}, statement 2"]["Why it was changed"] == "A word was wrong"
    assert "altogether" not in repr(sections)


def test_an_import_with_somebody_of_whom_there_is_an_incident_is_not_undone(log, people, alice):
    log(named=people[0].key)
    with pytest.raises(InputError, match="1 person has"):
        undo_import(alice, people[0].imported)


def test_a_rotation_wraps_every_text_anew_and_each_can_still_be_read(log, people, settings):
    incident = log(named=people[0].key)
    name = settings.WORKSPACE.add_contact_key()
    try:
        rotate_keys(CommandLine())
        assert StatementText.objects.get().data_key.startswith(
            f"{list(settings.WORKSPACE.contact_keys())[-1]}:"
        )
        assert texts_of(newest(incident)) == TEXTS
    finally:
        (settings.WORKSPACE.folder / "keys" / f"{name}.key").unlink(missing_ok=True) if name else None


def test_an_auditor_reads_and_changes_nothing_and_an_interviewer_sees_what_is_theirs(log, swing, members):
    for name, role in (("Bob", "auditor"), ("Carol", "interviewer")):
        grant(CommandLine(), members[name], role, Place(swing))
    by_alice, by_carol = log(), log(members["Carol"])
    assert statement_of(members["Bob"], swing, by_alice.code) is not None
    assert statement_of(members["Carol"], swing, by_alice.code) is None
    assert statement_of(members["Carol"], swing, by_carol.code) is not None
    for who, incident in (("Bob", by_alice), ("Carol", by_alice)):
        with pytest.raises(NotAllowedError):
            close_incident(members[who], incident, outcome="resolved", done="x", seen=1)
    with pytest.raises(NotAllowedError):
        log(members["Bob"])
    close_incident(members["Carol"], by_carol, outcome="resolved", done="x", seen=1)


def test_what_was_logged_by_mistake_counts_nowhere(log, alice, swing):
    incident = log(kind="complaint")
    log(kind="other")
    assert {kind: one.incidents for kind, one in counts(swing).items()} == {
        "complaint": 1,
        "distress": 0,
        "saw_other_arm": 0,
        "other": 1,
    }
    close_incident(alice, incident, outcome="mistake", done="Logged twice", seen=1)
    assert counts(swing)["complaint"].incidents == 0


def test_serious_ones_wait_for_a_day_and_distress_for_three(log, alice, swing, at):
    log(serious="hospital", learnt_on=date(2021, 2, 10)), log(learnt_on=date(2021, 2, 10))
    log(kind="complaint", learnt_on=date(2021, 2, 8))
    found = {}
    for day in (10, 11, 13):
        at(datetime(2021, 2, day, 12, tzinfo=UTC))
        found[day] = waiting(alice, [swing]).get(swing.pk)
    assert found == {10: None, 11: Waiting(1, 0), 13: Waiting(1, 1)}
    for incident in Incident.objects.all():
        close_incident(alice, incident, outcome="resolved", done="Seen to", seen=1)
    assert waiting(alice, [swing]) == {}


def test_what_was_changed_behind_the_logs_back_is_found_and_an_erasure_is_no_fault(log, people, alice, swing):
    kept, erased = log(named=people[0].key), log(named=people[1].key)
    correct_incident(alice, kept, CALLED, replace(TEXTS, why="Somebody else"), seen=1)
    erase(people[1])
    assert list(incident_faults(swing)) == []
    Statement.objects.filter(incident=kept, number=1).update(serious="death")
    Statement.objects.filter(incident=kept, number=2).update(participant=people[2])
    Statement.objects.filter(incident=erased).update(number=7)
    Incident.objects.filter(pk=kept.pk).update(newest=1)
    found = "\n".join(incident_faults(swing))
    for said in (
        f"{kept.code}, statement 1: is not what was stated",
        f"{kept.code}, statement 2: has other words, or names another",
        f"{erased.code}, statement 7: is in the log and not in the record",
        f"{erased.code}, statement 1: is in the record and not in the log",
        f"{kept.code}: an earlier statement is taken for the newest",
    ):
        assert said in found
