"""People who arrive one by one: possible strata, their arms, and the record that anybody can verify."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from equipoise.allocation import (
    AllocationRecord,
    arm_on_arrival,
    arms_text,
    arrival_plan,
    arrivals_in,
    commitment,
    derive_seed,
    record_arrivals,
    refuse_unready,
    roster_hash,
    stage_of,
    stage_seed,
    units_of,
    verify_allocation,
)
from equipoise.allocation.chance.beacon import QUICKNET
from equipoise.cli import main
from equipoise.errors import CheckFailedError, DesignError, NotSupportedError
from equipoise.protocol import load_study, lock
from equipoise.protocol.registration import lock_text

SECRET = bytes(range(32))
LOCKED = "2021-08-01T09:00:00Z"
SEED = bytes(range(1, 33))


@pytest.fixture
def folder(tmp_path, capsys):
    """A small trial with rolling enrolment."""
    place = tmp_path / "breaks"
    assert command("new", place, "--kind", "trial") == 0
    capsys.readouterr()
    edit(place, "# synthetic: true  ", "synthetic: true  ")
    edit(place, "2027-09-06", "2021-09-06")
    edit(place, "participants:\n", "participants:\n  enrolment: rolling\n")
    edit(place, "method: blocked ", "method: permuted-blocks ")
    return place


def command(*words):
    """The exit code of a command of Equipoise."""
    try:
        return main([str(word) for word in words])
    except SystemExit as stop:
        return stop.code or 0


def edit(folder: Path, before: str, after: str) -> None:
    path = folder / "protocol.yaml"
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after), "utf-8")


def locked(folder):
    study = load_study(folder)
    registration = lock(study, time=LOCKED, seed_commitment=commitment(SECRET), version="test")
    (folder / "lock.json").write_text(lock_text(registration), "utf-8")
    return load_study(folder)


GRADES = (
    "team:      {type: category, levels: [north, south]}",
    "team:      {type: category, levels: [north, south]}\n    grade:     {type: category, levels: [junior, senior]}\n"
    "    nights:    {type: yes-no}",
)
MINIMISED = ("method: permuted-blocks ", "method: minimised\n  balance: {grade: 2, nights: 1} ")


def minimised(folder):
    """The same trial, minimised within its teams."""
    for change in (GRADES, MINIMISED):
        edit(folder, *change)


def people(count):
    """In order of arrival; nobody of the south comes for a while."""
    teams = ["south" if number > 3 and number % 3 == 0 else "north" for number in range(count)]
    return pl.DataFrame(
        {
            "staff_ref": [f"S{number:03}" for number in range(count)],
            "email": [f"p{number}@example.org" for number in range(count)],
            "team": teams,
            "grade": ["junior" if number % 5 else "senior" for number in range(count)],
            "nights": [number % 7 < 3 for number in range(count)],
        }
    )


def arrive(study, everybody, seed):
    """Each person's arm, drawn at the moment of arrival with nothing known of who comes next."""
    name, stage = stage_of(study, None)
    plan = arrivals_in(study, name, stage)
    queues, arms = {}, []
    for row in everybody.iter_rows(named=True):
        team = row["team"]
        queue, levels = queues.setdefault(team, []), [str(row[name]).lower() for name in plan.levels]
        where = {"stratum": team, "number": len(queue) + 1, "levels": levels}
        where["earlier"] = list(queue) if plan.levels else ()
        arms.append(arm_on_arrival(plan, name, seed.value, **where))
        queue.append(levels)
    return arms


@pytest.mark.parametrize("method", ["permuted-blocks", "simple", "minimised"])
def test_what_was_allocated_one_by_one_is_recorded_and_verified(folder, method):
    if method == "minimised":
        minimised(folder)
    edit(folder, f"method: {'permuted-blocks' if method == 'simple' else method}", f"method: {method}")
    study = locked(folder)
    name, stage = stage_of(study, None)
    expected = QUICKNET.expected(datetime.fromisoformat(LOCKED))
    beacon = QUICKNET.public_round(expected.number, "cd" * 32)
    everybody = people(40)
    units = units_of(study, name, stage, everybody, "staff_ref")
    hashed = roster_hash(units.units, units.columns)
    seed = stage_seed(study, name, SECRET, roster_hash=hashed, public_round=beacon)
    arms = arrive(study, everybody, seed)
    record = record_arrivals(study, name, stage, units, arms, seed)
    assert record.arrival
    assert not record.seed_could_have_been_chosen
    assert sum(sum(by_arm.values()) for by_arm in record.counts.values()) == 40
    again = AllocationRecord.from_json(record.to_json())
    found = verify_allocation(again, units.units, units.columns, arms, SECRET)
    assert "the public round is the first at least an hour after the roster was recorded" in found.checks


