"""The same by the command line: rosters into a workspace, and keys rotated."""

import json
import os

import pytest
from django.conf import settings

from equipoise.cli import main
from equipoise.platform.audit.models import Entry
from equipoise.platform.people.actions import under_older_keys
from equipoise.platform.people.contacts import contact_of
from equipoise.platform.people.models import Participant, RosterImport

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(capsys, monkeypatch):
    """A function that runs a command in the workspace of the tests: its code and what it said."""
    # A process opens one workspace; setting up again would point the logs at this test's own output.
    monkeypatch.setattr("equipoise.platform.workspace.activate", lambda workspace: None)

    def command(*words):
        try:
            code = main([*map(str, words)])
        except SystemExit as ended:
            code = ended.code
        said = capsys.readouterr()
        return code, said.out + said.err

    return command


@pytest.fixture
def importing(run):
    """A function that imports into `swing`."""
    place = os.environ["EQUIPOISE_WORKSPACE"]
    return lambda *words: run("import", "roster", "--study", "swing", "--workspace", place, *words)


def test_a_roster_is_enrolled_by_command(swing, importing, roster, line):
    code, said = importing(roster(line(1), line(2, started="2021-06-01")))
    assert code == 0, said
    assert "cohort-2020.csv: 1 enrolled, 1 not eligible." in said
    assert Participant.objects.filter(study=swing).count() == 1
    assert Entry.objects.get(verb="people.import").actor == "command-line"


def test_a_look_stores_nothing_and_says_what_is_wrong(swing, importing, roster, line):
    code, said = importing(roster(line(1), line(2, region="Narnia")), "--look")
    assert code == 0
    assert "would be: 1 enrolled, 1 refused" in said
    assert "cohort-2020.csv:3: region: “Narnia” is no level" in said
    assert not RosterImport.objects.exists()


def test_while_one_file_has_a_problem_none_is_stored(swing, importing, roster, line):
    good, bad = roster(line(1)), roster(line(2, region="Narnia"), name="cohort-2021.csv")
    code, said = importing(good, bad)
    assert code == 2
    assert "cohort-2021.csv:2: region" in said
    assert not Participant.objects.exists()


def test_an_update_says_by_line_what_changes_under_which_code(swing, people, importing, roster, line):
    path = roster(line(3, email="zanzibar@example.org"), line(4, region="south"))
    code, said = importing(path, "--update", "--look")
    assert f"cohort-2020.csv:2: {people[3].key}: email changed" in said
    assert "zanzibar" not in said
    code, said = importing(path, "--update", "--json")
    assert code == 0
    told = json.loads(said)
    assert told["files"][0]["counts"]["contact"] == 1
    assert told["stored"] is True
    assert contact_of(people[3])["email"] == "zanzibar@example.org"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--whole"], "--whole: goes with --update"),
        (["--out", "x.csv"], "--out: goes without --workspace"),
        (["--partner", "training"], '"training" is not a partner. Partners: training-provider'),
    ],
)
def test_options_that_do_not_fit_are_told(swing, importing, roster, line, words, told):
    code, said = importing(roster(line(1)), *words)
    assert code == 2
    assert told in said


def test_an_unknown_study_and_no_workspace_are_told(swing, run, roster, line, tmp_path):
    place = os.environ["EQUIPOISE_WORKSPACE"]
    code, said = run("import", "roster", roster(line(1)), "--study", "swng", "--workspace", place)
    assert code == 2
    assert 'Did you mean "swing"' in said
    code, said = run(
        "import", "roster", roster(line(1)), "--study", "swing", "--update", "--out", tmp_path / "x.csv"
    )
    assert "--workspace: is missing; --partner, --update, --whole and --look are for people" in said
    code, said = run("import", "roster", roster(line(1)), "--study", "swing")
    assert "--out: is missing; say where to write the eligible people" in said


def test_keys_are_rotated_by_command_and_the_older_one_is_named(people, run):
    place = os.environ["EQUIPOISE_WORKSPACE"]
    try:
        code, said = run("keys", "rotate", place)
        assert code == 0, said
        assert "contacts-2 is in use; 10 were wrapped anew." in said
        assert "Keep contacts-1 for as long as you keep backups" in said
        assert under_older_keys() == 0
        assert contact_of(people[0])
        code, said = run("keys", "list", place)
        assert said.split() == ["contacts-1", "contacts-2", "(in", "use)"]
        assert "contacts-1.key" not in said
    finally:
        (settings.WORKSPACE.folder / "keys" / "contacts-2.key").unlink()


def test_a_rotation_that_was_cut_off_makes_no_further_key(people, run):
    place = os.environ["EQUIPOISE_WORKSPACE"]
    name = settings.WORKSPACE.add_contact_key()
    try:
        assert "contacts-2 is in use; 10 were wrapped anew." in run("keys", "rotate", place)[1]
        assert list(settings.WORKSPACE.contact_keys()) == ["contacts-1", name]
    finally:
        (settings.WORKSPACE.folder / "keys" / f"{name}.key").unlink()
