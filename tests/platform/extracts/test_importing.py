"""Extracts imported: who is linked, who is left out, what is refused, and what is never kept."""

import json
from dataclasses import replace

import openpyxl
import pytest
from django.db import connection
from tests.platform.extracts.conftest import AFTER, BEFORE, LAUNCH, SOURCES, SPELLS

from equipoise.errors import InputError
from equipoise.platform.audit.models import Entry
from equipoise.platform.extracts.actions import import_extract, look_at_extract
from equipoise.platform.extracts.models import Extract, ExtractValue
from equipoise.platform.extracts.reading import ExtractFile
from equipoise.platform.fieldwork.actions import leave_study
from equipoise.platform.people.actions import record_consents
from equipoise.platform.permissions import NotAllowedError
from equipoise.platform.registry.queries import partners

pytestmark = pytest.mark.django_db
SAID = {"version": "w", "notice": "n", "language": "en-GB", "channel": "web", "actor": "participant:x"}


def kept(extract):
    return {row.participant_id: row.values for row in extract.rows.all()}


def told(error):
    return [str(problem) for problem in error.value.problems]


def test_values_are_kept_by_participant_and_nothing_else_of_the_file(study, alice, file, person):
    sent = file(("N1", 3), ("N2", 0.5), ("Z-NOBODY-4711", 7))
    extract = import_extract(alice, study, AFTER, sent)
    assert kept(extract) == {person("N1").pk: {"days_off": 3.0}, person("N2").pk: {"days_off": 0.5}}
    assert (extract.counts["linked"], extract.counts["unmatched"], extract.counts["absent"]) == (2, 1, 4)
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            name = connection.ops.quote_name(table)
            cursor.execute(f"SELECT * FROM {name}")  # noqa: S608 - a name of our own
            assert "NOBODY-4711" not in str(cursor.fetchall()), table


def test_a_row_that_nobody_matches_is_told_by_its_line_alone(study, file):
    looked = look_at_extract(study, AFTER, file(("X9", 7), ("N1", 3), ("n2", 3)))
    assert looked.unmatched == ("absence.csv:2", "absence.csv:4")
    assert not ExtractValue.objects.exists()


def test_the_record_has_numbers_and_the_hash_and_no_value(study, alice, file):
    extract = import_extract(alice, study, AFTER, file(("N1", 61), ("X9", 7)))
    said = json.loads(Entry.objects.get(chain__name=study.name, verb="extracts.import").details)
    assert (said["file_hash"], said["counts"]) == (extract.file_hash, extract.counts)
    assert "61" not in json.dumps({**said, "file_hash": ""})


def test_whoever_left_or_said_no_is_left_out_and_counted(study, alice, file, person):
    leave_study(person("N1"), "everything", channel="web", actor="participant:x")
    leave_study(person("N2"), "erase", channel="web", actor="participant:x")
    record_consents(person("N3"), {"linkage": False}, **SAID)
    extract = import_extract(alice, study, AFTER, file(("N1", 1), ("N2", 2), ("N3", 3), ("N4", 4)))
    assert kept(extract) == {person("N4").pk: {"days_off": 4.0}}
    counts = extract.counts
    assert (counts["left"], counts["not_linked"], counts["linked"], counts["unmatched"]) == (2, 1, 1, 0)


def test_where_people_have_to_agree_first_only_they_are_linked(study_with, alice, file):
    study = study_with(consent="    linkage: opt-in\n")
    with pytest.raises(InputError, match="nobody in the file"):
        import_extract(alice, study, AFTER, file(("N1", 1)))
    someone = study.participants.select_related("study").first()
    record_consents(someone, {"linkage": True}, **SAID)
    extract = import_extract(alice, study, AFTER, file(("N1", 1), ("N2", 2), ("N3", 3), ("N4", 4), ("E1", 5)))
    assert extract.counts["linked"] + extract.counts["not_linked"] == 5
    assert set(kept(extract)) <= {someone.pk}


def test_where_only_the_privacy_notice_tells_of_it_everybody_is_linked(study_with, alice, file):
    study = study_with(consent="")
    assert import_extract(alice, study, AFTER, file(("N1", 1), ("N2", 2))).counts["linked"] == 2


def test_a_partners_file_holds_the_people_of_that_partner_only(study, alice, file, person):
    scope = replace(AFTER, partner="eastvale")
    extract = import_extract(alice, study, scope, file(("N1", 1), ("E1", 2)))
    assert kept(extract) == {person("E1").pk: {"days_off": 2.0}}
    assert (extract.counts["elsewhere"], extract.counts["absent"]) == (1, 1)
    with pytest.raises(InputError, match='"estvale" is not a partner'):
        look_at_extract(study, replace(AFTER, partner="estvale"), file(("E1", 2)))


