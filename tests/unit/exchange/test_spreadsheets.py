"""CSV for spreadsheets: nothing that somebody typed runs as a formula."""

import csv
import io
from datetime import datetime
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.exchange import analysis_csv, spreadsheet_csv


def read(content):
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+44 7700 900123",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "=cmd|' /C calc'!A0",
        "＝1",
        "＠x",
    ],
)
def test_a_text_that_begins_like_a_formula_is_marked_as_text(text):
    (_, (cell,)) = read(spreadsheet_csv(pl.DataFrame({"remark": [text]})))
    assert cell == f"'{text}"


def test_the_names_of_columns_are_marked_too():
    assert read(spreadsheet_csv(pl.DataFrame({"=1+1": ["x"]})))[0] == ["'=1+1"]


def test_numbers_stay_numbers_and_other_texts_stay_as_they_are():
    table = pl.DataFrame({"change": [-2.5, None], "who": ["a-b", 'she said "=1"'], "n": [1.0, float("nan")]})
    assert read(spreadsheet_csv(table))[1:] == [["-2.5", "a-b", "1"], ["", 'she said "=1"', ""]]


def test_the_file_has_the_mark_by_which_spreadsheets_know_its_letters():
    assert spreadsheet_csv(pl.DataFrame({"a": ["caf\u00e9"]})).startswith(b"\xef\xbb\xbf")


def test_moments_are_in_utc_whatever_their_zone():
    moment = datetime(2026, 7, 1, 9, 0, tzinfo=ZoneInfo("Europe/London"))
    table = pl.DataFrame({"at": pl.Series([moment], dtype=pl.Datetime("us", "Europe/London"))})
    assert analysis_csv(table) == b"at\n2026-07-01T08:00:00Z\n"


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=1, max_size=5))
def test_any_texts_can_be_read_back_and_none_begins_a_formula(texts):
    cells = [row[0] if row else "" for row in read(spreadsheet_csv(pl.DataFrame({"text": texts})))[1:]]
    assert all(not cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)
    assert [cell.removeprefix("'") for cell in cells] == [text.removeprefix("'") for text in texts]


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0\r")), min_size=1, max_size=5))
def test_files_for_analysis_keep_every_text_to_the_letter(texts):
    assert [row[0] if row else "" for row in read(analysis_csv(pl.DataFrame({"text": texts})))[1:]] == texts
