"""Every reason for which a cell is refused, word for word, and every note on one that is read otherwise.

Phone numbers are those that Ofcom keeps for drama and those that the phone library gives as examples.
"""

import datetime as dt

import polars as pl
import pytest

from equipoise.errors import RosterError
from equipoise.protocol.models.participants import RosterColumn
from equipoise.roster.values import convert, polars_type

TEXT = RosterColumn(type="text")
IDENTIFIER = RosterColumn(type="text", role="identifier")
OPEN = RosterColumn(type="category")
LEVELS = RosterColumn(type="category", levels=("North east", "South west"))
WHOLE = RosterColumn(type="integer", low=0, high=99)
NUMBER = RosterColumn(type="number", low=-1, high=1e300)
SECRET = RosterColumn(type="integer", role="contact", low=10)
DAY = RosterColumn(type="date", format="%d/%m/%Y")
ISO_DAY = RosterColumn(type="date")
ANSWER = RosterColumn(type="yes-no")
PHONE = RosterColumn(type="phone", role="contact")
EMAIL = RosterColumn(type="email", role="contact")

BROKEN = "a spreadsheet's error or unsaved formula; put the value in its place"
SCIENTIFIC = "a spreadsheet shortened it to scientific notation and lost digits; export the column as text"
DAYS = "expected %d/%m/%Y, as in 31/03/2021"
REMEDY = "If every date is in another form, declare it as the column's format"
LISTED = "Levels: North east, South west."


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        *[(column, "", "empty, but required") for column in (TEXT, LEVELS, WHOLE, DAY, ANSWER, PHONE, EMAIL)],
        (NUMBER, " \u00a0 ", "empty, but required"),
        *[(TEXT, f"#{error}", BROKEN) for error in ("N/A", "REF!", "VALUE!", "DIV/0!", "NAME?")],
        (TEXT, "#NUM!", BROKEN),
        (IDENTIFIER, "#NULL!", BROKEN),
        (LEVELS, "#N/A", BROKEN),
        (DAY, "#REF!", BROKEN),
        (PHONE, "#N/A", BROKEN),
        (TEXT, "a\x07b", "holds a control character; retype it"),
        (IDENTIFIER, "a\nb", "holds a line break or an invisible character; retype it"),
        (IDENTIFIER, "a\u200bb", "holds a line break or an invisible character; retype it"),
        (IDENTIFIER, "1.23E+09", SCIENTIFIC),
        (OPEN, "a\nb", "holds a line break or a control character; retype it"),
        (LEVELS, "Nort east", f"“Nort east” is no level. {LISTED} Did you mean “North east”?"),
        (LEVELS, "Wales", f"“Wales” is no level. {LISTED}"),
        (LEVELS, "x" * 50, f"“{'x' * 40}…” is no level. {LISTED}"),
        (WHOLE, "inf", "infinite, where a whole number is expected"),
        (WHOLE, "n/a", "a word, where a whole number is expected; empty if missing"),
        (WHOLE, "1,234", "has separators between thousands; leave them out"),
        (WHOLE, "3,5", "has a decimal comma; write a point"),
        (WHOLE, "ten", "is text, where a whole number is expected"),
        (WHOLE, "3.5", "“3.5” is no whole number, or one too large"),
        (WHOLE, "99999999999999999999", "“99999999999999999999” is no whole number, or one too large"),
        (WHOLE, "-1", "-1 is below the lowest that is declared, 0"),
        (WHOLE, "100", "100 is above the highest that is declared, 99"),
        (NUMBER, "-Infinity", "infinite, where a number is expected"),
        (NUMBER, "NaN", "a word, where a number is expected; empty if missing"),
        (NUMBER, "12 000.5", "has separators between thousands; leave them out"),
        (NUMBER, "0,5", "has a decimal comma; write a point"),
        (NUMBER, "0x10", "is text, where a number is expected"),
        (NUMBER, "1e999", "“1e999” is too large for a number"),
        (NUMBER, "-1.5", "-1.5 is below the lowest that is declared, -1"),
        (SECRET, "7", "… is below the lowest that is declared, 10"),
        (DAY, "31.12.21", f"“31.12.21” may have the day or the month first; {DAYS}. {REMEDY}"),
        (DAY, "12/31/2021", f"“12/31/2021” may have the day or the month first; {DAYS}. {REMEDY}"),
        (DAY, "44286", f"“44286” is a spreadsheet's number for a day; format its cell as a date; {DAYS}"),
        (DAY, "March", f"“March” is no date as declared; {DAYS}"),
        (DAY, "2021-03-31", f"“2021-03-31” is no date as declared; {DAYS}"),
        (DAY, "01/01/1021", f"“01/01/1021” gives the year 1021; {DAYS}"),
        (ISO_DAY, "2021-02-30", "“2021-02-30” is no date as declared; expected %Y-%m-%d, as in 2021-03-31"),
        (ANSWER, "maybe", "“maybe” is neither yes (yes, y, true, 1) nor no (no, n, false, 0)"),
        (PHONE, "7.7009E+11", SCIENTIFIC),
        (PHONE, "07700900001 ext 2", "… 2 is more than one phone number, or has words or an extension"),
        (PHONE, "07", "…07 is no phone number in use: too few digits"),
        (PHONE, "0770", "…70 is no phone number in use: too few digits"),
        (PHONE, "+44770090000111", "…11 is no phone number in use: too many digits"),
        (PHONE, "+441000000000", "…00 is no phone number in use: no number of its country begins like this"),
        (PHONE, "+999 1234567", "…67 is no phone number"),
    ],
)  # fmt: skip
def test_a_cell_is_refused_with_its_reason(column, cell, reason):
    found = convert(pl.Series("c", ["", cell]), column)
    assert dict(found.refusals.iter_rows())[1] == reason
    assert found.values.to_list() == [None, None]


