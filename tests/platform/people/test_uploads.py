"""What may be uploaded as a roster: tables, by their content, and none that fills the memory when it is opened."""

import struct
import zipfile

import openpyxl
import polars as pl
import pytest

from equipoise.errors import InputError
from equipoise.platform.office.uploads import LARGEST, check_roster
from equipoise.platform.people.pending import safe_name

ROWS = [["Trainee ID", "Email"], ["T1", "one@example.org"]]


@pytest.fixture
def path(tmp_path):
    """Where the upload lies; its name says nothing of what it is."""
    return tmp_path / "upload"


def workbook(path):
    book = openpyxl.Workbook()
    for row in ROWS:
        book.active.append(row)
    with path.open("wb") as file:
        book.save(file)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
def test_text_in_every_encoding_that_offices_send_is_taken(path, encoding):
    path.write_bytes("Trainee ID,Email\r\nT1,josé@example.org\r\n".encode(encoding))
    check_roster(path)


def test_workbooks_and_parquet_files_are_taken_whatever_they_are_called(path):
    workbook(path)
    check_roster(path)
    pl.DataFrame({"Trainee ID": ["T1"]}).write_parquet(path)
    check_roster(path)


def refused(path, told):
    with pytest.raises(InputError, match=told) as error:
        check_roster(path)
    assert error.value.problems[0].where == "file"


@pytest.mark.parametrize(
    "content",
    [
        b"\x89PNG\r\n\x1a\n" + bytes(40),
        b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01",
        b"\x1f\x8b\x08\0\0\0\0\0",
        b"MZ\x90\0\x03",
    ],
)
def test_pictures_archives_and_programs_are_told_to_be_none(path, content):
    path.write_bytes(content)
    refused(path, "this is no table of people. Save the table as CSV")


def test_a_file_larger_than_the_limit_is_refused_before_it_is_read(path):
    with path.open("wb") as file:
        file.truncate(LARGEST + 1)
        file.write(b"Trainee ID,Email\n")
    refused(path, "larger than 25 MB")


def test_a_workbook_that_unpacks_to_too_much_is_refused(path):
    workbook(path)
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/more.xml", "w") as part,
    ):
        for _ in range(260):
            part.write(bytes(1_000_000))
    assert path.stat().st_size < 2_000_000
    refused(path, "unpacks to more than 250 MB")


def test_sizes_that_the_file_declares_are_not_believed(path):
    workbook(path)
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/more.xml", "w") as part,
    ):
        for _ in range(260):
            part.write(bytes(1_000_000))
    raw = path.read_bytes()
    true = struct.pack("<L", 260_000_000)
    assert raw.count(true) >= 1
    path.write_bytes(raw.replace(true, struct.pack("<L", 100)))
    with zipfile.ZipFile(path) as archive:
        assert archive.getinfo("xl/more.xml").file_size == 100
    refused(path, "unpacks to more than 250 MB")


def test_a_workbook_of_too_many_parts_or_with_macros_is_refused(path):
    workbook(path)
    with zipfile.ZipFile(path, "a") as archive:
        for number in range(2_001):
            archive.writestr(f"xl/{number}.xml", "")
    refused(path, "the workbook has 2,0")
    workbook(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/vbaProject.bin", "x")
    refused(path, "the workbook holds macros")


def test_a_workbook_that_is_cut_short_or_packed_unusually_is_refused(path):
    workbook(path)
    whole = path.read_bytes()
    for tenth in range(1, 10):
        path.write_bytes(whole[: len(whole) * tenth // 10])
        refused(path, "cut short, damaged or protected")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("xl/workbook.xml", "x" * 100)
    refused(path, "packed in an unusual way")


def test_a_small_parquet_file_of_very_many_rows_is_refused(path):
    frame = pl.DataFrame({"a": pl.repeat("x", 5_000_000, eager=True)})
    frame.with_columns(pl.col("a").alias(name) for name in "bcdef").write_parquet(path)
    refused(path, "5,000,000 rows and 6 columns")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("cohort 2020 (new).csv", "cohort 2020 (new).csv"),
        ("C:\\people\\staff.xlsx", "staff.xlsx"),
        ("../../etc/passwd", "passwd"),
        ("a\r\nb.csv", "a__b.csv"),
        ("..", "roster"),
        ("", "roster"),
        ("Führungskräfte.csv", "Führungskräfte.csv"),
    ],
)
def test_a_name_is_kept_without_what_could_lead_elsewhere(given, kept):
    assert safe_name(given) == kept
