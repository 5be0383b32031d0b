"""What is written is what is read again, and it says that it is simulated."""

import json

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from equipoise.diagnosis import simulate_study, write_simulated
from equipoise.findings.reading.data import read_data
from equipoise.findings.reading.hashing import data_hash
from equipoise.protocol.folder import load_study

TRIALS = ["swing", "mod-ing", "symbolic-awards", "diversity-in-hiring", "dictation", "flexitime"]


@pytest.mark.parametrize("name", TRIALS)
def test_written_data_are_read_again_as_they_were(name, examples, tmp_path):
    study = load_study(examples / name)
    simulated = simulate_study(study, 3, people=60)
    write_simulated(study, simulated, tmp_path)
    read = read_data(study, tmp_path)
    assert read.source == "simulated"
    assert read.answers.keys() == simulated.data.answers.keys()
    assert read.ratings.keys() == simulated.data.ratings.keys()
    assert_same(read.participants, simulated.data.participants)
    for wave, table in simulated.data.answers.items():
        assert_same(read.answers[wave], table)
    for task, table in simulated.data.ratings.items():
        assert_same(read.ratings[task], table)


def assert_same(read, written):
    """The same columns with the same values; a column that the protocol does not declare is read as text."""
    texts = [name for name in written.columns if read[name].dtype == pl.String != written[name].dtype]
    assert set(texts) <= {"dose_taken_up"}
    written = written.with_columns(pl.col(texts).cast(pl.Int8).cast(pl.String))
    assert_frame_equal(read, written, check_dtypes=False)


def test_hash_of_the_data_is_the_same_before_writing_and_after_reading(build, tmp_path):
    study = build()
    simulated = simulate_study(study, 3)
    write_simulated(study, simulated, tmp_path)
    assert data_hash(read_data(study, tmp_path)) == data_hash(simulated.data)


def test_dictionary_says_simulated_with_seed_effect_and_columns(build, tmp_path):
    study = build()
    write_simulated(study, simulate_study(study, 3), tmp_path / "new" / "folder")
    said = json.loads((tmp_path / "new" / "folder" / "dictionary.json").read_text("utf-8"))
    assert said["study"] == "small"
    assert said["source"] == "simulated"
    assert said["seed"] == 3
    assert said["planted"] == {
        "motivation": {"offer": 0.32},
        "days": {"offer": -0.4},
        "heard": {"offer": 0.24},
    }
    assert set(said["tables"]) == {"participants", "answers_before", "answers_after"}
    assert "email" not in said["tables"]["participants"]


def test_sources_hold_the_people_simulated_only(build, tmp_path):
    log = "ref,minutes\nP000001,5\nP000002,007\nP999999,9\n"

    def change(protocol, survey):
        protocol["sources"] = {
            "log": {"kind": "usage-log", "file": "data/log.csv", "columns": {"minutes": "m"}}
        }

    study = build(change, {"data/log.csv": log})
    write_simulated(study, simulate_study(study, 1), tmp_path)
    assert (tmp_path / "log.csv").read_text("utf-8") == "ref,minutes\nP000001,5\nP000002,007\n"
    assert read_data(study, tmp_path).sources["log"]["ref"].to_list() == ["P000001", "P000002"]


def test_a_source_that_knows_none_of_them_is_not_written(build, tmp_path):
    def change(protocol, survey):
        protocol["sources"] = {
            "log": {"kind": "usage-log", "file": "data/log.csv", "columns": {"minutes": "m"}}
        }

    study = build(change, {"data/log.csv": "ref,minutes\nQ1,5\n"})
    write_simulated(study, simulate_study(study, 1), tmp_path)
    assert not (tmp_path / "log.csv").exists()
