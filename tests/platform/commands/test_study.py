"""`equipoise study`: in, amended, launched, paused, resumed and closed from the command line."""

import shutil

import pytest
from django.db import OperationalError

from equipoise.cli import main
from equipoise.platform.registry.models import Study

pytestmark = pytest.mark.django_db


def state(name="swing"):
    return Study.objects.values_list("state", flat=True).get(name=name)


def test_a_study_is_added_launched_paused_resumed_and_closed(run, locked_folder, members):
    added = run("study", "add", locked_folder(), "--programme", "hhp2", "--json")
    assert (added.code, added.said["state"]) == (0, "locked")
    assert any("import the roster" in each for each in added.said["missing"])
    for verb, reason, expected in (
        ("launch", (), "live"),
        ("pause", ("--reason", "An error in the survey"), "paused"),
        ("resume", ("--reason", "Put right"), "live"),
        ("close", ("--reason", "Everybody has answered"), "closed"),
    ):
        done = run("study", verb, "swing", *reason)
        assert done.code == 0
        assert done.out == f"swing is {expected}.\n"
        assert state() == expected


def test_launching_and_resuming_begin_each_at_a_state_of_its_own(run, swing):
    for verb, told in (
        ("launch", "a study that is locked can be launched"),
        ("resume", "is paused can be resumed"),
    ):
        done = run("study", verb, "swing")
        assert done.code == 2
        assert told in done.err
    assert state() == "live"


def test_a_launch_that_is_refused_tells_all_that_is_missing(run, locked_folder, members):
    def blank(folder):
        path = folder / "protocol.yaml"
        lines = path.read_text("utf-8").splitlines(keepends=True)
        gone = ("controller:", "retention:", "complaint:")
        path.write_text("".join(line for line in lines if not line.strip().startswith(gone)), "utf-8")

    run("study", "add", locked_folder("swing", blank))
    done = run("study", "launch", "swing")
    assert done.code == 2
    assert done.err.count("is blank") == 3
    assert state() == "locked"


def test_faults_of_a_folder_are_listed_by_file_and_line(run, locked_folder, members):
    folder = locked_folder()
    path = folder / "protocol.yaml"
    path.write_text(path.read_text("utf-8").replace("waves: [after]", "waves: [affter]"), "utf-8")
    done = run("study", "add", folder)
    assert done.code == 2
    assert "swing/protocol.yaml:" in done.err
    assert 'Did you mean "after"?' in done.err
    assert not Study.objects.exists()


def test_an_amended_folder_is_put_in_force(run, locked_folder, members):
    folder = locked_folder()
    run("study", "add", folder)
    again = run("study", "amend", folder)
    assert again.code == 2
    assert "there is no new amendment" in again.err
    path = folder / "protocol.yaml"
    path.write_text(path.read_text("utf-8").replace("After the texts", "Two months later"), "utf-8")
    with pytest.raises(SystemExit):
        main(["amend", str(folder), "--by", "Alice", "--reason", "Clearer", "--data-seen", "none", "-q"])
    done = run("study", "amend", folder, "--json")
    assert (done.code, done.said["version"]) == (0, 2)


def test_a_study_that_is_not_here_and_a_folder_that_is_no_workspace_are_told(run, members, tmp_path, capsys):
    done = run("study", "pause", "swing", "--reason", "x")
    assert done.code == 2
    assert "is not a study of this workspace" in done.err
    shutil.rmtree(tmp_path / "nothing", ignore_errors=True)
    assert main(["study", "list", str(tmp_path / "nothing")]) == 2
    assert "there is no workspace here" in capsys.readouterr().err


def test_studies_are_listed_with_their_states(run, swing):
    assert "swing" in run("study", "list").out
    assert run("study", "list", "--json").said["studies"][0]["state"] == "live"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("no such table: registry_study", "`equipoise serve WORKSPACE` sets it up"),
        ("the database is busy", "try again"),
    ],
)
def test_a_database_that_is_not_there_or_is_busy_is_told_in_words(run, members, monkeypatch, said, told):
    def fail():
        raise OperationalError(said)

    monkeypatch.setattr("equipoise.platform.registry.queries.studies", fail)
    done = run("study", "list")
    assert done.code == 2
    assert told in done.err
