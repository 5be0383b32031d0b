"""SPSS and Stata files, read back: values, labels, reasons for missing values, names that fit."""

import csv
import io
from datetime import date, datetime
from zoneinfo import ZoneInfo

import polars as pl
import pyreadstat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.exchange import Variable, codebook, conversion_csv, write_spss, write_stata
from equipoise.exchange.dialects import SPSS, STATA


def read_spss(path, **more):
    return pyreadstat.read_sav(path, output_format="polars", **more)


def read_stata(path, **more):
    return pyreadstat.read_dta(path, output_format="polars", **more)


FORMATS = {"sav": (write_spss, read_spss), "dta": (write_stata, read_stata)}


@pytest.fixture(params=sorted(FORMATS))
def through(request, tmp_path):
    """Write by one program's format and read back."""
    write, read = FORMATS[request.param]

    def go(table, variables=(), **more):
        path = tmp_path / f"table.{request.param}"
        changed = write(table, variables, path, **more)
        return (*read(path), changed)

    go.format = request.param
    return go


@pytest.fixture
def book(study, tables):
    return codebook(study, {name: table.columns for name, table in tables.items()})


def test_participants_come_back_with_their_values_and_labels(through, book, tables):
    variables = book.table("participants").variables
    frame, meta, changed = through(tables["participants"], variables, title="Breaks, wave after")
    assert frame["ref"].to_list() == ["p1", "p2", "p3"]
    assert frame["years"].to_list() == [3, 0, None]
    assert frame["started_on"].to_list() == [date(2020, 1, 6), date(1999, 12, 31), None]
    assert frame["answered_after"].to_list() == [datetime(2026, 4, 1, 9, 30), datetime(2026, 4, 2), None]  # noqa: DTZ001
    assert frame["part_time"].to_list() == [1, 0, None]
    assert frame["dose_minutes"].to_list() == [0, 12.5, 30]
    assert frame["fit_after"].to_list() == [3.25, None, None]
    assert [meta.variable_value_labels["arm"][code] for code in frame["arm"]] == [
        "Breaks as before",
        "Longer breaks",
        "Longer breaks",
    ]
    assert meta.column_names_to_labels["fit_after"] == "Fit of breaks (Six weeks later)"
    assert meta.file_label == "Breaks, wave after"
    assert changed.shortened == ()


def test_answers_come_back_with_their_values_and_labels(through, book, tables):
    frame, meta, changed = through(tables["answers_after"], book.table("answers_after").variables)
    name = changed.renamed.get("uses.phone", "uses.phone")
    assert frame[name].to_list() == [1, None]
    assert meta.variable_value_labels["calm"][3] == "Always"
    assert frame["calm"].to_list() == [3, None]
    assert frame["remarks"].to_list() == tables["answers_after"]["remarks"].to_list()
    codes = {one.value: one.number for one in changed.codings if one.column == "role"}
    assert frame["role"].to_list() == [codes["nurse"], codes["something_else"]]


def test_spss_knows_why_a_value_is_missing(tmp_path, book, tables):
    changed = write_spss(tables["answers_after"], book.table("answers_after").variables, tmp_path / "a.sav")
    plain, _ = read_spss(tmp_path / "a.sav")
    told, meta = read_spss(tmp_path / "a.sav", user_missing=True)
    assert plain["days"].to_list() == [2, None]
    code = told["days"][1]
    assert meta.variable_value_labels["days"][code] == "Prefer not to say"
    assert meta.missing_ranges["days"] == [{"lo": -99, "hi": -96}]
    assert meta.variable_value_labels["calm"][told["calm"][1]].startswith("Not asked")
    assert code in {one.number for one in changed.codings if one.value == "missing: refused"}


def test_the_codes_of_reasons_lie_below_every_value(tmp_path):
    table = pl.DataFrame({"x": [-500.0, None], "x_why": [None, "refused"]})
    write_spss(table, [Variable("x", "number", "X", "", why="x_why")], tmp_path / "x.sav")
    told, meta = read_spss(tmp_path / "x.sav", user_missing=True)
    assert told["x"].to_list() == [-500, -999]
    assert meta.missing_ranges["x"] == [{"lo": -999, "hi": -996}]


def test_a_reason_finds_no_place_where_values_have_no_bottom(tmp_path):
    table = pl.DataFrame({"x": [-1e12, None], "x_why": [None, "refused"]})
    write_spss(table, [Variable("x", "number", "X", "", why="x_why")], tmp_path / "x.sav")
    assert read_spss(tmp_path / "x.sav", user_missing=True)[0]["x"].to_list() == [-1e12, None]


