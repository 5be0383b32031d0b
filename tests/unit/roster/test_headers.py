"""Files with titles above the names of their columns."""

import openpyxl

from equipoise.protocol.models.participants import RosterColumn
from equipoise.roster import Mapping, RosterFile
from equipoise.roster.headers import header_line
from equipoise.roster.importing import examine_rosters
from equipoise.roster.reading import read_table

COLUMNS = {
    "staff_ref": RosterColumn(type="text", role="identifier"),
    "days_off": RosterColumn(type="number", label="Sickness days"),
}


def workbook(folder, *rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(folder / "hr.xlsx")
    return folder / "hr.xlsx"


def test_two_rows_of_headings_the_second_names_the_columns(tmp_path):
    rows = [("Employee", None, "Absence"), ("Staff ID", "Post", "Sickness days"), ("A1", "Clerk", "3")]
    path = workbook(tmp_path, *rows)
    line = header_line(path, COLUMNS)
    assert line == 2
    read = examine_rosters([RosterFile(path, header=line)], COLUMNS)
    assert read.participants.rows() == [("A1", 3.0)]
    assert read.report.place(0) == "hr.xlsx (sheet Sheet):3"


def test_a_title_and_a_blank_line_are_passed_over(tmp_path):
    path = tmp_path / "hr.csv"
    path.write_text("Absence report\n\nStaff ID;Sickness days\nA1;3\n", "cp1252")
    assert header_line(path, COLUMNS) == 3
    assert read_table(path, header=3).source.columns == ("Staff ID", "Sickness days")


def test_the_first_line_is_taken_where_it_serves_and_none_where_no_line_does(tmp_path):
    path = tmp_path / "hr.csv"
    path.write_text("Staff ID,Sickness days\nA1,3\nStaff ID,Sickness days\n")
    assert header_line(path, COLUMNS) == 1
    path.write_text("Colour,Shape\nred,round\n")
    assert header_line(path, COLUMNS) is None


def test_a_mapping_says_which_names_are_sought(tmp_path):
    path = tmp_path / "hr.csv"
    path.write_text("Report,2021\nP,D\nA1,3\n")
    assert header_line(path, COLUMNS) is None
    assert header_line(path, COLUMNS, mapping=Mapping({"staff_ref": "P", "days_off": "D"})) == 2


def test_a_file_without_a_row_below_the_names_is_no_table(tmp_path):
    path = tmp_path / "hr.csv"
    path.write_text("Staff ID,Sickness days\n")
    assert header_line(path, COLUMNS) is None
