"""`allocate`, `verify` and `analyse` where the draw looks at covariates: rerandomised, and made pairs."""

import csv
import json
from collections import Counter
from datetime import date
from itertools import pairwise

import numpy as np
import pytest

SEED = "0123456789abcdef" * 4
PROTOCOL = """\
equipoise: 1
study: {id: alike, title: A trial, kind: trial, question: Does it work?, launch: 2021-03-01 09:00}
participants:
  roster:
    ref: {type: text, role: identifier}
    site: {type: category}
    age: {type: number}
    grade: {type: category}
    joined: {type: date}
    pair_no: {type: text}
ALLOCATION
outcomes:
  score: {column: score, role: primary, good: high}
analyses:
  effect: {outcomes: [score], contrast: texts - control, missing: none}
"""
TWO = "arms: {control: {}, texts: {}}\nallocation: {ratio: {control: 1, texts: 1}, when: launch, MORE}"
THREE = "arms: {calls: {}, control: {}, texts: {}}\nallocation: {when: launch, MORE}"


@pytest.fixture
def trial(tmp_path, run):
    """Draws a trial of so many people: its protocol, the outcome of the command, its arms and its record."""

    def make(more, people=40, arms=TWO, change=None):
        folder = tmp_path / "alike"
        folder.mkdir(exist_ok=True)
        (folder / "protocol.yaml").write_text(PROTOCOL.replace("ALLOCATION", arms.replace("MORE", more)))
        rows = invented(people) if change is None else change(invented(people))
        write(tmp_path / "roster.csv", rows)
        done = run(
            "allocate", folder, "--roster", tmp_path / "roster.csv", "--out", tmp_path / "arms.csv",
            "--seed", SEED,
        )  # fmt: skip
        return done, tmp_path

    return make


