"""Extracts in the data: columns by the protocol's outcomes, which file counts, why a value is missing, and what
goes with an erasure."""

import csv
import re
from dataclasses import replace

import polars as pl
import pyreadstat
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.platform.extracts.conftest import AFTER, BEFORE, SPELLS

from equipoise.findings import read_data
from equipoise.findings.reading.scores import scored
from equipoise.platform.extracts.actions import import_extract
from equipoise.platform.extracts.frames import outcomes_frame
from equipoise.platform.extracts.models import Extract, ExtractValue
from equipoise.platform.fieldwork.actions import leave_study
from equipoise.platform.people.actions import record_consents
from equipoise.platform.people.models import Participant
from equipoise.platform.people.queries import person_record
from equipoise.platform.registry.queries import folder_of
from equipoise.platform.review.exporting import export_study
from equipoise.platform.review.frame import participants_frame

pytestmark = pytest.mark.django_db
SAID = {"version": "w", "notice": "n", "language": "en-GB", "channel": "web", "actor": "participant:x"}


@pytest.fixture
def cells(study, person):
    """A function that says what the frame has of somebody: the value and the reason for a missing one."""

    def of(ref, column="absence"):
        frame = participants_frame(study, masked=True)
        row = frame.row(by_predicate=pl.col("staff_ref") == person(ref).key, named=True)
        return row[column], row[f"{column}_why"]

    return of


def test_without_a_file_the_frame_has_no_column_of_it(study):
    assert not [name for name in participants_frame(study, masked=False).columns if "absence" in name]


def test_the_outcome_has_a_column_for_its_wave_and_one_for_the_window_before(study, alice, file, cells):
    import_extract(alice, study, AFTER, file(("N1", 3), ("N2", "")))
    import_extract(alice, study, BEFORE, file(("N1", 1)))
    assert cells("N1") == (3.0, None)
    assert cells("N1", "absence_before") == (1.0, None)
    assert cells("N2") == (None, "empty")
    assert cells("E1") == (None, "not_in_file")


def test_the_newest_file_that_covers_somebody_counts(study, alice, file, cells):
    import_extract(alice, study, AFTER, file(("N1", 1), ("N2", 2), ("E1", 3)))
    northmoor = replace(AFTER, partner="northmoor")
    import_extract(alice, study, northmoor, file(("N1", 10)))
    assert [cells(ref) for ref in ("N1", "N2", "E1")] == [(10, None), (None, "not_in_file"), (3, None)]
    import_extract(alice, study, northmoor, file(("N2", 20)), reason="The first was cut short")
    assert [cells(ref) for ref in ("N1", "N2", "E1")] == [(None, "not_in_file"), (20, None), (3, None)]
    import_extract(alice, study, AFTER, file(("N1", 5)), reason="All of them again")
    assert [cells(ref) for ref in ("N1", "N2", "E1")] == [
        (5, None),
        (None, "not_in_file"),
        (None, "not_in_file"),
    ]


def test_where_no_file_of_a_partner_has_come_that_is_the_reason(study, alice, file, cells, person):
    import_extract(alice, study, replace(AFTER, partner="northmoor"), file(("N1", 1), ("N2", 2)))
    assert cells("E1") == (None, "no_extract")
    moved = person("N2")
    moved.partner = person("E1").partner
    moved.save()
    assert cells("N2") == (2, None)  # what was said of somebody goes with them


def test_whoever_says_no_afterwards_has_no_value_any_more(study, alice, file, cells, person):
    import_extract(alice, study, AFTER, file(("N1", 3), ("N2", 4)))
    record_consents(person("N1"), {"linkage": False}, **SAID)
    assert (cells("N1"), cells("N2")) == ((None, "not_linked"), (4, None))


def test_whoever_leaves_keeps_what_was_said_until_then_and_an_erasure_takes_it_away(
    study, alice, file, cells, person
):
    import_extract(alice, study, AFTER, file(("N1", 3), ("N2", 4), ("N3", 5)))
    leave_study(person("N1"), "everything", channel="web", actor="participant:x")
    leave_study(person("N2"), "erase", channel="web", actor="participant:x")
    assert cells("N1") == (3, None)
    assert ExtractValue.objects.filter(participant=person("N2")).count() == 0
    assert participants_frame(study, masked=True).height == 5


def test_everything_held_of_somebody_says_what_each_file_said(study, alice, file, person):
    import_extract(alice, study, AFTER, file(("N1", 3), ("N2", 4)))
    import_extract(alice, study, AFTER, file(("N1", 6), ("N2", 4)), reason="Late certificates")
    sections = [one for one in person_record(person("N1")) if "Sickness absence" in one.heading]
    assert [dict(one.rows)["Days of sickness absence"] for one in sections] == [3.0, 6.0]
    assert dict(sections[0].rows)["Days"] == "2021-03-02 to 2021-05-24"
    assert not [one for one in person_record(person("E1")) if "Sickness absence" in one.heading]


@pytest.mark.django_db(transaction=True)
def test_an_export_names_the_file_in_its_codebook_and_an_analysis_reads_it(study, alice, file, tmp_path):
    for scope, days in ((AFTER, 3), (BEFORE, 1)):
        import_extract(alice, study, scope, file(("N1", days), ("E1", 0)))
    export_study(alice, study, tmp_path / "data", formats=["csv", "spss", "stata"])
    hashes = set(Extract.objects.values_list("file_hash", flat=True))
    with (tmp_path / "data" / "codebook.csv").open(encoding="utf-8-sig", newline="") as opened:
        described = {row["name"]: row for row in csv.DictReader(opened) if row["table"] == "participants"}
    for column in ("absence", "absence_before"):
        assert (
            set(re.findall(r"file (\w{64}), imported on 2021-06-01", described[column]["source"])) <= hashes
        )
        assert (
            "Sickness absence, from the councils' HR systems, column days_off: file"
            in described[column]["source"]
        )
    assert "not_linked" in described["absence_why"]["values"]
    _, labelled = pyreadstat.read_sav(tmp_path / "data" / "spss" / "participants.sav")
    assert "Is not in the file of their partner" in labelled.variable_value_labels["absence"].values()
    folder = folder_of(study)
    (tmp_path / "data" / "dictionary.json").unlink()  # it says that the arms are masked
    people = pl.read_csv(tmp_path / "data" / "participants.csv", infer_schema=False)
    drawn = people.with_columns(pl.Series("arm", ["control", "video"] * 3))
    drawn.write_csv(tmp_path / "data" / "participants.csv")
    data = scored(folder, read_data(folder, tmp_path / "data"))
    assert sorted(data.numbers("absence"), key=str)[:2] == [0.0, 3.0]


def test_spells_give_whole_days_and_nought_for_whoever_has_none(study_with, alice, file):
    study = study_with(sources=SPELLS)
    text = "Staff reference,First day of absence,Last day of absence\nN1,05/04/2021,11/04/2021\n"
    import_extract(alice, study, AFTER, file(text=text))
    assert sorted(participants_frame(study, masked=False)["absence"].to_list()) == [0, 0, 0, 0, 0, 5]


def test_more_people_and_more_files_ask_no_more_of_the_database(study, alice, file):
    def asked():
        with CaptureQueriesContext(connection) as found:
            outcomes_frame(study, Participant.objects.filter(study=study))
        return len(found)

    import_extract(alice, study, AFTER, file(("N1", 3)))
    one = asked()
    import_extract(alice, study, AFTER, file(("N1", 3), ("N2", 4), ("N3", 4)), reason="More")
    import_extract(alice, study, replace(AFTER, partner="northmoor"), file(("N1", 3)))
    assert asked() == one
