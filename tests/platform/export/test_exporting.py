"""An export as a folder: what is in it, what `analyse` makes of it, and that it holds nobody up."""

import json
import subprocess
import sys
import threading
from datetime import UTC, datetime
from types import SimpleNamespace

import polars as pl
import pyreadstat
import pytest
from django.db import connections

from equipoise.cli.export import export
from equipoise.errors import InputError
from equipoise.findings import analyse, read_data
from equipoise.findings.reading.hashing import data_hash
from equipoise.platform.audit.models import Entry
from equipoise.platform.database import snapshot
from equipoise.platform.fieldwork.models import Session
from equipoise.platform.people.models import Participant
from equipoise.platform.permissions import NotAllowedError
from equipoise.platform.registry.queries import folder_of
from equipoise.platform.review import exporting
from equipoise.platform.review.exporting import export_study
from equipoise.platform.review.frame import participants_frame
from equipoise.platform.workspace import create_workspace

# A snapshot is a transaction of its own.
pytestmark = pytest.mark.django_db(transaction=True)
STANDING = {"confirmatory", "warnings"}  # collected data have to be sealed, simulated ones cannot be
EVERYTHING = ("parquet", "csv", "spreadsheet", "spss", "stata")


def test_analyse_reads_an_export_and_finds_the_same_to_the_last_digit(unmasked, alice, tmp_path):
    exported = export_study(alice, unmasked.study, tmp_path / "data")
    loaded = folder_of(unmasked.study)
    read = read_data(loaded, exported.folder)
    assert read.source == "collected"
    for wave, expected in unmasked.data.answers.items():
        found = read.answers[wave]
        for name in expected.columns:
            assert found[name].to_list() == expected.sort("staff_ref")[name].to_list()
    effects, planned = (
        {
            each.id: each.model_dump(exclude=STANDING)
            for each in analyse(loaded, data)
            if each.kind == "effect"
        }
        for data in (read, unmasked.data)
    )
    assert len(planned) > 5
    assert effects == planned


def test_csv_and_parquet_are_the_same_data(unmasked, alice, tmp_path):
    exported = export_study(alice, unmasked.study, tmp_path / "data")
    loaded = folder_of(unmasked.study)
    parquet, text = (read_data(loaded, exported.folder / part) for part in (".", "csv"))
    assert data_hash(parquet) == data_hash(text)
    assert text.source == "collected"


def test_masked_data_name_no_arm_anywhere(trial, alice, tmp_path):
    exported = export_study(alice, trial.study, tmp_path / "data", formats=EVERYTHING)
    assert exported.masked
    for path in exported.folder.rglob("*.csv"):
        text = path.read_text("utf-8-sig")
        if "codebook" not in path.name:
            assert "control" not in text
            assert "messages" not in text
    said = json.loads((exported.folder / "dictionary.json").read_text("utf-8"))
    assert (said["masked"], said["seal"], said["looks"]) == (True, None, [])
    package = json.loads((exported.folder / "datapackage.json").read_text("utf-8"))
    people = next(table for table in package["resources"] if table["name"] == "participants")
    assert {each["name"] for each in people["withheld"]} >= {"opted_out", "withdrew", "left_employer"}


def test_answers_after_the_draw_show_what_outcomes_are_made_of_and_no_more(trial, alice, tmp_path):
    exported = export_study(alice, trial.study, tmp_path / "data")
    before, after = (
        pl.read_parquet(exported.folder / f"answers_{wave}.parquet") for wave in ("before", "after")
    )
    hidden = set(before.columns) - set(after.columns)
    assert hidden == {"started_at", "completed_at", "channel", "comment", "comment_why"}
    book = (exported.folder / "codebook.md").read_text("utf-8")
    assert "- `comment` (" in book.partition("## answers_after")[2]
    assert "asked after allocation and no outcome" in book


def test_a_part_of_a_second_makes_no_other_data_of_another_format(unmasked, alice, tmp_path):
    started = datetime(2021, 5, 1, 9, 0, 0, 123456, tzinfo=UTC)
    Session.objects.filter(wave="after").update(started_at=started)
    exported = export_study(alice, unmasked.study, tmp_path / "data")
    loaded = folder_of(unmasked.study)
    parquet, text = (read_data(loaded, exported.folder / part) for part in (".", "csv"))
    assert data_hash(parquet) == data_hash(text)


def test_arms_are_refused_until_the_results_are_unmasked(trial, alice, tmp_path):
    with pytest.raises(InputError, match="the results are masked"):
        export_study(alice, trial.study, tmp_path / "data", masked=False)
    assert not list(tmp_path.glob("*data*"))


def test_only_who_may_export_does(trial, members, tmp_path):
    with pytest.raises(NotAllowedError):
        export_study(members["Bob"], trial.study, tmp_path / "data")


