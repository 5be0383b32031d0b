"""Data that are not what the protocol declares are refused with their place; the same data have the same hash."""

import json
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

from equipoise.errors import InputError, RosterError
from equipoise.findings import Findings, analyse, read_data
from equipoise.findings.reading.hashing import data_hash
from equipoise.protocol import load_study


def refused(folder: Path, frame: pd.DataFrame, tmp_path: Path) -> str:
    path = tmp_path / "data.csv"
    frame.to_csv(path, index=False)
    with pytest.raises(RosterError) as error:
        read_data(load_study(folder), path)
    return str(error.value)


def put(frame: pd.DataFrame, row: int, column: str, value: object) -> pd.DataFrame:
    frame = frame.astype(object)
    frame.loc[row, column] = value
    return frame


def test_each_fault_has_its_line_and_what_was_expected(folder, people, tmp_path) -> None:
    study = folder()
    for row, column, value, said in (
        (3, "score", "fine", 'data.csv:5: score: expected a number, found "fine"'),
        (3, "score", "inf", "data.csv:5: score: expected a finite number"),
        (3, "score", 101, 'data.csv:5: score: "101" lies outside the possible range 0 to 100'),
        (3, "age", 7, "data.csv:5: age: "),
        (3, "arm", "text", 'data.csv:5: arm: "text" is not an arm of this study'),
        (3, "site", "nort", 'data.csv:5: site: "nort" is not a level of this study'),
        (3, "passed", "maybe", "data.csv:5: passed: expected yes or no"),
        (3, "ref", "P0000", "data.csv:5: ref: this identifier stands on line 2 already"),
        (3, "ref", "", "data.csv:5: ref: the identifier is missing"),
    ):
        told = refused(study, put(people, row, column, value), tmp_path)
        assert any(line.startswith(said) for line in told.splitlines()), (said, told)


def test_arms_with_nobody_and_columns_that_are_missing_are_named(folder, people, tmp_path) -> None:
    study = folder()
    assert "nobody is in calls" in refused(study, people[people["arm"] != "calls"], tmp_path)
    told = refused(study, people.rename(columns={"arm": "arn"}), tmp_path)
    assert "this column is missing. Columns:" in told
    assert 'Did you mean "arn"?' in told
    assert "ref: this column is missing" in refused(study, people.drop(columns="ref"), tmp_path)


def test_an_empty_file_and_zero_people_are_refused(folder, people, tmp_path) -> None:
    study = folder()
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(RosterError, match="the file is empty"):
        read_data(load_study(study), tmp_path / "empty.csv")
    assert "data.csv" in refused(study, people.head(0), tmp_path)


def test_an_outcome_that_the_data_lack_is_not_estimable_and_says_why(folder, people, tmp_path) -> None:
    path = tmp_path / "data.csv"
    people.drop(columns="days").to_csv(path, index=False)
    study = load_study(folder())
    finding = analyse(study, read_data(study, path)).find("effect.days.after.texts - control")
    assert finding.not_estimable == 'the data have no column "days"'


def test_contacts_never_enter_the_analysis(folder, people, tmp_path) -> None:
    path = tmp_path / "data.csv"
    people.assign(email="somebody@example.org").to_csv(path, index=False)
    assert not read_data(load_study(folder()), path).has("email")


def test_csv_and_parquet_of_the_same_data_have_the_same_hash_and_a_changed_cell_another(
    folder, people, tmp_path
) -> None:
    study = load_study(folder())
    people.to_csv(tmp_path / "a.csv", index=False)
    pl.read_csv(tmp_path / "a.csv").write_parquet(tmp_path / "b.parquet")
    people.sample(frac=1, random_state=2)[people.columns[::-1]].to_csv(
        tmp_path / "c.csv", index=False, sep=";"
    )
    people.assign(days=people["days"].where(people.index != 5, 99)).to_csv(tmp_path / "d.csv", index=False)
    hashes = [
        data_hash(read_data(study, tmp_path / name)) for name in ("a.csv", "b.parquet", "c.csv", "d.csv")
    ]
    assert hashes[0] == hashes[1] == hashes[2] != hashes[3]


def test_an_outcome_may_have_its_long_name(folder, people, tmp_path) -> None:
    study = load_study(folder())
    people.to_csv(tmp_path / "a.csv", index=False)
    people.rename(columns={"score": "score_after"}).to_csv(tmp_path / "b.csv", index=False)
    one, other = (analyse(study, read_data(study, tmp_path / name)) for name in ("a.csv", "b.csv"))
    assert one.to_json() == other.to_json()


def test_findings_are_read_back_as_they_were_written(folder, people, tmp_path) -> None:
    path = tmp_path / "data.csv"
    people.to_csv(path, index=False)
    study = load_study(folder())
    results = analyse(study, read_data(study, path))
    assert Findings.from_json(results.to_json()) == results
    assert "NaN" not in results.to_json()
    keys = set(json.loads(results.to_json())["findings"][0])
    assert {
        "id",
        "kind",
        "estimate",
        "std_error",
        "dof",
        "p_value",
        "p_adjusted",
        "interval",
        "standardised",
        "estimand",
    } <= keys


def test_a_reference_that_could_mean_several_findings_is_refused(folder, people, tmp_path) -> None:
    path = tmp_path / "data.csv"
    people.to_csv(path, index=False)
    study = load_study(folder())
    results = analyse(study, read_data(study, path))
    with pytest.raises(InputError, match="could mean"):
        results.find("effect")
    with pytest.raises(InputError, match="is not a finding"):
        results.find("efect.score")