BAD = {
    "N1,1\nN2,2\nN1,3": "absence.csv:4: staff_ref: the same identifier as at absence.csv:2",
    "N1,-1": "absence.csv:2: days_off: -1 is below the lowest that is declared, 0",
    "N1,85": "absence.csv:2: days_off: 85 is above the highest that is declared, 84",
    "N1,some": "absence.csv:2: days_off: is text, where a number is expected",
    'N1,"2,5"': "absence.csv:2: days_off: has a decimal comma",
    ",1": "absence.csv:2: staff_ref: empty, but required",
    "N1,1,2,3": "absence.csv:2: 4 cells where the first row names",
}


def test_a_row_with_a_problem_is_told_by_line_and_nothing_is_imported(study, alice, file):
    for rows, said in BAD.items():
        with pytest.raises(InputError) as refused:
            import_extract(alice, study, AFTER, file(text=f"Staff reference,Days off\n{rows}\nN4,1\n"))
        assert any(said in line for line in told(refused)), (rows, told(refused))
        assert "refused; put the file right" in told(refused)[0]
    assert not Extract.objects.exists()


def test_a_day_outside_the_window_is_a_problem_and_is_not_kept_inside_it(study, alice, file):
    text = "Staff reference,Days off,Measured on\nN1,1,2021-05-24\nN2,1,2021-05-25\nN3,1,2021-03-01\n"
    with pytest.raises(InputError) as refused:
        import_extract(alice, study, AFTER, file(text=text))
    outside = "is outside the window, 2021-03-02 to 2021-05-24"
    assert told(refused)[1:] == [
        f"absence.csv:3: measured_on: 2021-05-25 {outside}",
        f"absence.csv:4: measured_on: 2021-03-01 {outside}",
    ]
    whole = "Staff reference,Days off,Measured on\nN1,1,2021-05-24\n"
    assert kept(import_extract(alice, study, AFTER, file(text=whole))).popitem()[1] == {"days_off": 1.0}


def test_a_file_from_before_the_end_of_its_window_is_refused(study, alice, file, at):
    at(LAUNCH)
    with pytest.raises(InputError, match="the window lasts until 2021-05-24"):
        import_extract(alice, study, AFTER, file(("N1", 1)))
    assert import_extract(alice, study, BEFORE, file(("N1", 1))).number == 1


def test_a_later_file_takes_the_place_of_the_earlier_with_a_reason_and_both_stay(study, alice, file):
    first = import_extract(alice, study, AFTER, file(("N1", 1), ("N2", 2)))
    with pytest.raises(InputError, match="counts already"):
        import_extract(alice, study, AFTER, file(("N1", 1), ("N2", 2)), reason="Again")
    with pytest.raises(InputError, match="say why this file takes the place"):
        import_extract(alice, study, AFTER, file(("N1", 5)))
    second = import_extract(alice, study, AFTER, file(("N1", 5)), reason="Late certificates came in")
    assert (first.number, second.number, second.reason) == (1, 2, "Late certificates came in")
    assert Extract.objects.count() == 2
    assert first.rows.count() == 2


def test_files_of_other_windows_and_partners_have_versions_of_their_own(study, alice, file):
    scopes = (AFTER, BEFORE, replace(AFTER, partner="northmoor"), replace(AFTER, partner="eastvale"))
    numbers = [import_extract(alice, study, scope, file(("N1", 1), ("E1", 1))).number for scope in scopes]
    assert numbers == [1, 1, 1, 1]
    assert {partner.name for partner in partners(study)} >= {"northmoor", "eastvale"}


def test_once_the_results_are_sealed_no_file_is_taken(study, alice, file):
    study.state, study.results = "closed", "sealed"
    study.save()
    with pytest.raises(InputError, match="sealed"):
        import_extract(alice, study, AFTER, file(("N1", 1)))


def test_people_who_change_between_the_look_and_the_import_are_looked_at_again(study, alice, file, person):
    sent = file(("N1", 1), ("N2", 2))
    shown = look_at_extract(study, AFTER, sent).counts
    leave_study(person("N2"), "everything", channel="web", actor="participant:x")
    with pytest.raises(InputError, match="look again"):
        import_extract(alice, study, AFTER, sent, expected=shown)
    assert not Extract.objects.exists()


