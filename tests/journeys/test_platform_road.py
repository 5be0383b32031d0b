"""The whole road on the platform: a locked study, its roster, lots, both waves over HTTP, the data, the findings.

Every step is a command or a page, on the real server; only the clock of the rehearsal is moved from outside.
"""

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.platform.durability.crowd import Person
from tests.platform.durability.living import ONE, served

ROOT = Path(__file__).parents[2]
ANSWERING = 24
WHY = ("--reason", "As the protocol says")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A function that runs a command in a folder of its own and gives what it says."""
    folder = tmp_path_factory.mktemp("road")
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}

    def command(*arguments, code=0):
        done = subprocess.run(
            [sys.executable, "-m", "equipoise", *map(str, arguments)],
            capture_output=True, text=True, cwd=folder, env=environment, check=False,
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    command.folder, command.environment = folder, environment
    return command


def clock(run, moment):
    """Move the rehearsal's clock."""
    script = ROOT / "tests" / "browser" / "participants.py"
    arguments = [sys.executable, script, run.folder / "workspace", "clock", moment]
    subprocess.run(arguments, check=True, env=run.environment, capture_output=True)


def answer(run, server, wave):
    """Some people open their links to a wave and answer to the end."""
    run("study", "links", "workspace", "swing", wave, "--out", f"{wave}.csv")
    with (run.folder / f"{wave}.csv").open() as file:
        links = {row["participant"]: row["link"] for row in csv.DictReader(file)}
    for key in sorted(links)[:ANSWERING]:
        Person(server.port, key).answer(links[key].removeprefix("http://localhost:8000"))
    return len(links)


def test_a_study_goes_from_its_lock_to_its_findings_on_the_platform(run):
    shutil.copytree(
        ROOT / "examples" / "hhp2" / "swing",
        run.folder / "swing",
        ignore=shutil.ignore_patterns("amendments", "lock.json"),
    )
    run("lock", "swing", "--secret", "swing.secret")
    with served(run.folder / "workspace", "--rehearsal", "--no-worker", *ONE) as server:
        clock(run, "2021-02-10T12:00")
        assert "is in the workspace" in run("study", "add", "workspace", "swing")
        rosters = [f"swing/rosters/cohort-{year}.csv" for year in (2020, 2021)]
        for roster in rosters:
            run("import", "roster", roster, "--workspace", "workspace", "--study", "swing")
        again = ("import", "roster", rosters[0], "--workspace", "workspace", "--study", "swing")
        assert "this very file was imported" in run(*again, code=2)
        run("study", "launch", "workspace", "swing")
        people = answer(run, server, "before")
        clock(run, "2021-03-01T09:30")
        committed = run("study", "commit", "workspace", "swing", "--secret", "swing.secret")
        assert "is committed" in committed
        assert f"{people:,} allocated in 8 strata" in run("study", "draw", "workspace", "swing")
        assert "was drawn" in run("study", "draw", "workspace", "swing", code=2)
        clock(run, "2021-04-27T12:00")
        answer(run, server, "after")
        clock(run, "2021-05-25T12:00")
        run("study", "close", "workspace", "swing", *WHY)
    assert "sealed: " in run("work", "workspace", "--once")
    masked = run("export", "workspace", "swing", "--out", "masked")
    assert "masked" in masked
    assert "masked" in run("analyse", "swing", "--data", "masked", "--out", "masked-findings")
    sealed = json.loads(run("study", "seal", "workspace", "swing", *WHY, "--json"))["seal"]
    asked = json.loads(run("study", "unmask", "workspace", "swing", *WHY, "--json"))["request"]
    run("export", "workspace", "swing", "--unmasked", "--out", "early", code=2)
    run("study", "approve", "workspace", "swing", asked)
    run("export", "workspace", "swing", "--out", "data")
    run("analyse", "swing", "--data", "data", "--out", "findings")
    findings = json.loads((run.folder / "findings" / "findings.json").read_text("utf-8"))
    assert (findings["sealed"], findings["seal"]) == (True, sealed)
    counts = {each["id"]: each["estimate"] for each in findings["findings"] if each["kind"] == "count"}
    assert counts["flow.randomised"] == people
    assert counts["flow.answered_after"] == ANSWERING
    assert counts["flow.answered_before"] == ANSWERING
    said = run("verify", "workspace")
    assert "swing" in said
