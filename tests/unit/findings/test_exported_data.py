"""A folder of collected data as it is exported: everything in it is read, and only answers are analysed."""

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from equipoise.errors import RosterError
from equipoise.findings import analyse, read_data
from equipoise.protocol import load_study
from equipoise.protocol.recorded import recorded_columns

PROTOCOL = """\
equipoise: 1
study: {id: collected, title: A trial, kind: trial, question: Does it work?, launch: 2026-03-02, synthetic: true}
participants:
  roster:
    ref: {type: text, role: identifier}
    team: {type: category, levels: [red, blue]}
arms: {control: {}, longer: {}}
allocation: {strata: [team], ratio: {control: 1, longer: 1}, when: launch}
waves:
  after: {survey: work, opens: launch + 4 weeks, closes: launch + 6 weeks}
outcomes:
  fit: {instrument: aim, waves: [after], good: high, role: primary}
  days: {question: work.days, waves: [after], range: [0, 20], good: low}
analyses:
  effect: {contrast: longer - control, adjust: [strata]}
"""
SURVEY = """\
title: Work
random-pages: [[first, second]]
pages:
  - id: first
    order: random
    questions:
      - {id: days, type: number, ask: Days off?, low: 0, high: 20}
      - {id: seconds_second, type: number, ask: How many seconds do you need?}
  - id: second
    questions:
      - {instrument: aim, order: random}
      - {id: role, type: single, ask: What are you?, options: {nurse: Nurse, clerk: Clerk}, order: random}
"""


@pytest.fixture
def study(tmp_path):
    folder = tmp_path / "collected"
    wording = "instrument: aim\nlanguage: en-GB\ndemonstration: true\n"
    for name, text in {
        "protocol.yaml": PROTOCOL, "surveys/work.yaml": SURVEY, "wording/aim.yaml": wording
    }.items():  # fmt: skip
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    return load_study(folder)


