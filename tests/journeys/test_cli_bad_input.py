"""Bad input gets an error with its place and remedy, exit code 2, and nothing is written: end to end."""

import csv
import io
import subprocess
import sys
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from equipoise.cli import main

EQUIPOISE = Path(sys.executable).with_name("equipoise")
SEED = "5" * 64


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


def equipoise(folder, *words):
    """The entry point inside this process: the same road as the installed command, without its start-up."""
    out, err = io.StringIO(), io.StringIO()
    with chdir(folder), redirect_stdout(out), redirect_stderr(err):
        try:
            code = main([str(word) for word in words])
        except SystemExit as stop:
            code = stop.code or 0
    return Done(code, out.getvalue(), err.getvalue())


@pytest.fixture
def place(tmp_path):
    """A study, a roster and data that are in order."""
    done = equipoise(tmp_path, "new", "breaks", "--kind", "trial")
    assert done.returncode == 0, done.stderr
    edit(tmp_path / "breaks" / "protocol.yaml", "# synthetic: true  ", "synthetic: true  ")
    people = [
        (f"S{n:03}", "north" if n <= 20 else "south", ("control", "messages")[n % 2]) for n in range(1, 41)
    ]
    write(
        tmp_path / "roster.csv",
        [("staff_ref", "email", "team"), *((p, f"{p}@example.org", t) for p, t, _ in people)],
    )
    heading = ("staff_ref", "team", "arm", "wellbeing_before", "wellbeing", "days_sick")
    rows = [(p, t, a, 20 + i % 5, 21 + i % 7, i % 4) for i, (p, t, a) in enumerate(people)]
    write(tmp_path / "data.csv", [heading, *rows])
    return tmp_path