HARD_NAMES = [
    "swemwbs.optimistic",
    "a" * 70 + "one",
    "a" * 70 + "two",
    "With",
    "2nd",
    "_all",
    "float",
    "str20",
    "caf\u00e9",
    "Days",
    "days",
    "x y",
    "ends.",
    "\u540d\u524d",
]


def test_every_name_becomes_legal_and_unique_and_every_change_is_told(through):
    table = pl.DataFrame({name: [float(place)] for place, name in enumerate(HARD_NAMES)})
    frame, _, changed = through(table)
    names = [changed.renamed.get(name, name) for name in HARD_NAMES]
    assert frame.columns == names
    assert frame.row(0) == tuple(float(place) for place in range(len(HARD_NAMES)))
    assert len({name.lower() for name in names}) == len(names)
    longest = 64 if through.format == "sav" else 32
    assert all(len(name.encode()) <= longest for name in names)
    listed = csv.DictReader(io.StringIO(conversion_csv(changed).decode("utf-8-sig")))
    assert {row["column"]: row["new_name"] for row in listed} == dict(changed.renamed)


@pytest.mark.parametrize("dialect", [SPSS, STATA], ids=["spss", "stata"])
@given(columns=st.lists(st.text(min_size=1, max_size=80), min_size=1, max_size=12, unique=True))
def test_any_names_become_legal_and_unique(dialect, columns):
    names = list(dialect.names(columns).values())
    assert len({name.lower() for name in names}) == len(columns)
    for name in names:
        assert name.isascii()
        assert name[0].isalpha()
        assert len(name) <= dialect.name
        assert not dialect.illegal.search(name)
        assert name.lower() not in dialect.reserved
        assert not name.endswith(".")


def test_long_labels_are_cut_between_letters_and_told(through):
    label, words, title = "\u00e9" * 400, "\u540d" * 9_000, "\u00e9" * 200
    scale = Variable("x", "integer", label, "", {"1": words})
    frame, meta, changed = through(pl.DataFrame({"x": [1]}), [scale], title=title)
    assert label.startswith(meta.column_names_to_labels["x"])
    assert words.startswith(meta.variable_value_labels["x"][1])
    assert title.startswith(meta.file_label)
    assert [what.partition(":")[0] for _, what in changed.shortened] == ["label", "label of 1"]
    assert frame["x"].to_list() == [1]


def test_long_texts_are_kept_whole_where_the_program_can_and_cuts_are_told(through):
    texts = ["\u00e9" * 1_500, None, "", "x" * 40_000]
    frame, _, changed = through(pl.DataFrame({"remarks": texts}))
    read = frame["remarks"].to_list()
    assert read[:3] == [texts[0], "", ""]
    if through.format == "dta":
        assert read[3] == texts[3]
        assert changed.shortened == ()
    else:
        assert read[3] == texts[3][:32_767]
        assert changed.shortened == (("remarks", "text in 1 rows"),)


def test_moments_of_another_zone_are_in_utc(through):
    moment = datetime(2026, 7, 1, 9, 0, tzinfo=ZoneInfo("Europe/London"))
    table = pl.DataFrame({"at": pl.Series([moment], dtype=pl.Datetime("us", "Europe/London"))})
    assert through(table)[0]["at"].to_list() == [datetime(2026, 7, 1, 8, 0)]  # noqa: DTZ001


def test_columns_without_a_value_are_written_by_their_type(through):
    table = pl.DataFrame(
        {"n": pl.Series([None, None]), "t": pl.Series([None, None]), "nan": [float("nan"), 1.0]}
    )
    variables = [Variable("n", "number", "N", ""), Variable("t", "text", "T", "")]
    frame = through(table, variables)[0]
    assert frame["n"].to_list() == [None, None]
    assert frame["t"].to_list() == ["", ""]
    assert frame["nan"].to_list() == [None, 1]


def test_yes_and_no_in_words_become_one_and_nought(through):
    table = pl.DataFrame({"agreed": ["yes", "no", None, "TRUE"]})
    frame, meta, _ = through(table, [Variable("agreed", "yes-no", "Agreed", "")])
    assert frame["agreed"].to_list() == [1, 0, None, 1]
    assert meta.variable_value_labels["agreed"] == {0: "No", 1: "Yes"}


def test_a_level_that_the_protocol_does_not_name_is_kept(through):
    frame, meta, _ = through(
        pl.DataFrame({"arm": ["B", "A", "B"]}), [Variable("arm", "category", "Arm", "", {"A": "First"})]
    )
    assert [meta.variable_value_labels["arm"][code] for code in frame["arm"]] == ["B", "First", "B"]


def test_a_table_without_rows_can_be_written(through):
    assert through(pl.DataFrame({"a": pl.Series([], dtype=pl.Float64)}))[0].height == 0