@pytest.mark.parametrize("cell", ["nobody", "a@", "@example.org", "a b@example.org", "a@example", "a@b..org"])
def test_an_address_is_refused_without_being_shown(cell):
    reason = convert(pl.Series("c", [cell]), EMAIL).refusals["reason"][0]
    assert reason.startswith(f"{cell[:1]}…@… is no e-mail address: ")
    assert cell not in reason


@pytest.mark.parametrize(
    ("column", "cell", "value", "note"),
    [
        (OPEN, "unknown", "unknown",
         "“unknown” is kept as a level of its own; leave the cell empty if it means missing"),
        (LEVELS, " north  EAST", "North east", "“north EAST” read as “North east”"),
        (PHONE, "7400123456", "+447400123456", "leading zero put back (a spreadsheet had dropped it)"),
        (PHONE, "7400123456.0", "+447400123456", "leading zero put back (a spreadsheet had dropped it)"),
        (PHONE, "447400123456", "+447400123456", "country code without its plus sign understood"),
        (PHONE, "07700 900123", "+447700900123",
         "fictitious number (07700 900000 to 900999): fit for rehearsals, nobody answers it"),
    ],
)  # fmt: skip
def test_what_is_read_otherwise_than_it_stands_is_noted(column, cell, value, note):
    found = convert(pl.Series("c", [cell, cell]), column)
    assert found.values.to_list() == [value, value]
    assert found.notes == {note: 2}
    assert found.refusals.is_empty()


@pytest.mark.parametrize(
    ("column", "cell", "value"),
    [
        (TEXT, " Zoe\u0308 ", "Zoë"),
        (TEXT, "two\nlines", "two\nlines"),
        (OPEN, "North", "North"),
        (LEVELS, "South west", "South west"),
        (WHOLE, "+7", 7),
        (WHOLE, "7.0", 7),
        (WHOLE, "-0", 0),
        (NUMBER, ".5", 0.5),
        (NUMBER, "1e3", 1000.0),
        (DAY, "31/03/2021", dt.date(2021, 3, 31)),
        (ISO_DAY, "2024-02-29", dt.date(2024, 2, 29)),
        (ANSWER, "Y", True),
        (ANSWER, "FALSE", False),
        (PHONE, "+44 7400 123456", "+447400123456"),
        (PHONE, "(020) 7946 0000", "+442079460000"),
        (PHONE, "+33 1 23 45 67 89", "+33123456789"),
        (EMAIL, "J.Doe@Example.ORG", "J.Doe@example.org"),
    ],
)
def test_a_cell_is_typed(column, cell, value):
    found = convert(pl.Series("c", [cell]), column)
    assert found.refusals.rows() == []
    assert found.values.to_list() == [value]
    assert found.values.dtype == polars_type(column)


def test_levels_written_in_two_ways_are_noted_where_none_are_declared():
    found = convert(pl.Series("c", ["North", "north ", "South"]), OPEN)
    assert found.values.to_list() == ["North", "north", "South"]
    told = "differs from another only by capitals or spaces; one level or two?"
    assert found.notes == {f"“North” {told}": 1, f"“north” {told}": 1}


def test_declared_levels_that_differ_only_by_capitals_are_taken_as_written_only():
    column = RosterColumn(type="category", levels=("a", "A"))
    found = convert(pl.Series("c", ["a", "A", "a "]), column)
    assert found.values.to_list() == ["a", "A", "a"]


@pytest.mark.parametrize("cell", ["2021-03-31", "2021-03-31 00:00:00", "2021-03-31T00:00:00.000"])
def test_the_dates_of_a_workbook_are_taken_whatever_the_format_declared(cell):
    assert convert(pl.Series("c", [cell]), DAY, true_dates=True).values.to_list() == [dt.date(2021, 3, 31)]
    assert convert(pl.Series("c", [cell]), DAY).refusals.height == 1


def test_a_missing_cell_is_no_fault_where_it_is_not_required():
    for column in (TEXT, LEVELS, WHOLE, DAY, ANSWER, PHONE, EMAIL):
        optional = column.model_copy(update={"required": False})
        found = convert(pl.Series("c", ["", None], dtype=pl.String), optional)
        assert (found.values.to_list(), found.refusals.height) == ([None, None], 0)


@pytest.mark.parametrize("written", ["%d/%m", "day", "%H:%M", "%Q"])
def test_a_format_that_says_no_whole_date_is_refused(written):
    with pytest.raises(RosterError, match="is no format of a whole date; write it like %d/%m/%Y"):
        convert(pl.Series("c", ["x"]), RosterColumn(type="date", format=written))


def test_a_number_without_country_code_belongs_to_the_region_asked_for():
    found = convert(pl.Series("c", ["01 23 45 67 89"]), PHONE, region="FR")
    assert found.values.to_list() == ["+33123456789"]