def write(path, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def edit(path, before, after):
    text = path.read_text("utf-8")
    assert before in text, f"{before} is not in {path}"
    path.write_text(text.replace(before, after, 1), "utf-8")


def refused(place, said, *words):
    """The command ends with 2, says all of this, and leaves the folder as it was."""
    before = sorted(place.rglob("*"))
    done = equipoise(place, *words)
    assert (done.returncode, done.stdout) == (2, ""), done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    for part in said:
        assert part in done.stderr, done.stderr
    assert sorted(place.rglob("*")) == before


def test_what_is_in_order_goes_through(place):
    assert equipoise(place, "check", "breaks").returncode == 0
    done = equipoise(place, "analyse", "breaks", "--data", "data.csv", "--out", "found")
    assert done.returncode == 0, done.stderr
    done = equipoise(
        place, "allocate", "breaks", "--roster", "roster.csv", "--out", "arms.csv", "--seed", SEED
    )
    assert done.returncode == 0, done.stderr


BOMB = "narrative-bomb: &a [&b [*b]]\nstudy:"
PROTOCOLS = {
    "an unknown key": (
        "  title:", "  titel:",
        ("breaks/protocol.yaml:7: study", '"titel" is not known', "title")),
    "a wrong type": ("expected: 400", "expected: many", ("participants.expected", "whole number", '"many"')),
    "an anchor": ("study:", BOMB, ("anchors and aliases", "write the text out")),
    "a key that stands twice": ("  kind: trial", "  kind: trial\n  kind: pilot", ("stands twice", "line 8", "keep one")),
    "a file that is missing": ("messages/weekly.md", "messages/weekl.md", ("messages/weekl.md", "messages/weekly.md")),
    "an outcome nobody measures": ("question: wellbeing.sick_days", "question: wellbeing.sick", ("days_sick", "sick_days")),
    "a contrast of unknown arms": ("messages - control", "mesages - control", ("analyses.effect.contrast", "messages")),
    "adjustment by what was measured after": ("adjust: [before,", "adjust: [after,", ("analyses.effect.adjust", "after")),
    "one arm only": (
        "  messages: {label: Weekly message, description: One message a week for eight weeks.}\n", "", ("arms",),
    ),
    "a wave that closes before it opens": ("closes: launch + 12 weeks", "closes: launch + 1 week", ("waves.after",)),
}  # fmt: skip


@pytest.mark.parametrize("case", PROTOCOLS)
def test_a_protocol_with_a_fault_is_refused_by_every_command_that_reads_it(place, case):
    before, after, said = PROTOCOLS[case]
    edit(place / "breaks" / "protocol.yaml", before, after)
    refused(place, ("breaks/protocol.yaml:", *said), "check", "breaks")
    refused(place, said, "lock", "breaks")
    refused(place, said, "analyse", "breaks", "--data", "data.csv", "--out", "found")


def test_the_installed_command_ends_the_same_way(place):
    edit(place / "breaks" / "protocol.yaml", "  title:", "  titel:")
    done = subprocess.run(
        [EQUIPOISE, "check", "breaks"], cwd=place, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "breaks/protocol.yaml:7: study.titel" in done.stderr


def test_all_faults_of_a_folder_are_told_at_once(place):
    edit(place / "breaks" / "protocol.yaml", "margin: 0.78", "margin: much")
    edit(place / "breaks" / "surveys" / "wellbeing.yaml", "type: number", "type: numbr")
    (place / "breaks" / "wording" / "swemwbs.yaml").write_bytes(b"\xff\xfe")
    said = ("breaks/protocol.yaml:", "breaks/surveys/wellbeing.yaml:", 'Did you mean "number"?', "UTF-8")
    refused(place, said, "check", "breaks")


def test_a_study_that_is_not_there_is_told_with_how_to_make_one(place):
    refused(place, ("nowhere", "equipoise new"), "check", "nowhere")
    refused(place, ("nowhere", "equipoise new"), "lock", "nowhere")


DATA = {
    "a missing arm": (",messages,", ",control,", -1, ("data.csv", "nobody is in messages")),
    "a surplus arm": (",control,", ",contrl,", 1, ("data.csv:3", "arm", "control")),
    "text in a number column": ("S003,north,messages,22,", "S003,north,messages,fine,", 1, ("data.csv:4", "wellbeing_before")),
    "an infinite value": ("S003,north,messages,22,", "S003,north,messages,inf,", 1, ("data.csv:4", "wellbeing_before")),
    "a value out of range": ("S003,north,messages,22,", "S003,north,messages,99,", 1, ("data.csv:4", "35")),
    "an identifier twice": ("S004,", "S003,", 1, ("data.csv:5", "line 4")),
    "a level that is not declared": ("S003,north", "S003,nort", 1, ("data.csv:4", "team", "north")),
    "no identifier": ("staff_ref,", "ref,", 1, ("data.csv:1", "staff_ref", "missing")),
    "no arm": (",arm,", ",group,", 1, ("data.csv", "arm", "missing")),
}  # fmt: skip


@pytest.mark.parametrize("case", DATA)
def test_data_with_a_fault_are_refused(place, case):
    before, after, times, said = DATA[case]
    text = (place / "data.csv").read_text("utf-8")
    assert before in text
    (place / "data.csv").write_text(text.replace(before, after, times), "utf-8")
    refused(place, said, "analyse", "breaks", "--data", "data.csv", "--out", "found")


def test_data_that_are_not_there_or_empty_are_refused(place):
    refused(place, ("nowhere.csv",), "analyse", "breaks", "--data", "nowhere.csv", "--out", "found")
    (place / "data.csv").write_text("")
    refused(place, ("data.csv",), "analyse", "breaks", "--data", "data.csv", "--out", "found")


def test_a_stratum_with_a_single_arm_gives_no_effect_without_saying_so(place):
    """Its people say nothing about the difference: either refused, or told with the result."""
    text = (place / "data.csv").read_text("utf-8")
    (place / "data.csv").write_text(text.replace(",south,messages,", ",south,control,"), "utf-8")
    done = equipoise(place, "analyse", "breaks", "--data", "data.csv", "--out", "found")
    assert "Traceback" not in done.stderr
    told = done.stderr if done.returncode == 2 else (place / "found" / "findings.json").read_text("utf-8")
    assert "south" in told


ROSTERS = {
    "nobody": ("staff_ref,email,team\n", ("roster.csv",)),
    "nothing at all": ("", ("roster.csv",)),
    "an identifier twice": (
        "staff_ref,email,team\nA,a@example.org,north\nA,b@example.org,south\n", ("roster.csv:2", "same identifier", "keep one"),
    ),
    "a missing column": ("staff_ref,email\nA,a@example.org\n", ("roster.csv", "team")),
    "an unknown level": ("staff_ref,email,team\nA,a@example.org,nort\n", ("roster.csv:2", "north")),
    "an empty stratum": (
        "staff_ref,email,team\nA,a@example.org,north\nB,b@example.org,north\n", ('team = "south"', "stratum is empty"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ROSTERS)
def test_a_roster_with_a_fault_is_not_allocated(place, case):
    text, said = ROSTERS[case]
    (place / "roster.csv").write_text(text, "utf-8")
    words = ("--roster", "roster.csv", "--out", "arms.csv", "--seed", SEED)
    refused(place, said, "allocate", "breaks", *words)
    if case != "an empty stratum":
        refused(place, said, "import", "roster", "roster.csv", "--study", "breaks", "--out", "in.csv")


def test_a_locked_study_whose_files_changed_names_the_change(place):
    assert equipoise(place, "lock", "breaks").returncode == 0
    edit(place / "breaks" / "protocol.yaml", "margin: 0.78", "margin: 1")
    said = ("breaks/lock.json", "outcomes, wellbeing, margin: was 0.78, now 1", "equipoise amend")
    refused(place, said, "analyse", "breaks", "--data", "data.csv", "--out", "found")
    words = ("--roster", "roster.csv", "--out", "arms.csv", "--seed", SEED)
    refused(place, said, "allocate", "breaks", *words)


def test_an_event_that_nobody_dated_is_not_taken_to_have_come_last(place):
    edit(
        place / "breaks" / "protocol.yaml",
        "left_employer: treatment-policy",
        "left_employer: while-on-treatment",
    )
    assert equipoise(place, "analyse", "breaks", "--data", "data.csv", "--out", "found").returncode == 0
    assert 'add the column \\"left_employer_at\\"' in (place / "found" / "findings.json").read_text()
