"""`import roster`: files as they came in, typed people out, all or nothing."""

import csv
import json
import shutil
from pathlib import Path

import polars as pl
import pytest

EXAMPLES = Path(__file__).parents[3] / "examples" / "hhp2"


@pytest.fixture
def people(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text(
        "Staff ID,Work email,Team\nA1,a1@example.org,north\nA2,a2@example.org,south\nA3,a3@example.org,south\n"
    )
    return path


def test_the_matching_is_proposed_shown_and_stored_with_the_study(run, trial, people, tmp_path):
    done = run("import", "roster", people, "--study", trial, "--out", tmp_path / "in.csv")
    assert done.code == 0
    assert "staff_ref <- Staff ID" in done.out
    assert "staff_ref: Staff ID" in (trial / "data" / "mappings" / "people.yaml").read_text("utf-8")
    assert (tmp_path / "in.csv").read_text().splitlines()[:2] == [
        "staff_ref,email,team",
        "A1,a1@example.org,north",
    ]


def test_while_a_row_is_refused_nothing_is_written(run, trial, people, tmp_path):
    people.write_text(people.read_text() + "A4,not an address,north\nA5,a5@example.org,nort\n")
    before = sorted(tmp_path.rglob("*"))
    done = run("import", "roster", people, "--study", trial, "--out", tmp_path / "in.csv")
    assert done.code == 2
    assert "people.csv:5: email" in done.err
    assert "people.csv:6: team" in done.err
    assert "north" in done.err
    assert sorted(tmp_path.rglob("*")) == before


def test_the_good_rows_only_leave_the_others_in_a_file_with_their_lines(run, trial, people, tmp_path):
    people.write_text(people.read_text() + "A4,not an address,north\n")
    words = (
        "import",
        "roster",
        people,
        "--study",
        trial,
        "--out",
        tmp_path / "in.csv",
        "--good-rows-only",
        "--json",
    )
    told = json.loads(run(*words).out)
    assert (told["read"], told["accepted"], told["refused"], told["eligible"]) == (4, 3, 1, 3)
    refused = list(csv.DictReader((tmp_path / "in.refused.csv").read_text().splitlines()))
    assert [(row["line"], row["Staff ID"]) for row in refused] == [("5", "A4")]


def test_what_a_partner_wrote_into_a_refused_row_is_no_formula_in_the_file_of_them(
    run, trial, people, tmp_path
):
    harm = ("=HYPERLINK(1)", "@SUM(1)", "+1+cmd", "-2+3+cmd", "＝1+1")
    good = "".join(f"B{number},b{number}@example.org,north\n" for number in range(20))
    bad = "".join(f"{cell},b{number}@example.org,{cell}\n" for number, cell in enumerate(harm, start=20))
    people.write_text(people.read_text() + good + bad, "utf-8")
    done = run("import", "roster", people, "--study", trial, "--out", tmp_path / "in.csv", "--good-rows-only")
    assert done.code == 0
    rows = list(csv.DictReader((tmp_path / "in.refused.csv").read_text("utf-8-sig").splitlines()))
    assert {row["Staff ID"] for row in rows} == {f"'{cell}" for cell in harm}


def test_who_is_not_eligible_and_of_whom_it_is_unknown_is_listed(run, trial, people, tmp_path):
    text = (trial / "protocol.yaml").read_text("utf-8")
    text = text.replace("""# eligible: "team != 'south'" """, """eligible: "team != 'south'" """)
    text = text.replace("levels: [north, south]}", "levels: [north, south], required: false}")
    (trial / "protocol.yaml").write_text(
        text.replace("strata: [team]", "strata: []").replace(", strata]", "]"), "utf-8"
    )
    people.write_text(people.read_text() + "A4,a4@example.org,\n")
    told = json.loads(
        run("import", "roster", people, "--study", trial, "--out", tmp_path / "in.csv", "--json").out
    )
    assert (told["eligible"], told["ineligible"], told["unknown"]) == (1, 2, 1)
    assert (tmp_path / "in.unknown.csv").read_text().splitlines()[1].startswith("A4,")
    assert len((tmp_path / "in.ineligible.csv").read_text().splitlines()) == 3


def test_possible_doubles_are_listed_and_nobody_is_merged(run, trial, people, tmp_path):
    people.write_text(people.read_text() + "A4,A3@example.org,north\n")
    done = run("import", "roster", people, "--study", trial, "--out", tmp_path / "in.csv")
    assert "the same email: people.csv:4, people.csv:5" in done.out
    assert len((tmp_path / "in.csv").read_text().splitlines()) == 5


def test_a_column_that_is_the_same_for_a_file_is_said_with_the_command(run, trial, tmp_path):
    for name in ("north", "south"):
        (tmp_path / f"{name}.csv").write_text(f"staff_ref,email\n{name}1,{name}1@example.org\n")
    files = (tmp_path / "north.csv", tmp_path / "south.csv")
    constants = ("--with", "north.csv:team=north", "--with", "south.csv:team=south")
    done = run("import", "roster", *files, "--study", trial, "--out", tmp_path / "in.parquet", *constants)
    assert done.code == 0
    assert pl.read_parquet(tmp_path / "in.parquet")["team"].to_list() == ["north", "south"]
    assert "team: south" in (trial / "data" / "mappings" / "south.yaml").read_text("utf-8")
    # The stored mapping now knows it.
    assert run("import", "roster", *files, "--study", trial, "--out", tmp_path / "again.csv").code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--with", "team"), "expected COLUMN=VALUE"),
        (("--with", "peple.csv:team=north"), 'Did you mean "people.csv"?'),
        (("--with", "teem=north"), 'Did you mean "team"?'),
        (("--mapping", "nowhere.yaml"), "no such mapping file"),
    ],
)
def test_wrong_options_are_told_with_what_is_meant(run, trial, people, tmp_path, words, said):
    done = run("import", "roster", people, "--study", trial, "--out", tmp_path / "in.csv", *words)
    assert done.code == 2
    assert said in done.err
    assert not (tmp_path / "in.csv").exists()


