"""The same by the command line."""

import json
import os

import pytest

from equipoise.cli import main
from equipoise.platform.extracts.models import Extract

pytestmark = pytest.mark.django_db
TEXT = "Staff reference,Days off\nN1,3\nX9,7\n"


@pytest.fixture
def run(capsys, monkeypatch):
    """A function that imports a file as the extract of absence after the launch: the code and what was said."""
    # A process opens one workspace; setting up again would point the logs at this test's own output.
    monkeypatch.setattr("equipoise.platform.workspace.activate", lambda workspace: None)
    common = ("--study", "thanks", "--workspace", os.environ["EQUIPOISE_WORKSPACE"])

    def command(file, *words):
        try:
            code = main(["import", "data", str(file.path), *common, *words])
        except SystemExit as ended:
            code = ended.code
        said = capsys.readouterr()
        return code, said.out + said.err

    return command


def test_a_look_says_which_lines_are_not_in_the_study_and_keeps_nothing(study, run, file):
    code, said = run(file(text=TEXT), "--window", "after", "--look")
    assert (code, Extract.objects.count()) == (0, 0)
    assert "absence.csv: would be: 1 linked, 1 not in the study, 5 participants not in the file." in said
    assert "  absence.csv:3: not in the study" in said
    assert "X9" not in said


def test_a_file_is_kept_and_a_later_one_needs_a_reason(study, run, file):
    code, said = run(file(text=TEXT), "--window", "after", "--json")
    assert (code, json.loads(said)["version"]) == (0, 1)
    later = file(text=TEXT.replace("3", "4"))
    assert "reason: say why this file takes the place" in run(later, "--window", "after")[1]
    code, said = run(later, "--window", "after", "--reason", "Late certificates")
    assert (code, "version 2." in said) == (0, True)


def test_which_window_has_to_be_said_where_there_are_several(study, run, file):
    code, said = run(file(text=TEXT))
    assert (code, "--window: say which: before, after" in said) == (2, True)


def test_a_mapping_and_the_line_of_names_can_be_given(study, run, file, tmp_path):
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text("columns: {staff_ref: P, days_off: D}\n", "utf-8")
    sent = file(text="P,D\nP,D\nN1,3\n")
    code, said = run(sent, "--window", "after", "--mapping", str(mapping), "--header", "2")
    assert (code, "1 linked" in said) == (0, True), said


def test_problems_are_told_by_line_with_the_exit_code_of_bad_input(study, run, file):
    code, said = run(file(text="Staff reference,Days off\nN1,some\n"), "--window", "after")
    assert code == 2
    assert "absence.csv:2: days_off: is text" in said
