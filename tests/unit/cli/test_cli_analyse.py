"""`analyse` and `report`."""

import csv
import json

import pytest

from equipoise.findings import Findings


@pytest.fixture
def data(run, trial, tmp_path):
    done = run("simulate", trial, "--out", tmp_path / "data", "--seed", 1)
    assert done.code == 0, done.err
    return tmp_path / "data"


def test_an_unlocked_study_is_analysed_and_every_result_labelled_not_planned(run, trial, data, tmp_path):
    done = run("analyse", trial, "--data", data, "--out", tmp_path / "found")
    assert done.code == 0
    assert "every result is labelled not planned" in done.out
    assert "effect.wellbeing" in done.out
    found = Findings.from_json((tmp_path / "found" / "findings.json").read_text("utf-8"))
    effects = found.select(kind="effect")
    assert effects
    assert not any(each.planned or each.confirmatory for each in effects)


def test_the_table_has_a_row_for_each_finding_with_the_same_numbers(run, trial, data, tmp_path):
    run("analyse", trial, "--data", data, "--out", tmp_path / "found", "--quiet")
    found = Findings.from_json((tmp_path / "found" / "findings.json").read_text("utf-8"))
    rows = list(csv.DictReader((tmp_path / "found" / "findings.csv").read_text("utf-8").splitlines()))
    assert [row["id"] for row in rows] == [each.id for each in found]
    for row, each in zip(rows, found, strict=True):
        assert row["estimate"] == ("" if each.estimate is None else str(each.estimate))
        assert row["interval_low"] == (
            str(each.interval.low) if each.interval and each.interval.low is not None else ""
        )


def test_the_same_study_and_data_give_the_same_bytes(run, trial, data, tmp_path):
    for name in ("one", "two"):
        run("analyse", trial, "--data", data, "--out", tmp_path / name)
    assert (tmp_path / "one" / "findings.json").read_bytes() == (
        tmp_path / "two" / "findings.json"
    ).read_bytes()


def test_a_program_gets_the_primary_findings_and_where_the_files_are(run, trial, data, tmp_path):
    told = json.loads(run("analyse", trial, "--data", data, "--out", tmp_path / "found", "--json").out)
    assert told["primary"][0]["outcome"] == "wellbeing"
    assert told["locked"] is None
    assert told["files"]["findings"].endswith("findings.json")


def test_a_report_is_written_from_findings_and_without_them(run, trial, data, tmp_path):
    run("analyse", trial, "--data", data, "--out", tmp_path / "found")
    done = run("report", trial, "--findings", tmp_path / "found", "--out", tmp_path / "report")
    assert (done.code, done.err) == (0, "")
    assert str(tmp_path / "report" / "index.html") in done.out
    assert run("report", trial, "--out", tmp_path / "draft").code == 0
    assert (tmp_path / "draft" / "index.html").is_file()


def test_other_formats_are_not_yet_supported_and_html_is_named(run, trial, tmp_path):
    done = run("report", trial, "--out", tmp_path / "report", "--format", "html,pdf")
    assert done.code == 2
    assert "pdf: not yet supported. This version writes html" in done.err
    assert not (tmp_path / "report").exists()


def test_findings_of_another_study_or_of_another_protocol_are_refused(run, trial, data, tmp_path):
    run("analyse", trial, "--data", data, "--out", tmp_path / "found")
    words = ("--findings", tmp_path / "found", "--out", tmp_path / "report")
    text = (trial / "protocol.yaml").read_text("utf-8")
    for before, after, said in (
        ("id: breaks", "id: pauses", 'findings of "breaks", not of "pauses"'),
        ("margin: 0.78", "margin: 0.79", "analyse it again"),
    ):
        (trial / "protocol.yaml").write_text(text.replace(before, after), "utf-8")
        done = run("report", trial, *words)
        assert done.code == 2
        assert said in done.err
    (trial / "protocol.yaml").write_text(text, "utf-8")
    (tmp_path / "found" / "findings.json").write_text("{}")
    assert run("report", trial, *words).code == 2
    assert run("report", trial, "--findings", tmp_path, "--out", tmp_path / "report").code == 2
    assert not (tmp_path / "report").exists()


def test_masked_data_are_analysed_and_reported_without_any_effect(run, trial, data, tmp_path):
    path = data / "participants.csv"
    rows = list(csv.DictReader(path.read_text("utf-8").splitlines()))
    letters = {arm: letter for letter, arm in zip("AB", sorted({row["arm"] for row in rows}), strict=True)}
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows({**row, "arm": letters[row["arm"]]} for row in rows)
    look = {"on": "2021-04-02", "kind": "told", "answered": 9, "asked": 99, "declared": False, "sealed": True}
    said = json.loads((data / "dictionary.json").read_text("utf-8"))
    (data / "dictionary.json").write_text(json.dumps({**said, "masked": True, "looks": [look]}), "utf-8")
    done = run("analyse", trial, "--data", data, "--out", tmp_path / "found")
    assert (done.code, "the arms are masked" in done.out) == (0, True)
    found = Findings.from_json((tmp_path / "found" / "findings.json").read_text("utf-8"))
    assert not [each for each in found.select(kind="effect") if each.estimate is not None]
    assert run("report", trial, "--findings", tmp_path / "found", "--out", tmp_path / "report").code == 0
    page = (tmp_path / "report" / "index.html").read_text("utf-8")
    assert "The arms are masked: nothing here was computed by arm" in page
    assert "The results were looked at by arm on 2 April 2021" in page
    assert "so the stated error rate no longer holds" in page
    assert "all arms together" in page
