"""`new`, `check` and what they say."""

import json
import shutil
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[3] / "examples" / "hhp2"
KINDS = ("trial", "survey-experiment", "pilot", "interviews")
STUDIES = sorted(path.parent for path in EXAMPLES.glob("*/protocol.yaml"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_study_of_every_kind_passes_check_and_says_where_to_look_next(run, tmp_path, kind):
    folder = tmp_path / "My first Study"
    assert run("new", folder, "--kind", kind).code == 0
    done = run("check", folder)
    assert done.code == 0
    assert done.out.startswith("my-first-study: no problems (")
    assert "Next: equipoise lock" in done.out


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_study_spelled_out_has_the_same_hash(run, tmp_path, kind):
    run("new", tmp_path / "it", "--kind", kind)
    assert_same_when_spelled_out(run, tmp_path / "it")


@pytest.mark.parametrize("study", STUDIES, ids=lambda path: path.name)
def test_an_example_spelled_out_has_the_same_hash(run, tmp_path, study):
    folder = tmp_path / study.name
    shutil.copytree(study, folder)
    assert_same_when_spelled_out(run, folder)


def assert_same_when_spelled_out(run, folder):
    before = json.loads(run("check", folder, "--json").out)["studies"][0]["hash"]
    (folder / "protocol.yaml").write_text(run("check", folder, "--explain").out, "utf-8")
    assert json.loads(run("check", folder, "--json").out)["studies"][0]["hash"] == before


def test_a_folder_that_holds_something_is_not_written_to(run, tmp_path):
    (tmp_path / "mine.txt").write_text("")
    done = run("new", tmp_path, "--kind", "trial")
    assert (done.code, [path.name for path in tmp_path.iterdir()]) == (2, ["mine.txt"])


def test_an_unknown_kind_gets_the_nearest(run, tmp_path):
    done = run("new", tmp_path / "x", "--kind", "trail")
    assert done.code == 2
    assert 'Did you mean "trial"?' in done.err
    assert not (tmp_path / "x").exists()


def test_a_programme_is_checked_with_all_its_studies(run):
    found = json.loads(run("check", EXAMPLES, "--json").out)["studies"]
    assert len(found) == 6
    assert all(each["ok"] for each in found)


def test_a_programme_tells_the_problems_of_every_study_and_of_itself(run, tmp_path):
    for name in ("one", "two"):
        run("new", tmp_path / name, "--kind", "interviews")
        text = (tmp_path / name / "protocol.yaml").read_text("utf-8")
        (tmp_path / name / "protocol.yaml").write_text(text.replace("people: 12", "people: many"), "utf-8")
    (tmp_path / "programme.yaml").write_text(
        "equipoise: 1\nprogramme: {id: both, title: Both, question: What helps?, period: one year}\n"
        "studies: [one, two, three, ../outside]\n"
    )
    done = run("check", tmp_path)
    assert done.code == 2
    for place in (
        "one/protocol.yaml:",
        "two/protocol.yaml:",
        'in the folder "three"',
        "outside the programme",
    ):
        assert place in done.err


def test_the_words_of_the_report_are_checked_on_request(run, trial):
    (trial / "narrative" / "what-we-found.md").write_text(
        "The effect was 4.2 points. See [here](#).\n", "utf-8"
    )
    assert run("check", trial).code == 0
    done = run("check", trial, "--report")
    assert done.code == 1
    assert '"4.2" is typed in' in done.out
    assert "this link leads nowhere" in done.out
