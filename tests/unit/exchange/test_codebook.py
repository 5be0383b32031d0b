"""Codebooks: every column described from the protocol, as a page, a table and a data package."""

import csv
import io
import json
from datetime import date, datetime

import polars as pl
import pytest

from equipoise.errors import InputError
from equipoise.exchange import (
    analysis_csv,
    codebook,
    codebook_csv,
    codebook_markdown,
    data_package,
    data_package_text,
)


def columns_of(tables):
    return {name: table.columns for name, table in tables.items()}


@pytest.fixture
def book(study, tables):
    return codebook(study, columns_of(tables))


def variable(book, table, name):
    return next(one for one in book.table(table).variables if one.name == name)


def test_answers_are_described_by_their_question_with_words_unit_range_and_reason(book):
    days = variable(book, "answers_after", "days")
    assert (days.type, days.label, days.unit, days.low, days.high) == ("number", "Days off?", "days", 0, 20)
    assert (days.why, days.question, days.wave) == ("days_why", "days", "after")
    assert dict(variable(book, "answers_after", "calm").values) == {
        "1": "Never",
        "2": "Sometimes",
        "3": "Always",
    }
    assert variable(book, "answers_after", "uses.car").why == "uses_why"
    assert variable(book, "answers_after", "days_why").values["refused"] == "Prefer not to say"


def test_outcomes_are_described_by_their_instrument_score_and_wave(book):
    fit = variable(book, "participants", "fit_after")
    assert (fit.instrument, fit.score, fit.wave, fit.low, fit.high) == ("aim", "mean", "after", 1, 5)
    assert fit.label == "Fit of breaks (Six weeks later)"
    assert fit.why == "fit_after_why"
    assert variable(book, "participants", "days").why is None  # there is no such column in the table


def test_what_is_recorded_beside_the_answers_is_described_too(book):
    described = {one.name: one for one in book.table("answers_after").variables}
    assert described["seconds_first"].type == "number"
    assert described["channel"].values["paper"] == "On paper"
    assert described["order_items.aim"].label == "Order of the items of aim"
    assert all(one.source != "not named in the protocol" for one in described.values())


def test_a_column_that_the_protocol_does_not_name_says_so(study):
    book = codebook(study, {"participants": ["ref", "shoe_size"]})
    assert variable(book, "participants", "shoe_size").source == "not named in the protocol"


def test_a_table_that_the_study_does_not_have_is_refused(study):
    with pytest.raises(InputError, match='Did you mean "answers_after"'):
        codebook(study, {"answers_afer": ["ref"]})


WITHHELD = {"answered_after", "sent_tip_of_week", "dose_minutes", "left_employer", "probability_control"}


def test_the_mask_withholds_what_differs_by_arm_and_says_why(study, tables):
    book = codebook(study, columns_of(tables), masked=True)
    hidden = {one.name for one in book.table("participants").variables if one.withheld}
    assert hidden == WITHHELD
    assert all("withheld until unmasking" in variable(book, "participants", name).withheld for name in hidden)
    assert "arm" in {one.name for one in book.table("participants").shown}
    page = codebook_markdown(book)
    assert "Longer breaks" not in page
    assert "`sent_tip_of_week` (When first sent: Tip): what was sent differs by arm" in page


def test_a_source_recorded_after_allocation_is_withheld_as_a_whole(study):
    book = codebook(study, {"app": ["ref", "week", "minutes"]}, masked=True)
    assert [one.name for one in book.table("app").shown] == ["ref"]
    assert variable(codebook(study, {"app": ["minutes"]}), "app", "minutes").label == "Minutes of rest"


def test_contact_details_are_never_shown(study):
    book = codebook(study, {"participants": ["ref", "email"]})
    assert [one.name for one in book.table("participants").shown] == ["ref"]


def test_the_page_shows_every_variable_once_and_no_text_becomes_markup(book):
    page = codebook_markdown(book)
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert len(rows) == sum(len(table.variables) for table in book.tables)
    assert {line.replace(r"\|", "").count("|") for line in rows} == {7}
    assert r"# Codebook: Breaks \| and \*rest\*" in page
    assert "All participants of this study are invented." in page


def test_the_table_for_spreadsheets_has_a_row_for_each_variable(book):
    text = codebook_csv(book).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == sum(len(table.variables) for table in book.tables)
    calm = next(row for row in rows if row["name"] == "calm")
    assert calm["values"] == "1 = Never; 2 = Sometimes; 3 = Always"
    assert calm["label"] == "I am calm | at work."


PATHS = {"participants": "participants.csv", "answers_after": "answers_after.csv"}


def test_the_data_package_names_files_keys_and_reasons(book):
    package = json.loads(data_package_text(book, PATHS))
    people, answers = package["resources"]
    assert people["schema"]["primaryKey"] == ["ref"]
    assert people["schema"]["missingValues"] == [""]
    assert answers["schema"]["foreignKeys"][0]["reference"] == {"resource": "participants", "fields": ["ref"]}
    days = next(field for field in answers["schema"]["fields"] if field["name"] == "days")
    assert days["constraints"] == {"minimum": 0, "maximum": 20}
    assert (days["missingReason"], days["unit"]) == ("days_why", "days")
    calm = next(field for field in answers["schema"]["fields"] if field["name"] == "calm")
    assert calm["categories"][0] == {"value": 1, "label": "Never"}


def test_a_masked_package_lists_what_is_withheld_apart_from_its_fields(study, tables):
    package = data_package(codebook(study, columns_of(tables), masked=True), PATHS)
    people = package["resources"][0]
    assert {one["name"] for one in people["withheld"]} == WITHHELD
    assert not WITHHELD & {field["name"] for field in people["schema"]["fields"]}
    assert "control" not in json.dumps(people["schema"])


def test_a_table_without_a_file_is_left_out_of_the_package(book):
    package = data_package(book, {"answers_after": "data/answers_after.parquet"})
    assert [one["name"] for one in package["resources"]] == ["answers_after"]
    assert package["resources"][0]["format"] == "parquet"


CHECKS = {
    "string": str,
    "any": str,
    "integer": int,
    "number": float,
    "boolean": lambda cell: {"1": True, "0": False}[cell],
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
}


@pytest.mark.parametrize("name", ["participants", "answers_after"])
def test_every_cell_of_the_files_is_as_the_schema_says(book, tables, name):
    package = data_package(book, PATHS)
    schema = next(one for one in package["resources"] if one["name"] == name)["schema"]
    rows = list(csv.DictReader(io.StringIO(analysis_csv(tables[name]).decode())))
    assert list(rows[0]) == [field["name"] for field in schema["fields"]]
    checked = 0
    for row in rows:
        for field in schema["fields"]:
            cell, limits = row[field["name"]], field.get("constraints", {})
            if cell in schema["missingValues"]:
                assert not limits.get("required")
                continue
            value = CHECKS[field["type"]](cell)
            assert cell in limits.get("enum", [cell])
            assert value >= limits.get("minimum", value)
            assert value <= limits.get("maximum", value)
            checked += 1
    assert checked > 20


def test_the_files_for_analysis_lose_nothing(tables):
    written = analysis_csv(tables["answers_after"])
    again = pl.read_csv(io.BytesIO(written), infer_schema=False)
    assert again["remarks"].to_list() == tables["answers_after"]["remarks"].to_list()
    assert again["role.other"].to_list() == tables["answers_after"]["role.other"].to_list()
    assert again["seconds_first"].to_list() == ["41.5", None]
