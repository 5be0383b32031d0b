"""Whose column is whose, who may take part, and what is said when neither can be told."""

import polars as pl
import pytest

from equipoise.errors import RosterError
from equipoise.protocol.models.participants import RosterColumn
from equipoise.roster import (
    Mapping,
    RosterFile,
    mapping_path,
    propose_mapping,
    read_mapping,
    read_roster,
    read_rosters,
    read_table,
    select_eligible,
    write_mapping,
)

COLUMNS = {
    "staff_ref": RosterColumn(type="text", role="identifier"),
    "email": RosterColumn(type="email", role="contact"),
    "team": RosterColumn(type="category", required=False),
}


def roster(tmp_path, text, name="staff.csv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("mapping", "constants", "message"),
    [
        ({"staf_ref": "id"}, {}, 'staf_ref: is no declared column. '
         'Declared: staff_ref, email, team. Did you mean "staff_ref"?'),
        ({"staff_ref": "id", "email": "mial"}, {}, "email: mapped to “mial”, not in the file. "
         'Columns: id, mail. Did you mean "mail"?'),
        ({"staff_ref": "id"}, {}, "email: is required, but not in the mapping. Columns: id, mail."),
        ({"email": "mail"}, {}, "staff_ref: is required, but not in the mapping. Columns: id, mail."),
        ({"staff_ref": "id"}, {"email": "nobody"}, "email: as a constant: n…@… is no e-mail address:"),
        ({"staff_ref": "id", "email": "mail"}, {"tem": "North"}, "tem: is no declared column."),
    ],
)  # fmt: skip
def test_a_mapping_that_does_not_fit_says_what_would(tmp_path, mapping, constants, message):
    path = roster(tmp_path, "id,mail\n1,a@example.org\n")
    with pytest.raises(RosterError) as refusal:
        read_roster(path, COLUMNS, Mapping(mapping), constants=constants)
    assert str(refusal.value).startswith(f"staff.csv: {message}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("columns: [a\n", "the mapping is not well-formed YAML in UTF-8."),
        ("- staff_ref\n", "a mapping has the keys columns and constants, and no others."),
        ("column: {}\n", "a mapping has the keys columns and constants, and no others."),
        ("columns: staff_ref\n", "columns: is a list of pairs, such as `mobile: Mobile number`."),
        ("columns: {emial: x}\n", "columns.emial: is no declared column. "
         'Declared: staff_ref, email, team. Did you mean "email"?'),
        ("columns: {team: x}\nconstants: {team: y}\n", "team: is both a column and a constant."),
    ],
)  # fmt: skip
def test_a_stored_mapping_that_cannot_be_used_is_refused(tmp_path, text, message):
    with pytest.raises(RosterError) as refusal:
        read_mapping(roster(tmp_path, text, "m.yaml"), COLUMNS)
    assert str(refusal.value) == f"m.yaml: {message}"


def test_a_mapping_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(RosterError, match="there is no such mapping file"):
        read_mapping(tmp_path / "m.yaml", COLUMNS)


@pytest.mark.parametrize("name", ["no", "1", "007", "null", "a: b", "# x", " lead", "“é”", "x" * 300])
def test_a_stored_mapping_keeps_names_that_yaml_would_read_as_something_else(tmp_path, name):
    mapping = Mapping({"staff_ref": name}, {"team": name})
    path = mapping_path(tmp_path, tmp_path / "staff.csv")
    write_mapping(mapping, path)
    assert path == tmp_path / "data" / "mappings" / "staff.yaml"
    assert read_mapping(path, COLUMNS) == mapping


