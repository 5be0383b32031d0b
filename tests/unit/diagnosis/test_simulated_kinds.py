"""Every kind of question is simulated: possible answers, from streams of their own, read back as they were."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from equipoise.diagnosis import simulate_study, write_simulated
from equipoise.diagnosis.simulated.simulate import Simulated
from equipoise.errors import RosterError
from equipoise.findings import read_data
from equipoise.findings.reading.scores import scored
from equipoise.protocol import Study, load_study
from equipoise.protocol.columns import answer_columns

KINDS = Path(__file__).parents[1] / "protocol" / "kinds"
ASSUMED = """\
diagnosis:
  assume:
    days: {mean: 3, sd: 1}
    calmness: {mean: 2.1, sd: 0.6}
    warm: {mean: 55, sd: 12}
    response: {before: 0.9, missing-item: 0.1}
    people: fixed
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    folder = tmp_path_factory.mktemp("kinds") / "kinds"
    shutil.copytree(KINDS, folder)
    protocol = (folder / "protocol.yaml").read_text("utf-8").replace("roster:", "expected: 300\n  roster:", 1)
    outcomes = (
        "outcomes:\n  calmness: {question: work.calm, waves: [before]}\n"
        "  warm: {question: work.warmth, waves: [before], range: [0, 100]}\n"
    )
    (folder / "protocol.yaml").write_text(protocol.replace("outcomes:\n", outcomes) + ASSUMED, "utf-8")
    return load_study(folder)


@pytest.fixture(scope="module")
def simulated(study: Study) -> Simulated:
    return simulate_study(study, 7)


@pytest.fixture(scope="module")
def answers(simulated: Simulated) -> pl.DataFrame:
    return simulated.data.answers["before"]


def test_every_answer_is_one_that_its_column_can_hold(study: Study, answers: pl.DataFrame) -> None:
    columns = {column.name: column for column in answer_columns(study, "work")}
    assert set(answers.columns[1:]) <= set(columns)
    for name in answers.columns[1:]:
        column, values = columns[name], answers[name].drop_nulls()
        if column.type == "category":
            assert set(values) <= set(column.values)
        if column.low is not None and column.high is not None:
            assert values.is_between(column.low, column.high).all(), name


def test_what_is_written_by_hand_is_left_empty_and_all_else_is_answered(answers: pl.DataFrame) -> None:
    assert not {"more", "short", "role.other", "news", "film"} & set(answers.columns)
    for name in ("agree", "role", "uses.car", "hours", "views.fair", "aim.appeal", "warmth", "first.pay"):
        assert answers[name].null_count() < answers.height, name


def test_ranks_are_each_given_once_and_shares_add_up(answers: pl.DataFrame) -> None:
    ranks = answers.select("first.pay", "first.time", "first.team").drop_nulls().to_numpy()
    assert len(ranks) > 100
    assert (np.sort(ranks, axis=1) == [1, 2, 3]).all()
    shares = answers.select("money.cake", "money.tea").drop_nulls().to_numpy()
    assert np.allclose(shares.sum(axis=1), 100)
    assert len(np.unique(shares[:, 0])) > 20


def test_what_has_several_columns_is_left_out_as_a_whole(answers: pl.DataFrame) -> None:
    missing = answers.select(pl.col("first.pay", "first.time", "first.team").is_null()).to_numpy()
    assert missing.any()
    assert (missing.all(axis=1) == missing.any(axis=1)).all()


def test_a_question_hangs_on_an_option_that_was_chosen(answers: pl.DataFrame) -> None:
    chosen = answers["uses.car"].fill_null(False)
    assert answers.filter(~chosen)["car_age"].null_count() == (~chosen).sum()
    assert answers.filter(chosen)["car_age"].null_count() == 0


def test_a_likert_item_and_a_slider_can_be_outcomes(study: Study, simulated: Simulated) -> None:
    found = scored(study, simulated.data)
    for name, mean in (("calmness", 2.1), ("warm", 55.0)):
        values = found.numbers(name)
        assert abs(np.nanmean(values) - mean) < 0.2 * np.nanstd(values)


def test_what_was_simulated_is_read_back_as_it_was(
    study: Study, simulated: Simulated, answers: pl.DataFrame, tmp_path: Path
) -> None:
    write_simulated(study, simulated, tmp_path)
    again = read_data(study, tmp_path).answers["before"]
    for name in ("uses.car", "agree", "first.pay", "money.cake", "views.fair", "role"):
        assert (
            again[name].cast(pl.String).to_list()
            == answers[name].cast(again[name].dtype).cast(pl.String).to_list()
        )


@pytest.fixture
def collected(study: Study, simulated: Simulated, tmp_path: Path) -> Callable[[dict[str, str]], Path]:
    """The simulated data as a folder whose answers have more columns."""

    def written(more: dict[str, str]) -> Path:
        write_simulated(study, simulated, tmp_path)
        path = tmp_path / "answers_before.csv"
        table = pl.read_csv(path, infer_schema=False)
        table.with_columns([pl.lit(text).alias(name) for name, text in more.items()]).write_csv(path)
        said = json.loads((tmp_path / "dictionary.json").read_text("utf-8"))
        assert said["source"] == "simulated"
        return tmp_path

    return written


def test_the_reason_for_a_missing_answer_is_read(
    study: Study, collected: Callable[[dict[str, str]], Path]
) -> None:
    answers = read_data(study, collected({"hours_why": "refused", "role.other": "Porter"})).answers["before"]
    assert set(answers["hours_why"]) == {"refused"}
    assert set(answers["role.other"]) == {"Porter"}


def test_another_reason_is_refused_with_those_that_there_are(
    study: Study, collected: Callable[[dict[str, str]], Path]
) -> None:
    with pytest.raises(RosterError, match="refused, dont_know, not_asked, not_reached"):
        read_data(study, collected({"hours_why": "busy"}))
