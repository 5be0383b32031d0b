"""The tables of tests/spec/expressions, which say by example what expressions mean."""

from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from ruamel.yaml import YAML

from equipoise.protocol.expressions import ColumnType, Schema, check_expression, compile_expression

TABLES = YAML(typ="safe").load(Path(__file__).parents[2] / "spec" / "expressions" / "expressions.yaml")
CASES = [
    pytest.param(table, text, answers, id=f"{table['title']}: {text}")
    for table in TABLES
    for text, answers in table["answers"].items()
]


def schema(table: dict[str, Any]) -> Schema:
    columns = {
        name: ColumnType("category", tuple(kind["category"])) if isinstance(kind, dict) else ColumnType(kind)
        for name, kind in table["columns"].items()
    }
    return Schema(
        columns,
        tuple(table.get("waves", ())),
        tuple(table.get("contacts", ())),
        {"launch": datetime(2021, 3, 1, 9)},  # noqa: DTZ001 the clocks of the study's zone
        "Europe/London",
    )


@pytest.mark.parametrize(("table", "text", "answers"), CASES)
def test_an_expression_says_of_each_person_what_its_table_says(table, text, answers):
    expected = [None if answer == "?" else answer for answer in answers]
    assert check_expression(text, schema(table)) == []
    assert compile_expression(text, schema(table)).evaluate(table["people"]) == expected


@pytest.mark.parametrize(("table", "text", "answers"), CASES)
def test_a_frame_gives_the_same_answers_as_its_rows(table, text, answers):
    expected = [None if answer == "?" else answer for answer in answers]
    frame = pl.DataFrame(table["people"], infer_schema_length=None)
    twice = pl.concat([frame, frame.reverse()])
    found = compile_expression(text, schema(table)).evaluate_frame(twice).to_list()
    assert found == expected + expected[::-1]