def test_the_protocols_hash_stands_in_for_the_rosters(folder):
    study = locked(folder)
    one, other = (stage_seed(study, "main", SECRET, roster_hash=hashed) for hashed in ("ab" * 32, "cd" * 32))
    assert one == other
    assert (
        one.value
        == derive_seed(
            SECRET, protocol_hash=study.registration.protocol_hash, stage="main", roster_hash=None
        ).value
    )


def test_the_command_verifies_an_exported_file_in_order_of_arrival(folder, tmp_path, capsys):
    study = locked(folder)
    name, stage = stage_of(study, None)
    everybody = people(31)
    units = units_of(study, name, stage, everybody, "staff_ref")
    seed = stage_seed(study, name, SECRET, roster_hash=roster_hash(units.units, units.strata))
    arms = arrive(study, everybody, seed)
    record = record_arrivals(study, name, stage, units, arms, seed)
    heading = "staff_ref,team,arm\n"
    rows = [
        f"{who},{team},{arm}\n"
        for who, team, arm in zip(units.units, units.strata["team"], arms, strict=True)
    ]
    exported = tmp_path / "arms.csv"
    exported.write_text(heading + "".join(rows), "utf-8")
    (tmp_path / "arms.csv.record.json").write_text(record.to_json(), "utf-8")
    (tmp_path / "the.secret").write_text(SECRET.hex())
    words = ["verify", tmp_path / "arms.csv.record.json", "--secret", tmp_path / "the.secret"]
    assert command(*words) == 0
    exported.write_text(heading + "".join(sorted(rows, key=lambda row: row.split(",")[2])), "utf-8")
    assert command(*words) == 1
    assert "is said to be in arm" in capsys.readouterr().err


def test_a_person_who_was_given_another_arm_is_named_and_nothing_is_recorded(folder):
    study = locked(folder)
    name, stage = stage_of(study, None)
    everybody = people(12)
    units = units_of(study, name, stage, everybody, "staff_ref")
    seed = stage_seed(study, name, SECRET, roster_hash=roster_hash(units.units, units.strata))
    arms = arrive(study, everybody, seed)
    arms[7] = "control" if arms[7] == "messages" else "messages"
    with pytest.raises(CheckFailedError, match=r'row 8: unit "S007"'):
        record_arrivals(study, name, stage, units, arms, seed)


def test_the_draw_of_the_command_line_is_that_of_the_arrivals(folder, tmp_path):
    study = load_study(folder)
    roster = tmp_path / "in.csv"
    people(25).write_csv(roster)
    out = tmp_path / "arms.csv"
    assert command("allocate", folder, "--roster", roster, "--out", out, "--seed", SEED.hex()) == 0
    plan = arrivals_in(study, *stage_of(study, None))
    drawn = pl.read_csv(out)
    queues = {}
    for team, arm in drawn.select("team", "arm").iter_rows():
        queues[team] = queues.get(team, 0) + 1
        assert arm_on_arrival(plan, "main", SEED, stratum=team, number=queues[team]) == arm


def test_a_stratum_may_be_empty_until_somebody_of_it_arrives_and_no_other_may_appear(folder):
    study = load_study(folder)
    name, stage = stage_of(study, None)
    plan = arrivals_in(study, name, stage)
    assert set(plan.shares) == {"north", "south"}
    assert arm_on_arrival(plan, name, SEED, stratum="south", number=1) in plan.arms
    with pytest.raises(DesignError, match=r'"west" is no stratum of this study\. Strata: north, south'):
        arm_on_arrival(plan, name, SEED, stratum="west", number=1)
    first = people(3)
    assert units_of(study, name, stage, first, "staff_ref").labels == ["north"] * 3


def test_a_column_without_levels_lets_any_stratum_appear_at_one_ratio(folder):
    edit(folder, "levels: [north, south]}", "}")
    study = load_study(folder)
    plan = arrivals_in(study, *stage_of(study, None))
    assert plan.shares_in("anywhere") == (1, 1)
    assert arm_on_arrival(plan, "main", SEED, stratum="anywhere", number=5) in plan.arms


RULES = "ratio:\n    - {where: \"team == 'north'\", control: 2, messages: 1}\n    - {else: {control: 1, messages: 1}}"
BY_PERSON = RULES.replace("team == 'north'", "staff_ref == 'S001'")


