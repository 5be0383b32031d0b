"""Rosters from programs that store types: Parquet files and workbooks."""

import datetime as dt
import zipfile

import openpyxl
import polars as pl
import pytest

from equipoise.errors import RosterError
from equipoise.protocol.models.participants import RosterColumn
from equipoise.roster import RosterFile, examine_rosters, read_roster, read_table

COLUMNS = {
    "staff_ref": RosterColumn(type="text", role="identifier"),
    "caseload": RosterColumn(type="integer", required=False, low=0),
    "fte": RosterColumn(type="number", required=False),
    "started": RosterColumn(type="date", format="%d/%m/%Y", required=False),
    "manager": RosterColumn(type="yes-no", required=False),
    "region": RosterColumn(type="category", levels=("East", "West"), required=False),
    "mobile": RosterColumn(type="phone", role="contact", required=False),
}


def written(tmp_path, frame):
    path = tmp_path / "staff.parquet"
    frame.write_parquet(path)
    return path


def test_a_parquet_roster_keeps_its_types_through_gaps(tmp_path):
    day = dt.date(2021, 3, 1)
    frame = pl.DataFrame(
        {
            "staff_ref": [101, 102],
            "caseload": [4.0, None],
            "fte": [0.5, float("nan")],
            "started": [day, None],
            "manager": [True, None],
            "region": pl.Series(["East", None], dtype=pl.Categorical),
            "mobile": [7700900001.0, None],
        }
    )
    found = read_roster(written(tmp_path, frame), COLUMNS)
    assert found.participants.rows() == [
        ("101", 4, 0.5, day, True, "East", "+447700900001"),
        ("102", None, None, None, None, None, None),
    ]
    assert (found.report.files[0].kind, found.report.files[0].encoding) == ("parquet", None)


def test_midnight_of_a_stored_time_is_its_day_and_another_hour_is_refused(tmp_path):
    times = [dt.datetime(2021, 3, 1), dt.datetime(2021, 3, 1, 9, 30)]  # noqa: DTZ001 - stored without a zone
    path = written(tmp_path, pl.DataFrame({"staff_ref": ["a", "b"], "started": times}))
    found = examine_rosters([RosterFile(path)], COLUMNS)
    assert found.participants["started"].to_list() == [dt.date(2021, 3, 1)]
    (problem,) = found.report.problems()
    assert (problem.place, problem.where) == ("staff.parquet:2", "started")
    assert problem.message.startswith("“2021-03-01 09:30:00” is no date as declared")


def test_whole_doubles_too_large_to_be_exact_stay_as_they_are(tmp_path):
    path = written(tmp_path, pl.DataFrame({"staff_ref": ["a"], "fte": [1e18]}))
    assert read_roster(path, COLUMNS).participants["fte"].to_list() == [1e18]


def test_infinity_in_a_parquet_roster_is_refused_by_row(tmp_path):
    path = written(tmp_path, pl.DataFrame({"staff_ref": ["a", "b"], "fte": [1.5, float("inf")]}))
    with pytest.raises(RosterError) as refusal:
        read_roster(path, COLUMNS)
    assert str(refusal.value) == "staff.parquet:2: fte: infinite, where a number is expected"


@pytest.mark.parametrize("values", [[["a"]], [{"a": 1}], [b"a"]])
def test_a_cell_that_holds_many_values_is_refused(tmp_path, values):
    path = written(tmp_path, pl.DataFrame({"staff_ref": values}))
    message = "staff.parquet: staff_ref: holds lists, records or bytes; one value a cell is expected."
    with pytest.raises(RosterError) as refusal:
        read_table(path)
    assert str(refusal.value) == message


def test_a_parquet_file_without_rows_is_refused(tmp_path):
    path = written(tmp_path, pl.DataFrame({"staff_ref": []}, schema={"staff_ref": pl.String}))
    with pytest.raises(RosterError, match=r"^staff\.parquet: the file has column names but no rows\.$"):
        read_table(path)


@pytest.mark.parametrize("part", [12, 100, -1])
def test_a_parquet_file_cut_short_is_refused(tmp_path, part):
    path = written(tmp_path, pl.DataFrame({"staff_ref": ["a"] * 50}))
    path.write_bytes(path.read_bytes()[:part])
    with pytest.raises(RosterError, match="the Parquet file is cut short or damaged"):
        read_table(path)


def test_the_kind_of_a_file_is_told_by_its_beginning_and_not_its_name(tmp_path):
    frame = pl.DataFrame({"staff_ref": ["a", "b"]})
    misnamed = tmp_path / "staff.csv"
    frame.write_parquet(misnamed)
    assert read_table(misnamed).source.kind == "parquet"


def workbook(tmp_path, **sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    path = tmp_path / "staff.xlsx"
    book.save(path)
    return path


def test_the_fullest_sheet_is_taken_and_the_choice_is_told(tmp_path):
    path = workbook(tmp_path, Notes=[["read me"]], Staff=[["staff_ref"], ["a"], ["b"]])
    found = read_table(path)
    assert found.cells["staff_ref"].to_list() == ["a", "b"]
    assert found.source.guesses == ("sheet “Staff” taken; left unread: Notes",)
    named = read_table(path, sheet="Staff")
    assert named.source.guesses == ()


def test_a_sheet_that_is_not_there_is_refused_with_those_that_are(tmp_path):
    path = workbook(tmp_path, Notes=[["x"]], Staff=[["staff_ref"], ["a"]])
    with pytest.raises(RosterError) as refusal:
        read_table(path, sheet="Staf")
    expected = 'staff.xlsx: there is no sheet “Staf”. Sheets: Notes, Staff. Did you mean "Staff"?'
    assert str(refusal.value) == expected


def test_a_formula_that_was_never_computed_is_refused_in_its_cell(tmp_path):
    path = workbook(tmp_path, Staff=[["staff_ref", "caseload"], ["a", "=1+1"], ["b", 3]])
    with pytest.raises(RosterError) as refusal:
        read_roster(path, COLUMNS)
    (problem,) = refusal.value.problems
    assert (problem.place, problem.where) == ("staff.xlsx (sheet Staff):2", "caseload")
    assert problem.message == "a spreadsheet's error or unsaved formula; put the value in its place"


def test_an_empty_workbook_and_a_zip_file_are_refused(tmp_path):
    with pytest.raises(RosterError, match="the workbook is empty: no sheet has a filled cell"):
        read_table(workbook(tmp_path, Empty=[]))
    path = tmp_path / "staff.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", "a")
    with pytest.raises(
        RosterError, match=r"this is a zip file but no XLSX workbook\. Save it as XLSX or CSV"
    ):
        read_table(path)