def invented(people):
    rng = np.random.default_rng(people)
    return [
        {
            "ref": f"P{number:03}",
            "site": "north" if number < people // 2 else "south",
            "age": int(rng.integers(20, 60)),
            "grade": str(rng.choice(["a", "b", "c"])),
            "joined": f"20{int(rng.integers(10, 20))}-03-{int(rng.integers(10, 28))}",
            "pair_no": str(number // 2),
        }
        for number in range(people)
    ]


def write(path, rows):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def answered(place, effect=4.0):
    """The arms and the roster with an outcome, as data to analyse."""
    rng = np.random.default_rng(8)
    people = {row["ref"]: row for row in read(place / "roster.csv")}
    rows = [row | people[row["ref"]] for row in read(place / "arms.csv")]
    for row in rows:
        row["score"] = round(effect * (row["arm"] == "texts") + float(row["age"]) / 10 + rng.normal(), 3)
    write(place / "data.csv", rows)


def found(run, place, *words):
    done = run("analyse", place / "alike", "--data", place / "data.csv", "--out", place / "found", *words)
    assert done.code == 0, done.err
    findings = json.loads((place / "found" / "findings.json").read_text())["findings"]
    return next(one for one in findings if one["kind"] == "effect")


CRITERION = (
    "method: rerandomised, strata: [site], criterion: {covariates: [age, grade, joined], accept: 0.05}"
)


def test_a_rerandomised_trial_is_drawn_verified_and_analysed_with_its_covariates(run, trial) -> None:
    done, place = trial(CRITERION)
    assert done.code == 0, done.err
    record = json.loads((place / "arms.csv.record.json").read_text())
    assert record["beside"] == ["age", "grade", "joined"]
    assert record["numbers"] == ["age", "joined"]
    assert record["accepted"]["distance"] <= record["accepted"]["threshold"]
    assert record["accepted"]["candidate"] >= 1
    assert (record["accept"], record["estimated"]) == (0.05, None)
    assert run("verify", place / "arms.csv.record.json", "--seed", SEED).code == 0
    rows = read(place / "arms.csv")
    means = [
        np.mean([float(row["age"]) for row in rows if row["arm"] == arm]) for arm in ("control", "texts")
    ]
    assert abs(means[0] - means[1]) < 3
    record["accepted"]["candidate"] += 1
    (place / "arms.csv.record.json").write_text(json.dumps(record))
    told = run("verify", place / "arms.csv.record.json", "--seed", SEED)
    assert told.code == 1
    assert "accepted" in told.err + told.out


def test_the_analysis_of_a_rerandomised_trial_adjusts_for_the_criterion_and_draws_again_by_it(run, trial):
    _, place = trial(CRITERION)
    answered(place)
    effect = found(run, place)
    rows = read(place / "data.csv")
    wide = [
        (row["arm"] == "texts", 1, float(row["age"]), row["grade"] == "b", row["grade"] == "c",
         (date.fromisoformat(row["joined"]) - date(2015, 1, 1)).days, row["site"] == "north")
        for row in rows
    ]  # fmt: skip
    fit = np.linalg.lstsq(np.array(wide, float), np.array([float(row["score"]) for row in rows]), rcond=None)
    assert effect["estimate"] == pytest.approx(fit[0][0], abs=1e-8)
    protocol = place / "alike" / "protocol.yaml"
    protocol.write_text(
        protocol.read_text().replace("missing: none", "missing: none, test: {by: randomisation, draws: 199}")
    )
    again = found(run, place)
    assert again["draws"] == 199
    assert again["p_value"] == pytest.approx(1 / 200)


def test_pairs_are_made_within_strata_and_stand_in_the_record_so_nobody_need_match_again(run, trial) -> None:
    done, place = trial("method: matched-pairs, strata: [site], pair: {on: [age, grade]}", people=42)
    assert done.code == 0, done.err
    record = json.loads((place / "arms.csv.record.json").read_text())
    assert record["strata"] == ["site", "pair"]
    rows = read(place / "arms.csv")
    pairs = Counter((row["site"], row["pair"]) for row in rows)
    assert sorted(pairs.values()) == [1] * 2 + [2] * 20  # 21 people of each site: one is left over
    assert {pair for (_, pair), count in pairs.items() if count == 1} == {"left over"}
    assert all(
        count == 1
        for count in Counter((r["pair"], r["arm"]) for r in rows if r["pair"] != "left over").values()
    )
    assert 'stratum "north,left over" (1)' in done.err
    assert run("verify", place / "arms.csv.record.json", "--seed", SEED).code == 0
    answered(place)
    rows = read(place / "data.csv")
    ages = {row["pair"]: [float(r["age"]) for r in rows if r["pair"] == row["pair"]] for row in rows}
    assert np.mean([abs(a - b) for a, b in (two for two in ages.values() if len(two) == 2)]) < 6
    effect = found(run, place)
    assert abs(effect["estimate"] - 4) < 1
    differences = [
        sum((1 if r["arm"] == "texts" else -1) * float(r["score"]) for r in rows if r["pair"] == pair)
        for pair in ages
        if pair != "left over"
    ]
    assert effect["estimate"] == pytest.approx(np.mean(differences))
    assert effect["std_error"] == pytest.approx(np.std(differences, ddof=1) / 20**0.5)


def test_threesomes_are_alike_and_each_has_every_arm(trial) -> None:
    done, place = trial("ratio: equal, method: matched-pairs, pair: {on: [age], of: 3}", arms=THREE)
    assert done.code == 0, done.err
    answered(place)
    rows = read(place / "data.csv")
    threes = {row["pair"]: [r for r in rows if r["pair"] == row["pair"]] for row in rows}
    assert len(threes.pop("left over")) == 1
    assert all({row["arm"] for row in three} == {"calls", "control", "texts"} for three in threes.values())
    ages = [sorted(float(row["age"]) for row in three) for three in threes.values()]
    assert max(three[2] - three[0] for three in ages) <= 8


def test_pairs_told_by_a_column_are_drawn_within_it_and_a_single_one_is_named(trial) -> None:
    done, place = trial("method: matched-pairs, pair: pair_no")
    assert done.code == 0, done.err
    rows = read(place / "arms.csv")
    assert all(one["arm"] != two["arm"] for one, two in pairwise(rows) if one["pair_no"] == two["pair_no"])
    for file in place.glob("arms*"):
        file.unlink()
    done, _ = trial("method: matched-pairs, pair: pair_no", change=lambda rows: rows[1:])
    assert done.code == 2
    assert 'pairs that do not come out: "0" has 1, the ratio takes 2; give each its partner' in done.err


@pytest.mark.parametrize(
    ("more", "change", "message"),
    [
        ("criterion: {covariates: [age], accept: 0.05}", lambda rows: [r | {"age": 41} for r in rows], "age is the same for all units"),
        ("criterion: {covariates: [age], accept: 0.05}", lambda rows: rows[:8], "about 70 allocations are possible, of which 0.05 leaves 3.5"),
        ("criterion: {covariates: [site], accept: 0.01}", None, "of draws balance the covariates equally well"),
        ("criterion: {covariates: [age, grade, pair_no, joined], accept: 0.5}", lambda rows: rows[:8], "for 8 units in one stratum cannot be told apart; with so many columns 9 units are needed"),
        ("criterion: {covariates: [age, age], accept: 0.05}", None, '"age" is there twice'),
        ("criterion: {covariates: [ref], accept: 0.05}", None, '"ref" tells people apart'),
    ],
)  # fmt: skip
def test_a_criterion_that_nothing_could_meet_is_refused_with_what_would_make_it_possible(
    trial, more, change, message
):
    done, place = trial(f"method: rerandomised, {more}", change=change)
    assert done.code == 2
    assert message in done.err
    assert not (place / "arms.csv").exists()


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ("{on: [age], of: 3}", "3 belong together and the ratio 1:1 takes 2; write `of: 2`"),
        ("{on: [shoe]}", "shoe"),
        ("{on: [ref]}", '"ref" tells people apart'),
    ],
)
def test_pairs_that_do_not_fit_the_ratio_or_the_roster_are_refused(trial, pair, message) -> None:
    done, _ = trial(f"method: matched-pairs, pair: {pair}")
    assert done.code == 2
    assert message in done.err
