"""A typed roster written and read is the same roster; whatever a file holds, every row is accounted for."""

import csv
import datetime as dt
import unicodedata

import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from equipoise.errors import RosterError
from equipoise.protocol.models.participants import RosterColumn
from equipoise.roster import Mapping, RosterFile, examine_rosters, read_roster, read_table
from equipoise.roster.values import polars_type

COLUMNS = {
    "staff_ref": RosterColumn(type="text", role="identifier"),
    "name": RosterColumn(type="text", required=False),
    "team": RosterColumn(type="category", required=False),
    "region": RosterColumn(type="category", levels=("East", "North west"), required=False),
    "caseload": RosterColumn(type="integer", required=False),
    "score": RosterColumn(type="number", required=False),
    "started": RosterColumn(type="date", format="%d/%m/%Y", required=False),
    "manager": RosterColumn(type="yes-no", required=False),
    "mobile": RosterColumn(type="phone", role="contact", required=False),
    "email": RosterColumn(type="email", role="contact", required=False),
}
MAPPING = Mapping({name: name for name in COLUMNS})
SCHEMA = {name: polars_type(column) for name, column in COLUMNS.items()}
HEADER = tuple(COLUMNS)


def words(categories, extra=""):
    """Text as a typed roster holds it: composed, without spaces round it, and no spreadsheet's error."""
    letters = st.characters(exclude_categories=categories, include_characters=extra)
    text = st.text(letters, min_size=1, max_size=12).map(lambda t: unicodedata.normalize("NFC", t))
    return text.filter(lambda t: t == t.strip() and t and not t.startswith("#"))


PEOPLE = st.lists(
    st.tuples(
        st.integers(0, 10**9).map(lambda number: f"A{number:04d}"),
        st.none() | words(["Cc", "Cs"], extra="\n\t"),
        st.none() | words(["Cc", "Cs", "Zl", "Zp"]),
        st.none() | st.sampled_from(["East", "North west"]),
        st.none() | st.integers(-(2**63), 2**63 - 1),
        st.none() | st.floats(allow_nan=False, allow_infinity=False),
        st.none() | st.dates(dt.date(1900, 1, 1), dt.date(2200, 12, 31)),
        st.none() | st.booleans(),
        st.none() | st.integers(0, 999).map(lambda number: f"+447700900{number:03d}"),
        st.none() | st.integers(0, 10**6).map(lambda number: f"a.b{number}@example.org"),
    ),
    min_size=1,
    max_size=12,
    unique_by=lambda person: person[0],
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("rosters")


@settings(max_examples=60, deadline=None)
@given(PEOPLE, st.sampled_from([",", ";", "\t"]), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_a_typed_roster_written_as_csv_and_read_is_the_same(folder, people, separator, encoding):
    roster = pl.DataFrame(people, schema=SCHEMA, orient="row")
    path = folder / "staff.csv"
    text = roster.write_csv(separator=separator, date_format="%d/%m/%Y")
    path.write_bytes(text.encode(encoding))
    found = read_roster(path, COLUMNS, MAPPING)
    assert found.participants.equals(roster)
    assert found.participants.schema == roster.schema
    assert found.report.files[0].separator == separator


@settings(max_examples=60, deadline=None)
@given(PEOPLE)
def test_a_typed_roster_written_as_parquet_and_read_is_the_same(folder, people):
    roster = pl.DataFrame(people, schema=SCHEMA, orient="row")
    path = folder / "staff.parquet"
    roster.write_parquet(path)
    assert read_roster(path, COLUMNS, MAPPING).participants.equals(roster)


CELLS = {
    "staff_ref": ["A1", "A2", "A3", "A4", "", "A\u200b1", "1.2E+09", "#N/A"],
    "team": ["North", "north", "n/a", "#REF!", ""],
    "caseload": ["1", "2.0", "-7", "many", "1,000", "inf", "", "99999999999999999999"],
    "started": ["01/03/2021", "31/12/2021", "2021-03-01", "13/13/2021", "44286", ""],
    "mobile": ["07700900001", "7700900002", "0770", "nobody", ""],
}
STRANGE = {name: COLUMNS[name] for name in CELLS}
ROWS = st.lists(st.tuples(*(st.sampled_from(cells) for cells in CELLS.values())), min_size=1, max_size=10)
SURPLUS = st.lists(st.sampled_from([0, 0, 0, -1, 1]), min_size=10, max_size=10)


@settings(max_examples=80, deadline=None)
@given(ROWS, SURPLUS, st.integers(1, 9))
def test_refused_and_accepted_are_what_was_read_and_both_keep_their_order(folder, rows, surplus, split):
    ragged = [
        (row + ("more",) * extra)[: len(row) + extra] for row, extra in zip(rows, surplus, strict=False)
    ]
    filled = [row for row in ragged if any(cell.strip() for cell in row)]
    assume(filled)
    parts = [part for part in (ragged[:split], ragged[split:]) if any("".join(row).strip() for row in part)]
    files = []
    for number, part in enumerate(parts):
        path = folder / f"part{number}.csv"
        with path.open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows([CELLS, *part])
        files.append(RosterFile(path, Mapping({name: name for name in CELLS})))
    found = examine_rosters(files, STRANGE)
    report = found.report
    assert report.read == len(filled) == report.accepted + report.refused
    assert (found.participants.height, found.refused.height) == (report.accepted, report.refused)
    refused = report.refusals["row"].unique().sort().to_list()
    assert found.refused["staff_ref"].to_list() == [filled[row][0] for row in refused]
    accepted = [row for index, row in enumerate(filled) if index not in refused]
    assert found.participants["staff_ref"].to_list() == [row[0] for row in accepted]
    assert found.refused["line"].to_list() == [report.places["line"][row] for row in refused]


BEGINNINGS = [b"PK\x03\x04", b"PAR1", b"%PDF", b"\xd0\xcf\x11\xe0"]


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=200),
        st.text(st.sampled_from('staff_ref,;\t"\r\n\x00é1'), max_size=60).map(str.encode),
        st.text(max_size=60).map(lambda text: text.encode("utf-16")),
        st.tuples(st.sampled_from(BEGINNINGS), st.binary(max_size=80)).map(b"".join),
    )
)
def test_whatever_the_bytes_a_file_is_read_or_refused_and_nothing_else(folder, content):
    path = folder / "anything.csv"
    path.write_bytes(content)
    try:
        table = read_table(path)
    except RosterError:
        return
    assert table.cells.height == table.lines.len() == table.source.rows > 0
    assert table.lines.is_sorted()