def test_a_roster_goes_to_a_csv_or_parquet_file_and_never_over_its_source(run, trial, people, tmp_path):
    before = people.read_bytes()
    assert run("import", "roster", people, "--study", trial, "--out", people).code == 2
    assert run("import", "roster", people, "--study", trial, "--out", tmp_path / "in.docx").code == 2
    assert people.read_bytes() == before


def test_a_roster_of_which_nobody_is_eligible_is_refused(run, trial, people, tmp_path):
    text = (trial / "protocol.yaml").read_text("utf-8")
    (trial / "protocol.yaml").write_text(
        text.replace(
            """# eligible: "team != 'south'" """, """eligible: "team == 'north' && team == 'south'" """
        ),
        "utf-8",
    )
    done = run("import", "roster", people, "--study", trial, "--out", tmp_path / "in.csv")
    assert done.code == 2
    assert "participants.eligible" in done.err


@pytest.mark.parametrize("kind", ["data", "survey"])
def test_other_imports_say_that_they_come_later(run, kind):
    done = run("import", kind, "file.csv")
    assert done.code == 2
    assert "not yet supported" in done.err


def test_seven_rosters_of_an_example_go_in_with_their_stored_mappings_and_into_a_draw(run, tmp_path):
    folder = tmp_path / "awards"
    shutil.copytree(EXAMPLES / "symbolic-awards", folder)
    files = sorted((folder / "rosters").glob("*.csv"))
    told = json.loads(
        run("import", "roster", *files, "--study", folder, "--out", tmp_path / "in.csv", "--json").out
    )
    assert told["accepted"] == 1969
    assert not any(each["proposed"] for each in told["mappings"])
    # The protocol declares days first; what was imported is ISO, and the draw reads both.
    done = run(
        "allocate",
        folder,
        "--roster",
        tmp_path / "in.csv",
        "--out",
        tmp_path / "arms.csv",
        "--seed",
        "ab" * 32,
    )
    assert done.code == 0
    assert "1,969 people" in done.out