@pytest.fixture
def tables(study):
    """Eighty invented people, a quarter of whom did not answer."""
    rng = np.random.default_rng(4)
    count = 80
    answered = rng.random(count) < 0.75
    moment = datetime(2026, 4, 1, 9, tzinfo=UTC)
    participants = pl.DataFrame(
        {
            "ref": [f"p{number:02}" for number in range(count)],
            "team": ["red", "blue"] * (count // 2),
            "arm": ["control", "control", "longer", "longer"] * (count // 4),
            "answered_after": pl.Series(
                [moment + timedelta(minutes=n) if answered[n] else None for n in range(count)],
                dtype=pl.Datetime("us", "UTC"),
            ),
            "fit_why": [None if one else "not_reached" for one in answered],
        }
    )
    who = participants.filter(pl.Series(answered))["ref"]
    height = len(who)
    keys = _items(study)
    answers = {"ref": who.to_list()}
    for key in keys:
        answers |= {key: rng.integers(1, 6, height).tolist(), f"{key}_why": [None] * height}
    answers |= {
        "days": [*rng.integers(0, 6, height - 1).tolist(), None],
        "days_why": [None] * (height - 1) + ["refused"],
        "role": ["nurse"] * height,
        "role_why": [None] * height,
        "seconds_second": [5.0] * height,
        "seconds_second_why": [None] * height,
        "started_at": [moment] * height,
        "completed_at": [moment] * height,
        "channel": ["web", "paper"] * (height // 2) + ["telephone"] * (height % 2),
        "language": ["en-GB"] * height,
        "wording": ["ab" * 32] * height,
        "seconds_first": rng.random(height).round(1).tolist(),
        "order_pages": ["second first"] * height,
        "order_blocks.first": ["seconds_second days"] * height,
        "order_items.aim": [" ".join(keys)] * height,
        "order_choices.role": ["clerk nurse"] * height,
    }
    whys = {name: pl.String for name in answers if name.endswith("_why")}
    return {"participants": participants, "answers_after": pl.DataFrame(answers, schema_overrides=whys)}


def _items(study):
    from equipoise.protocol.columns import answer_columns

    return [
        column.name for column in answer_columns(study, "work") if column.item and column.type == "integer"
    ]


def exported(tables, folder, kind):
    """The folder that an export makes: tables, where they come from, and what describes them."""
    folder.mkdir()
    for name, table in tables.items():
        if kind == "parquet":
            table.write_parquet(folder / f"{name}.parquet")
        else:
            table.write_csv(folder / f"{name}.csv", datetime_format="%Y-%m-%dT%H:%M:%SZ")
    (folder / "dictionary.json").write_text(json.dumps({"source": "collected"}), "utf-8")
    (folder / "datapackage.json").write_text("{}", "utf-8")
    (folder / "codebook.csv").write_text("table,name\nparticipants,ref\n", "utf-8")
    (folder / "codebook.md").write_text("# Codebook\n", "utf-8")
    (folder / "spss").mkdir()
    (folder / "spss" / "participants.sav").write_bytes(b"$FL2")
    return folder


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_an_exported_folder_is_read_as_it_is(study, tables, tmp_path, kind):
    data = read_data(study, exported(tables, tmp_path / "out", kind))
    assert data.source == "collected"
    answers = data.answers["after"]
    assert set(answers.columns) == set(tables["answers_after"].columns)
    assert answers["seconds_first"].dtype == pl.Float64
    assert answers["channel"].unique().sort().to_list()[0] == "paper"
    assert answers["days_why"].drop_nulls().to_list() == ["refused"]
    assert answers["order_items.aim"][0].startswith("aim.")
    assert data.participants["answered_after"].dtype == pl.Datetime("us", "UTC")
    assert data.participants["answered_after"].equals(tables["participants"]["answered_after"])


def test_what_is_recorded_beside_the_answers_moves_no_finding(study, tables, tmp_path):
    recorded = {column.name for column in recorded_columns(study, "work")}
    assert recorded <= set(tables["answers_after"].columns)
    bare = {**tables, "answers_after": tables["answers_after"].drop(recorded)}
    full, less = (
        analyse(study, read_data(study, exported(given, tmp_path / name, "csv")))
        for name, given in (("full", tables), ("bare", bare))
    )
    assert full.find("effect.fit.after.longer - control").estimate is not None
    assert full.findings == less.findings


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("channel", "pigeon", '"pigeon" is not a level of this study. Allowed: web, telephone, paper'),
        ("seconds_first", "long", 'expected a number, found "long"'),
        ("seconds_first", "-1", "lies outside the possible range"),
    ],
)
def test_a_wrong_record_is_refused_with_its_place(study, tables, tmp_path, column, value, said):
    wrong = tables["answers_after"].with_columns(pl.lit(value).alias(column))
    folder = exported({**tables, "answers_after": wrong}, tmp_path / "out", "csv")
    with pytest.raises(RosterError) as caught:
        read_data(study, folder)
    assert f"answers_after.csv:2: {column}: " in str(caught.value)
    assert said in str(caught.value)


def test_a_question_keeps_its_name_where_a_record_would_have_the_same(study, tables, tmp_path):
    assert "seconds_second" not in {column.name for column in recorded_columns(study, "work")}
    negative = tables["answers_after"].with_columns(pl.lit(-3.0).alias("seconds_second"))
    data = read_data(study, exported({**tables, "answers_after": negative}, tmp_path / "out", "csv"))
    assert set(data.answers["after"]["seconds_second"]) == {-3.0}


def test_a_table_that_is_there_twice_is_still_refused(study, tables, tmp_path):
    folder = exported(tables, tmp_path / "out", "csv")
    tables["participants"].write_parquet(folder / "participants.parquet")
    with pytest.raises(RosterError, match="holds the same table; keep one"):
        read_data(study, folder)


def test_moments_in_another_zone_are_the_same_moments(study, tables, tmp_path):
    local = pl.col("answered_after").dt.convert_time_zone("Europe/London")
    moved = {**tables, "participants": tables["participants"].with_columns(local)}
    data = read_data(study, exported(moved, tmp_path / "out", "parquet"))
    assert data.participants["answered_after"].equals(tables["participants"]["answered_after"])