def test_only_those_who_lead_or_manage_data_import(study, members, file):
    from equipoise.platform.staff.actions import CommandLine, Place, grant

    with pytest.raises(NotAllowedError):
        import_extract(members["Bob"], study, AFTER, file(("N1", 1)))
    grant(CommandLine(), members["Bob"], "data-manager", Place(study))
    bob = type(members["Bob"]).objects.get(pk=members["Bob"].pk)
    assert import_extract(bob, study, AFTER, file(("N1", 1))).actor == bob.actor


def test_what_is_not_declared_is_refused_with_what_is(study, file):
    with pytest.raises(InputError, match=r'"absense" is not an HR extract of this study\. Extracts: absence'):
        look_at_extract(study, replace(AFTER, source="absense"), file(("N1", 1)))
    with pytest.raises(InputError, match=r'"later" is not a window of absence\. Windows: before, after'):
        look_at_extract(study, replace(AFTER, window="later"), file(("N1", 1)))
    with pytest.raises(InputError, match="there is no such file"):
        look_at_extract(study, AFTER, ExtractFile(file(("N1", 1)).path.with_name("none.csv")))


def test_a_workbook_with_two_rows_of_headings_and_numbers_as_text(study, alice, tmp_path, person):
    book = openpyxl.Workbook()
    for row in (
        ("Employee", None, "Sickness"),
        ("Staff Ref", "Post", "Days off"),
        ("N1", "Clerk", "3"),
        ("N2", "Clerk", 4),
    ):
        book.active.append(row)
    book.save(tmp_path / "hr.xlsx")
    extract = import_extract(alice, study, AFTER, ExtractFile(tmp_path / "hr.xlsx"))
    assert kept(extract) == {person("N1").pk: {"days_off": 3.0}, person("N2").pk: {"days_off": 4.0}}


def test_a_text_file_of_windows_with_semicolons_and_an_accent(study, alice, file, person):
    text = "Staff reference;Surname;Days off\nN1;Ørsted;2\nN2;Zoë;\n"
    extract = import_extract(alice, study, AFTER, file(text=text, encoding="cp1252"))
    assert kept(extract) == {person("N1").pk: {"days_off": 2.0}, person("N2").pk: {"days_off": None}}


def test_spells_are_summed_and_whoever_has_none_has_no_days(study_with, alice, file):
    study = study_with(sources=SPELLS)
    text = (
        "Absence report\nStaff reference,First day of absence,Last day of absence\n"
        "N1,26/02/2021,03/03/2021\nN1,14/05/2021,\nN2,01/12/2020,04/12/2020\nX9,01/04/2021,02/04/2021\n"
    )
    extract = import_extract(alice, study, AFTER, file(text=text))
    values = sorted(values["days_off"] for values in kept(extract).values())
    assert values == [0, 0, 0, 0, 0, 9]  # N1: 2 and 3 March, and 14 to 24 May but for the weekends
    told_of = {name: extract.counts[name] for name in ("linked", "none", "unmatched", "outside", "absent")}
    assert told_of == {"linked": 2, "none": 4, "unmatched": 1, "outside": 1, "absent": 0}


def test_spells_of_one_person_that_share_a_day_are_a_problem_of_their_line(study_with, alice, file):
    study = study_with(sources=SPELLS)
    text = (
        "Staff reference,First day of absence,Last day of absence\nN1,01/04/2021,09/04/2021\n"
        "N2,01/04/2021,09/04/2021\nN1,09/04/2021,12/04/2021\n"
    )
    with pytest.raises(InputError) as refused:
        import_extract(alice, study, AFTER, file(text=text))
    assert told(refused)[1:] == [
        "absence.csv:4: first_day: shares a day with another spell of the same person; keep each day once"
    ]


def test_spells_that_come_to_more_days_than_the_outcome_can_be_are_a_problem(study_with, alice, file):
    study = study_with(sources=SPELLS, high=5)
    text = (
        "Staff reference,First day of absence,Last day of absence\nN1,01/04/2021,02/04/2021\n"
        "N1,12/04/2021,16/04/2021\nN2,12/04/2021,16/04/2021\n"
    )
    with pytest.raises(InputError) as refused:
        import_extract(alice, study, AFTER, file(text=text))
    assert told(refused)[1:] == [
        "absence.csv:2: first_day: the spells of this person come to 7 days; the outcome ends at 5"
    ]


def test_rows_that_are_spells_are_told_where_a_row_a_person_is_declared(study, alice, file):
    assert "spells" not in SOURCES
    text = "Staff reference,Days off\nN1,1\nN1,2\n"
    with pytest.raises(InputError, match="keep one of them"):
        import_extract(alice, study, AFTER, file(text=text))
