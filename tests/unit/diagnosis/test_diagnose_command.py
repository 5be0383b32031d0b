"""`equipoise diagnose`: the same bytes on any number of processes, nothing lost when it is stopped."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest
import yaml
from distributed import LocalCluster

from equipoise.cli import main
from equipoise.diagnosis.diagnosed import Diagnosed, diagnosis_schema
from equipoise.diagnosis.journal import Journal
from equipoise.diagnosis.planning.trying import Tries
from equipoise.diagnosis.scenario import Scenario
from equipoise.protocol.folder import load_study

TRIALS = 300


@pytest.fixture(scope="module")
def planned(build):
    """A study of 80 people and one question, diagnosed in no time."""

    def change(protocol, survey):
        protocol["participants"]["expected"] = 80
        protocol["outcomes"] = {"days": protocol["outcomes"]["days"] | {"role": "primary"}}
        assume = protocol["diagnosis"]["assume"]
        protocol["diagnosis"] = {
            "assume": {"days": assume["days"] | {"effect": -1.2}, "response": assume["response"]},
            "designs": {"more-people": {"people": 160}},
        }
        survey["pages"] = survey["pages"][1:]

    return build(change).folder


def called(*words):
    """The exit code of a command run in this process."""
    try:
        return main([str(word) for word in words])
    except SystemExit as stop:
        return stop.code or 0


@pytest.fixture
def run(capsys):
    def run_command(*words):
        capsys.readouterr()
        code = called("diagnose", *words)
        out, err = capsys.readouterr()
        return code, out, err

    return run_command


@pytest.fixture(scope="module")
def whole(planned, tmp_path_factory):
    """What one process writes, asked everything."""
    out = tmp_path_factory.mktemp("whole")
    assert called("diagnose", planned, "--simulations", TRIALS, "--out", out, "-q") == 0
    return out


def test_everything_is_asked_and_written_with_its_monte_carlo_error(whole, planned):
    text = (whole / "diagnosis.json").read_text("utf-8")
    found = json.loads(text)
    jsonschema.validate(found, diagnosis_schema())
    assert Diagnosed.from_json(text).to_json() == text
    power = found["performance"]["claims"][0]["power"]
    assert power["mc_error"] == pytest.approx((power["value"] * (1 - power["value"]) / TRIALS) ** 0.5)
    assert found["no_effect"]["claims"][0]["type_s"]["value"] is None, "without an effect no sign is wrong"
    assert {curve["over"] for curve in found["curves"]} == {"effect", "people", "response"}
    assert found["detectable"][0]["value"] > 0
    assert found["advice"]["helps"]
    assert [design["name"] for design in found["comparison"]["designs"]] == ["protocol", "more-people"]
    assert not (whole / ".simulated").exists()
    page = (whole / "diagnosis.html").read_text("utf-8")
    assert page.count("<h1") == 1
    for name in re.findall(r'href="((?:data|figures)/[^"]+)"', page):
        assert (whole / name).is_file(), name
    assert len(list((whole / "figures").glob("power-over-*.svg"))) == 3


def test_any_number_of_processes_gives_the_same_bytes(planned, tmp_path, run):
    alone = brief(run, planned, tmp_path / "alone")
    assert brief(run, planned, tmp_path / "two", "--workers", 2) == alone
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, protocol="tcp", dashboard_address=None
    ) as cluster:
        address = cluster.scheduler_address
        assert brief(run, planned, tmp_path / "dask", "--scheduler", address) == alone


def brief(run, planned, out, *words):
    code, said, err = run(planned, "--simulations", TRIALS, "--brief", "--out", out, *words)
    assert code == 0, err
    assert "days.after.offer - control: power" in said
    return (out / "diagnosis.json").read_bytes()


def test_what_was_simulated_before_the_process_was_killed_is_not_simulated_again(
    whole, planned, tmp_path, run
):
    words = ["diagnose", str(planned), "--simulations", str(TRIALS), "--out", str(tmp_path)]
    process = subprocess.Popen(
        [sys.executable, "-m", "equipoise", *words], env=os.environ | {"OMP_NUM_THREADS": "1"}
    )
    journal = tmp_path / ".simulated"
    deadline = time.monotonic() + 60
    while not (entries := list(journal.glob("*.json"))) and time.monotonic() < deadline:
        assert process.poll() is None, "it was over before it could be killed"
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert entries
    (journal / "half.json").write_text('{"chunks": 3, "su', "ascii")  # as a full disk would leave it
    code, _, err = run(*words[1:])
    assert code == 0
    assert "going on with what an earlier run had simulated" in err
    assert (tmp_path / "diagnosis.json").read_bytes() == (whole / "diagnosis.json").read_bytes()


def test_the_journal_gives_what_it_kept_of_the_same_design_and_seed_alone(planned, tmp_path):
    study = load_study(planned)
    asked = []

    def mapped(chunk, numbers):
        asked.extend(numbers)
        return map(chunk, numbers)

    journal = Journal(tmp_path, lambda: True)
    first = Tries(TRIALS, 1, mapped=mapped, journal=journal)(study, Scenario())
    simulated = len(asked)
    assert simulated > 1
    again = Tries(TRIALS, 1, mapped=mapped, journal=journal)(study, Scenario())
    assert len(asked) == simulated, "nothing is simulated twice"
    assert again.performance == first.performance
    assert (again.rejected == first.rejected).all()
    Tries(TRIALS, 2, mapped=mapped, journal=journal)(study, Scenario())
    Tries(TRIALS, 1, mapped=mapped, journal=journal)(study, Scenario(effect=0.5))
    assert len(asked) == 3 * simulated
    for entry in tmp_path.glob("*.json"):
        entry.write_text(entry.read_text("ascii")[:100], "ascii")
    Tries(TRIALS, 1, mapped=mapped, journal=journal)(study, Scenario())
    assert len(asked) == 4 * simulated, "what was cut off is simulated again"


def test_what_cannot_be_diagnosed_is_said_and_nothing_is_written(planned, tmp_path, run, build):
    bare = build(lambda protocol, survey: protocol.pop("diagnosis"))
    nobody = "tcp://127.0.0.1:9"
    for words, said in (
        ((bare.folder,), "diagnosis.assume"),
        ((planned, "--scheduler", nobody), f"no Dask scheduler answers at {nobody}"),
        ((planned, "--scheduler", nobody, "--workers", 2), "goes without --scheduler"),
        ((tmp_path / "nowhere",), "nowhere"),
    ):
        code, out, err = run(*words, "--simulations", 5, "--out", tmp_path / "out")
        assert (code, out) == (2, ""), words
        assert said in err
        assert "Traceback" not in err
    assert not (tmp_path / "out").exists()


def test_a_pilots_data_give_assumptions_to_paste(planned, tmp_path, run):
    data = tmp_path / "data"
    assert called("simulate", planned, "--seed", 1, "--people", 200, "--out", data, "-q") == 0
    code, said, _ = run(planned, "--assume-from", data)
    assert code == 0
    days = yaml.safe_load(said)["diagnosis"]["assume"]["days"]
    assert days["mean"] == pytest.approx(1.4, abs=0.8)
    assert "effect" not in days


def test_a_report_shows_the_diagnosis_that_lies_with_the_study(planned, whole, tmp_path, capsys):
    lies = Path(planned) / "diagnosis"
    lies.mkdir()
    try:
        (lies / "diagnosis.json").write_bytes((whole / "diagnosis.json").read_bytes())
        assert called("report", planned, "--out", tmp_path, "-q") == 0
        page = (tmp_path / "index.html").read_text("utf-8")
        assert "What this trial could show" in page
        assert "The protocol has changed since" not in page
        (lies / "diagnosis.json").write_text("{}", "utf-8")
        assert called("report", planned, "--out", tmp_path, "-q") == 2
        assert "diagnose" in capsys.readouterr().err
    finally:
        (lies / "diagnosis.json").unlink()
        lies.rmdir()
    assert load_study(planned).protocol.study.id == "small"
