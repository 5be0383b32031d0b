"""A table as XLSX: read back by another program as it was, in parts, always the same bytes."""

import io

import openpyxl
import pytest

from equipoise.exchange.workbooks import workbook

ROWS = [
    ["participant", "mobile"],
    ["a1", "+44 7700 900001"],
    ["b2", '=HYPERLINK("https://example.org")'],
    ["c3", "  Ó Briain & <sons>  "],
    ["d4", "two\nlines"],
]


def read(content):
    sheet = openpyxl.load_workbook(io.BytesIO(content)).active
    return [[cell.value for cell in row] for row in sheet.iter_rows()], sheet


def test_another_program_reads_every_cell_as_the_text_that_it_was():
    found, sheet = read(b"".join(workbook(ROWS)))
    assert found == ROWS
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} == {"s"}


@pytest.mark.parametrize("text", ["a\x00b", "a\x0bb", "a\ufffeb"])
def test_what_no_xml_can_say_is_left_out(text):
    assert read(b"".join(workbook([[text]])))[0] == [["ab"]]


def test_it_comes_in_parts_while_its_rows_are_read_and_the_same_rows_are_the_same_bytes():
    taken = []

    def rows():
        for number in range(20_000):
            taken.append(number)
            yield [f"person {number:05d}", "north"]

    parts = workbook(rows())
    next(parts)
    assert len(taken) < 20_000
    assert next(parts)
    assert b"".join(workbook(ROWS)) == b"".join(workbook(ROWS))