def test_the_record_has_the_hash_of_every_file(trial, alice, tmp_path):
    exported = export_study(alice, trial.study, tmp_path / "data", formats=EVERYTHING)
    said = json.loads(Entry.objects.get(chain_id="swing", verb="data.export").details)
    there = {
        path.relative_to(exported.folder).as_posix() for path in exported.folder.rglob("*") if path.is_file()
    }
    assert set(said["files"]) == there == set(exported.files)
    assert said["files"] == dict(exported.files)
    assert said["masked"] is True


def test_the_numbers_reconcile_in_the_dictionary(trial, alice, tmp_path):
    Participant.objects.filter(key=sorted(trial.people)[0]).update(state="erased")
    exported = export_study(alice, trial.study, tmp_path / "data")
    said = json.loads((exported.folder / "dictionary.json").read_text("utf-8"))["counts"]
    assert said["rows"] == said["enrolled"] + said["withdrawn"] - said["not_randomised"] == 159
    assert said["randomised"]["main"] == said["rows"] + said["erased"]


def test_spss_and_stata_files_have_labels(trial, alice, tmp_path):
    folder = export_study(alice, trial.study, tmp_path / "data", formats=("spss", "stata")).folder
    for path in (folder / "spss" / "answers_after.sav", folder / "stata" / "answers_after.dta"):
        read = pyreadstat.read_sav if path.suffix == ".sav" else pyreadstat.read_dta
        frame, said = read(str(path), output_format="polars")
        assert frame.height == trial.data.answers["after"].height
        assert any("days off" in label.lower() or "working days" in label for label in said.column_labels)
        assert path.with_suffix(".changes.csv").is_file()
    assert (folder / "participants.parquet").is_file()


def test_a_text_that_looks_like_a_formula_is_safe_in_spreadsheets_and_raw_for_analysis(
    unmasked, alice, tmp_path
):
    session = unmasked.session(unmasked.unanswered("after")[0], "after")
    unmasked.send(session, "close", {"comment": '=HYPERLINK("https://example.org")'})
    folder = export_study(alice, unmasked.study, tmp_path / "data", formats=EVERYTHING).folder
    opened = (folder / "spreadsheet" / "answers_after.csv").read_text("utf-8-sig")
    assert "'=HYPERLINK" in opened
    raw = pl.read_parquet(folder / "answers_after.parquet")["comment"].drop_nulls().to_list()
    assert raw == ['=HYPERLINK("https://example.org")']


def test_an_unknown_format_or_a_folder_that_is_there_is_refused(trial, alice, tmp_path):
    with pytest.raises(InputError, match='Did you mean "parquet"'):
        export_study(alice, trial.study, tmp_path / "data", formats=("parket",))
    (tmp_path / "data").mkdir()
    with pytest.raises(InputError, match="is there already"):
        export_study(alice, trial.study, tmp_path / "data")
    assert not Entry.objects.filter(verb="data.export").exists()


def test_an_export_that_fails_half_way_leaves_nothing(trial, alice, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exporting, "codebook_csv", full)
    with pytest.raises(InputError, match="cannot be written: No space left on device"):
        export_study(alice, trial.study, tmp_path / "data")
    assert list(tmp_path.iterdir()) == [tmp_path / "folders"]


def test_a_study_without_people_has_nothing_to_export(swing, alice, tmp_path):
    with pytest.raises(InputError, match="nobody is enrolled"):
        export_study(alice, swing, tmp_path / "data")


def test_nobody_who_answers_waits_for_a_snapshot_nor_changes_what_it_sees(trial):
    held, stored = threading.Event(), threading.Event()
    seen = []

    def read():
        with snapshot():
            seen.append(participants_frame(trial.study, masked=True).height)
            held.set()
            assert stored.wait(20)
            seen.append(participants_frame(trial.study, masked=True).height)
            seen.append(Participant.objects.filter(study=trial.study, state="withdrawn").count())
        connections.close_all()

    reader = threading.Thread(target=read)
    reader.start()
    assert held.wait(20)
    Participant.objects.filter(key=sorted(trial.people)[0]).update(state="withdrawn")
    stored.set()
    reader.join()
    assert seen == [160, 160, 0]
    assert Participant.objects.filter(study=trial.study, state="withdrawn").count() == 1


def test_the_command_exports_and_says_what_it_wrote(trial, tmp_path, capsys, monkeypatch, settings):
    from equipoise.platform import workspace

    monkeypatch.setattr(workspace, "activate", lambda opened: SimpleNamespace())
    export(settings.WORKSPACE.folder, "swing", out=tmp_path / "data", formats="csv", masked=None)
    told = capsys.readouterr()
    assert "swing: 160 participants in" in told.out
    assert "the arms are masked" in told.err
    assert (tmp_path / "data" / "participants.csv").is_file()


def test_a_workspace_that_was_never_set_up_is_told_so(tmp_path):
    create_workspace(tmp_path / "new", mode="rehearsal")
    command = [sys.executable, "-m", "equipoise", "export", tmp_path / "new", "swing"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert "`equipoise serve WORKSPACE` sets it up" in done.stderr
    assert "Traceback" not in done.stderr
