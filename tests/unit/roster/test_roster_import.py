import datetime as dt

import openpyxl
import polars as pl
import pytest

from equipoise.errors import RosterError
from equipoise.protocol.models.participants import RosterColumn
from equipoise.roster import (
    Mapping,
    RosterFile,
    examine_rosters,
    mapping_path,
    read_mapping,
    read_roster,
    read_rosters,
    read_table,
    select_eligible,
    write_mapping,
)

COLUMNS = {
    "staff_ref": RosterColumn(type="text", role="identifier"),
    "name": RosterColumn(type="text"),
    "mobile": RosterColumn(type="phone", role="contact", required=False),
    "authority": RosterColumn(type="category", levels=("northmoor", "easton"), required=False),
}
ONE = {"staff_ref": COLUMNS["staff_ref"]}


@pytest.mark.parametrize("name", ["none-such", "zlib", "rot13", "undefined", "\0"])
def test_what_is_no_encoding_of_text_is_refused_with_those_that_are_usual(tmp_path, name):
    path = tmp_path / "north.csv"
    path.write_bytes(b"Staff No,Email\nN1,one@example.org\n")
    with pytest.raises(RosterError, match="Usual: utf-8, utf-16, cp1252"):
        read_table(path, encoding=name)


def test_a_file_that_is_not_in_the_encoding_that_was_named_is_refused(tmp_path):
    path = tmp_path / "north.csv"
    path.write_bytes(b"Staff No,Email\nN1,one@example.org\n")
    with pytest.raises(RosterError, match="utf-16"):
        read_table(path, encoding="utf-16")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_every_encoding_and_separator_reads_the_same(tmp_path, encoding, separator):
    rows = [["Staff ref", "Name", "Mobile"], ["A1", "Zoë Brontë", "07700900001"], ["A2", '"two\nlines"', ""]]
    path = tmp_path / "staff.csv"
    path.write_bytes("\r\n".join(separator.join(row) for row in rows).encode(encoding))
    result = read_roster(path, COLUMNS)
    assert result.participants["name"].to_list() == ["Zoë Brontë", "two\nlines"]
    assert result.participants["mobile"].to_list() == ["+447700900001", None]
    assert result.report.files[0].separator == separator


def test_a_workbook_keeps_row_numbers_true_dates_and_tells_of_broken_cells(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet["A3"], sheet["B3"], sheet["C3"] = "Staff ref", "Mobile", "Started"
    sheet.append(["001", 7700900001, dt.date(2021, 3, 1)])
    sheet.append(["002", "#N/A", dt.date(2021, 3, 2)])
    book.save(tmp_path / "staff.xlsx")
    columns = {**ONE, "mobile": COLUMNS["mobile"], "started": RosterColumn(type="date", format="%d/%m/%Y")}
    result = examine_rosters([RosterFile(tmp_path / "staff.xlsx")], columns)
    assert result.participants.rows() == [("001", "+447700900001", dt.date(2021, 3, 1))]
    assert [(problem.place, problem.where) for problem in result.report.problems()] == [
        ("staff.xlsx (sheet Sheet):5", "mobile")
    ]
    assert any("leading zero" in note.message for note in result.report.notes)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "staff.csv: the file is empty."),
        (b"staff_ref\n", "staff.csv: there is a row of column names but no row of people below it."),
        (b"\n  \n", "staff.csv: the file holds no text."),
        (b"staff_ref,staff_ref\n1,2\n", "staff.csv:1: staff_ref: more than one column has this name."),
        (b'staff_ref\n1\n"2\n', "staff.csv:3: a quotation mark opened in the record that begins here"),
        (b"staff_ref,x\n1,a\n2\n", "staff.csv:3: 1 cell where the first row names 2 columns."),
        (b"staff_ref\n1\n\n1\n", "staff.csv:2: staff_ref: the same identifier as at staff.csv:4"),
        (b"PK\x03\x04", "staff.csv: the file is cut short or damaged."),
        (b"\xd0\xcf\x11\xe0", "staff.csv: this is an old or password-protected workbook."),
        (b"PAR1abcd", "staff.csv: the Parquet file is cut short or damaged."),
        (b"staff_ref\n1\x81\xff\n", "staff.csv:2: this line cannot be read as Windows-1252."),
        (b"colour\nred\nred\n", "staff.csv: staff_ref: no column for it was found."),
    ],
)
def test_a_bad_file_is_refused_with_its_place(tmp_path, content, message):
    path = tmp_path / "staff.csv"
    path.write_bytes(content)
    with pytest.raises(RosterError) as refusal:
        read_roster(path, ONE)
    assert str(refusal.value).startswith(message)


def test_nothing_is_imported_while_a_row_is_refused_unless_only_the_good_are_wanted(tmp_path):
    path = tmp_path / "staff.csv"
    path.write_text("staff_ref,name,mobile,authority\nA1,Ann,07700900001,northmor\nA2,Bob,,Easton\n")
    with pytest.raises(RosterError, match="Did you mean “northmoor”"):
        read_roster(path, COLUMNS)
    result = read_roster(path, COLUMNS, good_rows_only=True)
    assert result.participants["authority"].to_list() == ["easton"]
    assert result.refused.select("line", "staff_ref").rows() == [(2, "A1")]
    assert "07700900001" not in result.report.in_words()


def test_rosters_of_several_authorities_become_one(tmp_path):
    (tmp_path / "north.csv").write_bytes("Staff No;Full name;Tel\nN1;Zoë;7700900001\n".encode("utf-16"))
    (tmp_path / "east.csv").write_bytes("id,name,phone\nE1,Chloë,07700900001\n".encode("cp1252"))
    files = [
        RosterFile(tmp_path / f"{stem}.csv").with_constant("authority", name)
        for stem, name in (("north", "northmoor"), ("east", "easton"))
    ]
    result = read_rosters(files, COLUMNS)
    assert result.participants.select("staff_ref", "authority").rows() == [
        ("N1", "northmoor"),
        ("E1", "easton"),
    ]
    assert [(each.kind, each.rows) for each in result.report.duplicates] == [("contact", (0, 1))]


def test_a_mapping_is_stored_and_read_again(tmp_path):
    mapping = Mapping({"staff_ref": "Staff: no"}, {"authority": "easton"})
    path = mapping_path(tmp_path, tmp_path / "east.csv")
    write_mapping(mapping, path)
    assert read_mapping(path, COLUMNS) == mapping


def test_likely_the_same_person_is_told_and_not_merged(tmp_path):
    path = tmp_path / "staff.csv"
    path.write_text(
        "staff_ref,name,mobile\n1,Katherine Jones,07700900123\n2,Katharine Jones,07700900124\n3,Al,\n"
    )
    result = read_roster(path, COLUMNS)
    assert [(each.kind, each.rows) for each in result.report.duplicates] == [("alike", (0, 1))]
    assert result.participants.height == 3


def test_eligible_ineligible_and_unknown_are_the_whole_roster():
    frame = pl.DataFrame({"x": [1, None, -1]})
    split = select_eligible(frame, lambda rows: rows["x"] > 0)
    assert split.counts == {"eligible": 1, "ineligible": 1, "unknown": 1}