def test_ratios_that_differ_are_settled_for_every_stratum_before_anybody_arrives(folder):
    edit(folder, "ratio: {control: 1, messages: 1}", RULES)
    study = load_study(folder)
    name, stage = stage_of(study, None)
    plan = arrivals_in(study, name, stage)
    assert (plan.shares_in("north"), plan.shares_in("south")) == ((2, 1), (1, 1))
    first = [arm_on_arrival(plan, name, SEED, stratum="north", number=number) for number in range(1, 1801)]
    assert 1190 <= first.count("control") <= 1210
    # only the north has come so far, which is no mistake while people still arrive
    assert units_of(study, name, stage, people(3), "staff_ref").ratio == {
        "north": {"control": 2, "messages": 1}
    }


def test_a_level_that_is_missing_or_unknown_is_told_with_the_person_and_the_levels(folder):
    minimised(folder)
    study = load_study(folder)
    name, stage = stage_of(study, None)
    lacking = people(3).with_columns(grade=pl.Series(["junior", None, None]))
    with pytest.raises(DesignError) as refusal:
        units_of(study, name, stage, lacking, "staff_ref")
    assert '"S001" has no "grade", which the draw balances; its levels are junior, senior' in str(
        refusal.value
    )
    assert '"S002"' in str(refusal.value)
    plan = arrivals_in(study, name, stage)
    assert plan.levels == {"grade": ("junior", "senior"), "nights": ("false", "true")}
    with pytest.raises(DesignError, match=r'"boss" is no level of grade\. Levels: junior, senior'):
        arm_on_arrival(plan, name, SEED, stratum="north", number=1, levels=["boss", "true"])


def test_a_factor_of_numbers_is_refused_when_the_roster_is_read(folder):
    minimised(folder)
    study = load_study(folder)
    name, stage = stage_of(study, None)
    with pytest.raises(DesignError, match='"grade" holds numbers, and minimisation balances levels'):
        units_of(study, name, stage, people(3).with_columns(grade=pl.Series([1.5, 2.5, 3.5])), "staff_ref")


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ([("enrolment: rolling", "enrolment: roster")], DesignError, "draws its roster at once"),
        ([("method: permuted-blocks ", "method: blocked ")], DesignError, "blocked needs all units"),
        (
            [
                ("unit: participant", "unit: team"),
                ("levels: [north, south]}", "}"),
                ("variance: HC2", "variance: CR2"),
            ],
            NotSupportedError,
            "clusters with rolling enrolment",
        ),
        ([("ratio: {control: 1, messages: 1}", BY_PERSON)], DesignError, "add it to `strata`"),
        (
            [("ratio: {control: 1, messages: 1}", RULES), ("levels: [north, south]}", "}")],
            DesignError,
            "declare the levels",
        ),
        (
            [
                (
                    "method: permuted-blocks ",
                    "method: matched-pairs\n  pair: team ",
                )
            ],
            DesignError,
            "matched-pairs needs all units before the draw",
        ),
    ],
)
def test_what_cannot_be_allocated_on_arrival_is_refused_before_the_first(folder, changes, error, said):
    for before, after in changes:
        edit(folder, before, after)
    study = load_study(folder)
    with pytest.raises(error, match=said):
        arrivals_in(study, *stage_of(study, None))


def test_a_place_before_the_first_is_refused():
    plan = arrival_plan({"control": 1, "messages": 1}, method="simple")
    with pytest.raises(DesignError, match="counted from 1"):
        arm_on_arrival(plan, "main", SEED, stratum="", number=0)


def test_nothing_is_drawn_without_a_lock_nor_with_another_secret(folder):
    study = load_study(folder)
    with pytest.raises(DesignError, match="not locked"):
        refuse_unready(study, "main", datetime(2030, 1, 1, tzinfo=UTC))
    with pytest.raises(CheckFailedError, match="not the secret"):
        stage_seed(locked(folder), "main", SEED, roster_hash="ab" * 32)


def test_the_table_of_arms_keeps_the_order_of_arrival(folder):
    from equipoise.allocation import draw_stage, given_seed

    study = load_study(folder)
    name, stage = stage_of(study, None)
    units = units_of(study, name, stage, people(9).reverse(), "staff_ref")
    drawn, _ = draw_stage(study, name, stage, units, given_seed(SEED.hex()))
    lines = arms_text(study, name, stage, units, drawn, "staff_ref").splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == [f"S{number:03}" for number in range(8, -1, -1)]


def test_a_study_that_changed_after_its_lock_is_not_allocated_from(folder, tmp_path):
    locked(folder)
    shutil.copytree(folder, tmp_path / "changed")
    edit(tmp_path / "changed", "control: 1, messages: 1", "control: 1, messages: 2")
    with pytest.raises(Exception, match="ratio"):
        refuse_unready(load_study(tmp_path / "changed"), "main", datetime(2030, 1, 1, tzinfo=UTC))