def test_a_weak_match_is_proposed_but_not_used_without_being_confirmed(tmp_path):
    path = roster(tmp_path, "code,x\nK1,a@example.org\nK2,b@example.org\n")
    proposal = propose_mapping(read_table(path), COLUMNS)
    assert proposal.mapping.columns["email"] == "x"
    with pytest.raises(RosterError) as refusal:
        read_roster(path, COLUMNS)
    told = {problem.where: problem.message for problem in refusal.value.problems}
    assert "perhaps column “x”" in told["email"]
    assert "Name its column in a mapping file (data/mappings/staff.yaml)." in told["email"]
    found = read_roster(path, COLUMNS, Mapping({"staff_ref": "code", "email": "x"}))
    assert found.participants["email"].to_list() == ["a@example.org", "b@example.org"]
    assert found.participants["team"].to_list() == [None, None]


def test_two_columns_that_fit_nearly_as_well_are_left_to_a_person(tmp_path):
    path = roster(tmp_path, "id,home email,work email\n1,a@example.org,b@example.org\n")
    with pytest.raises(RosterError, match="another column fits nearly as well"):
        read_roster(path, COLUMNS)


def test_columns_of_the_file_that_nobody_asked_for_are_named_as_unused(tmp_path):
    path = roster(tmp_path, "staff_ref,email,shoe size\n1,a@example.org,9\n")
    assert propose_mapping(read_table(path), COLUMNS).unused == ("shoe size",)


def test_no_roster_and_nobody_left_are_refused(tmp_path):
    with pytest.raises(RosterError, match="no roster was given"):
        read_rosters([], COLUMNS)
    path = roster(tmp_path, "staff_ref,email\n1,nobody\n2,none\n")
    with pytest.raises(RosterError, match="nobody is left: every one of 2 rows is refused"):
        read_roster(path, COLUMNS, good_rows_only=True)


def test_the_same_identifier_in_two_files_is_refused_in_both(tmp_path):
    files = [
        RosterFile(roster(tmp_path, f"staff_ref,email\n1,{name}@example.org\n", f"{name}.csv"))
        for name in "ab"
    ]
    with pytest.raises(RosterError) as refusal:
        read_rosters(files, COLUMNS)
    assert [str(problem) for problem in refusal.value.problems] == [
        "a.csv:2: staff_ref: the same identifier as at b.csv:2; keep one of them",
        "b.csv:2: staff_ref: the same identifier as at a.csv:2; keep one of them",
    ]


def test_without_a_condition_everybody_is_eligible():
    frame = pl.DataFrame({"x": [1, 2]})
    split = select_eligible(frame, None)
    assert split.counts == {"eligible": 2, "ineligible": 0, "unknown": 0}
    assert split.eligible.equals(frame)
    assert split.unknown.schema == frame.schema


@pytest.mark.parametrize("batch", [1, 2, 3, 100])
def test_parts_keep_the_order_of_the_roster_whatever_the_batch(batch):
    frame = pl.DataFrame({"x": [3, None, -1, 5, None, -2, 0]})
    seen = []

    def condition(rows):
        seen.append(rows.height)
        return [None if x is None else x > 0 for x in rows["x"]]

    split = select_eligible(frame, condition, batch=batch)
    assert split.eligible["x"].to_list() == [3, 5]
    assert split.ineligible["x"].to_list() == [-1, -2, 0]
    assert split.unknown.height == 2
    assert (sum(seen), max(seen)) == (7, min(batch, 7))


def test_a_condition_of_which_nothing_is_known_selects_nobody_and_rejects_nobody():
    split = select_eligible(pl.DataFrame({"x": [1, 2]}), lambda rows: [None] * rows.height)
    assert split.counts == {"eligible": 0, "ineligible": 0, "unknown": 2}


def test_an_empty_roster_has_three_empty_parts():
    split = select_eligible(pl.DataFrame({"x": []}), lambda rows: rows["x"] > 0)
    assert split.counts == {"eligible": 0, "ineligible": 0, "unknown": 0}


def test_a_condition_must_be_answered_for_every_row():
    with pytest.raises(RosterError, match="the condition was answered for 1 of 2 rows"):
        select_eligible(pl.DataFrame({"x": [1, 2]}), lambda rows: [True])
