"""`allocate` of sequences of arms, of factors, and of later stages that hang on what happened before."""

import csv
import json
from collections import Counter

import pytest

from equipoise.allocation.scripts import redraw

SEED = "0123456789abcdef" * 4
PROTOCOL = """\
equipoise: 1
study: {id: designs, title: A trial, kind: trial, question: Does it work?, launch: 2021-03-01 09:00}
participants:
  roster:
    ref: {type: text, role: identifier}
    team: {type: category}
    region: {type: category}
DESIGN
waves:
  checkin: {survey: checkin, opens: launch + 1 day, closes: launch + 4 weeks}
  after: {survey: checkin, opens: launch + 12 weeks, closes: launch + 15 weeks}
outcomes:
  score: {column: score, role: primary, good: high}
analyses:
  effect: {outcomes: [score], contrast: CONTRAST, adjust: none, missing: none}
"""
SURVEY = """\
title: A word
minutes: 1
information: You can stop at any time.
pages:
  - id: one
    questions:
      - {id: well, type: single, ask: Are you well?, options: {yes: Yes, no: No}}
"""


@pytest.fixture
def folder(tmp_path):
    """A study of so many people in teams of four, with the design."""

    def make(design, contrast="texts - control", people=48):
        place = tmp_path / "designs"
        (place / "surveys").mkdir(parents=True, exist_ok=True)
        (place / "protocol.yaml").write_text(
            PROTOCOL.replace("DESIGN", design).replace("CONTRAST", contrast), "utf-8"
        )
        (place / "surveys" / "checkin.yaml").write_text(SURVEY, "utf-8")
        rows = [f"P{n:03},t{n // 4:02},{'north' if n < people / 2 else 'south'}" for n in range(people)]
        (tmp_path / "roster.csv").write_text("\n".join(["ref,team,region", *rows]) + "\n", "utf-8")
        return place

    return make


@pytest.fixture
def draw(run, tmp_path):
    def drawn(place, *words, out="arms.csv"):
        return run(
            "allocate",
            place,
            "--roster",
            tmp_path / "roster.csv",
            "--out",
            tmp_path / out,
            "--seed",
            SEED,
            *words,
        )

    return drawn


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def drawn_again(run, arms):
    """Whether the product finds the same arms as were written, and so does the script for strangers."""
    record = arms.with_name(f"{arms.name}.record.json")
    stranger = redraw.main([str(record), str(arms), SEED])
    return stranger == run("verify", record, "--seed", SEED).code == 0


WEDGE = """\
arms: {usual: {}, model: {}}
schedule:
  periods: {p1: launch, p2: p1 + 3 months, p3: p2 + 3 months, p4: p3 + 3 months}
  sequences: {first: [usual, model, model, model], second: [usual, usual, model, model], third: [usual, usual, usual, model]}
allocation: {unit: team, to: sequences, MORE}
"""


@pytest.mark.parametrize(
    "more",
    [
        "method: complete",
        "method: blocked, strata: [region]",
        "method: permuted-blocks, strata: [region], blocks: [1]",
        "method: minimised, balance: [region]",
        "method: rerandomised, criterion: {covariates: [region], accept: 0.5}",
        "method: matched-pairs, pair: {on: [region], of: 3}",
    ],
)
def test_clusters_are_drawn_to_the_sequences_of_a_stepped_wedge_by_every_method(
    run, folder, draw, tmp_path, more
):
    done = draw(folder(WEDGE.replace("MORE", more), contrast="model - usual"))
    assert done.code == 0, done.err
    people = rows(tmp_path / "arms.csv")
    teams = {row["team"]: row["arm"] for row in people}
    assert len({(row["team"], row["arm"]) for row in people}) == 12
    counts = Counter(teams.values())
    assert set(counts) == {"first", "second", "third"}
    if "minimised" not in more:
        assert set(counts.values()) == {4}
    balance = rows(tmp_path / "arms.balance.csv")
    assert {row["arm"] for row in balance} == {"first", "second", "third"}
    assert drawn_again(run, tmp_path / "arms.csv")


@pytest.mark.parametrize(
    ("design", "contrast", "arms"),
    [
        (
            "arms: {a: {}, b: {}, c: {}}\n"
            "schedule: {periods: [1, 2, 3], sequences: {abc: [a, b, c], bca: [b, c, a], cab: [c, a, b]}, washout: 2 weeks}\n"
            "allocation: {to: sequences, method: blocked, strata: [region]}",
            "b - a",
            {"abc": 16, "bca": 16, "cab": 16},
        ),
        (
            "arms: {wait: {}, texts: {}}\n"
            "schedule: {periods: {p1: launch, p2: p1 + 3 months}, sequences: {now: [texts, texts], later: [wait, texts]}}\n"
            "allocation: {to: sequences, method: complete}",
            "texts - wait",
            {"later": 24, "now": 24},
        ),
        (
            "arms: {neither: {}, texts: {}, calls: {}, both: {}}\n"
            "allocation: {method: complete, when: launch}",
            "texts - neither",
            {"both": 12, "calls": 12, "neither": 12, "texts": 12},
        ),
    ],
)
def test_a_latin_square_a_waiting_list_and_factors_are_drawn(
    run, folder, draw, tmp_path, design, contrast, arms
):
    done = draw(folder(design, contrast=contrast))
    assert done.code == 0, done.err
    assert Counter(row["arm"] for row in rows(tmp_path / "arms.csv")) == arms
    assert drawn_again(run, tmp_path / "arms.csv")


FACTORS = """\
allocation:
  words: {arms: {plain: {}, warm: {}}, method: blocked, when: launch}
  prize: {arms: {none: {}, voucher: {}}, method: blocked, strata: [region], when: launch}
"""


def test_factors_that_are_stages_of_their_own_are_drawn_independently(run, folder, draw, tmp_path) -> None:
    place = folder(FACTORS, contrast="words.warm - words.plain")
    for stage in ("words", "prize"):
        done = draw(place, "--stage", stage, out=f"{stage}.csv")
        assert done.code == 0, done.err
        assert drawn_again(run, tmp_path / f"{stage}.csv")
    words = {row["ref"]: row["words"] for row in rows(tmp_path / "words.csv")}
    prize = {row["ref"]: row["prize"] for row in rows(tmp_path / "prize.csv")}
    assert len(Counter((words[ref], prize[ref]) for ref in words)) == 4


SMART = """\
allocation:
  main: {arms: {control: {}, texts: {}}, method: blocked, when: launch}
  second:
    arms: {nothing: {}, call: {}}
    among: "main == 'texts' && !answered(checkin)"
    method: blocked
    strata: [region]
    when: launch + 5 weeks
"""


@pytest.fixture
def smart(folder, draw, tmp_path):
    """A trial whose main stage is drawn, and a file of who answered the check-in: every third person."""
    place = folder(SMART, contrast="second.call - second.nothing")
    assert draw(place, "--stage", "main", out="main.csv").code == 0
    answered = [f"P{n:03},2021-03-0{2 + n % 7} 10:00" if n % 3 == 0 else f"P{n:03}," for n in range(47)]
    (tmp_path / "answers.csv").write_text("\n".join(["ref,answered_checkin", *answered]) + "\n", "utf-8")
    return place


def test_those_who_did_not_respond_are_drawn_again_from_the_arms_and_the_answers(run, smart, draw, tmp_path):
    known = ("--known", tmp_path / "main.csv", "--known", tmp_path / "answers.csv")
    done = draw(smart, "--stage", "second", *known, out="second.csv")
    assert done.code == 0, done.err
    main = {row["ref"]: row["main"] for row in rows(tmp_path / "main.csv")}
    silent = {ref for ref, arm in main.items() if arm == "texts" and (int(ref[1:]) % 3 or ref == "P047")}
    again = rows(tmp_path / "second.csv")
    assert {row["ref"] for row in again} == silent
    assert {row["second"] for row in again} == {"nothing", "call"}
    assert json.loads((tmp_path / "second.csv.record.json").read_text())["strata"] == ["region"]
    assert drawn_again(run, tmp_path / "second.csv")


@pytest.mark.parametrize(
    ("edit", "words", "message"),
    [
        (None, (), "selects people by main, answered_checkin, which no roster holds; give the files"),
        (None, ("main.csv",), "selects people by answered_checkin"),
        (("answers.csv", "ref,", "person,"), ("main.csv", "answers.csv"), 'answers.csv: has no column "ref"'),
        (("answers.csv", "P001,", "P000,"), ("main.csv", "answers.csv"), '"P000": more than one row'),
        (("main.csv", ",texts,", ",tetxs,"), ("main.csv", "answers.csv"), '"tetxs" is not an arm of main'),
        (("answers.csv", "answered_checkin", "seen"), ("main.csv", "answers.csv"), "has none of the columns"),
        (None, ("main.csv", "main.csv", "answers.csv"), ""),
    ],
)
def test_what_is_known_must_fit_the_stage(smart, draw, tmp_path, edit, words, message) -> None:
    if edit is not None:
        file, before, after = edit
        text = (tmp_path / file).read_text("utf-8")
        (tmp_path / file).write_text(text.replace(before, after, 1), "utf-8")
    known = [word for file in words for word in ("--known", tmp_path / file)]
    done = draw(smart, "--stage", "second", *known, out="second.csv")
    assert done.code == (2 if message else 0)
    assert message in done.err
    assert (tmp_path / "second.csv").exists() != bool(message)


SQUARE = """\
arms: {a: {}, b: {}, c: {}}
schedule: {periods: [1, 2, 3], sequences: {one: [a, b, c], two: [b, c, a], three: [LAST]}, washout: 2 weeks}
allocation: {to: sequences, method: complete}
"""


def test_check_says_when_sequences_are_no_latin_square_and_passes_them(run, folder) -> None:
    done = run("check", folder(SQUARE.replace("LAST", "c, a, b"), contrast="b - a"))
    assert done.code == 0, done.err
    assert "unequal shares" not in done.out
    done = run("check", folder(SQUARE.replace("LAST", "a, c, b"), contrast="b - a"))
    assert done.code == 0
    assert "in period p1 the arms have unequal shares (a 2, b 1, c 0)" in done.out
    assert "period p3" not in done.out
    done = run("check", folder(WEDGE.replace("MORE", "method: complete"), contrast="model - usual"))
    assert "unequal shares" not in done.out


def test_two_stages_that_make_pairs_are_refused(run, folder) -> None:
    pairs = FACTORS.replace("method: blocked", "method: matched-pairs, pair: {on: [region]}").replace(
        ", strata: [region]", ""
    )
    done = run("check", folder(pairs, contrast="words.warm - words.plain"))
    assert done.code == 2
    assert "the stage words makes pairs too" in done.err


TEAMS = "arms: {control: {}, texts: {}}\nallocation: {unit: team, strata: [region], ratio: equal, WHOLE}"


def test_no_group_that_must_stay_whole_is_split_between_arms(run, folder, draw, tmp_path):
    done = draw(folder(TEAMS.replace("WHOLE", "whole: team")))
    assert done.code == 0, done.err
    people = rows(tmp_path / "arms.csv")
    assert len({(row["team"], row["arm"]) for row in people}) == len({row["team"] for row in people}) == 12

    done = draw(folder(TEAMS.replace("WHOLE", "whole: [team, region]")), out="more.csv")
    assert done.code == 2
    assert 'people of region "north" are in 6 units that are drawn apart ("t00", "t01", "t02")' in done.err
    assert "`unit: region`" in done.err
    assert not (tmp_path / "more.csv").exists()


@pytest.mark.parametrize(
    ("allocation", "message"),
    [
        ("{ratio: equal, whole: team}", "draw each team as a whole: `unit: team`"),
        ("{unit: team, ratio: equal, whole: [teem]}", '"teem" is not a roster or derived column'),
    ],
)
def test_groups_that_no_draw_could_keep_whole_are_told_before_it(run, folder, allocation, message):
    done = run("check", folder(f"arms: {{control: {{}}, texts: {{}}}}\nallocation: {allocation}"))
    assert done.code == 2
    assert message in done.err
    assert "protocol.yaml:" in done.err


@pytest.mark.parametrize("ratio", ["{control: 0.4, texts: 0.6}", "{control: 2, texts: 3}"])
def test_a_ratio_is_written_in_whole_numbers_or_in_probabilities(run, folder, draw, tmp_path, ratio):
    done = draw(folder(f"arms: {{control: {{}}, texts: {{}}}}\nallocation: {{ratio: {ratio}}}", people=50))
    assert done.code == 0, done.err
    assert Counter(row["arm"] for row in rows(tmp_path / "arms.csv")) == {"control": 20, "texts": 30}
    record = json.loads((tmp_path / "arms.csv.record.json").read_text("utf-8"))
    assert record["ratio"] == {"": {"control": 2, "texts": 3}}


def test_probabilities_that_do_not_sum_to_one_are_told_with_their_sum(run, folder):
    done = run(
        "check", folder("arms: {control: {}, texts: {}}\nallocation: {ratio: {control: 0.4, texts: 0.5}}")
    )
    assert done.code == 2
    assert "sum to 1, found 0.4 + 0.5 = 0.9" in done.err
    assert "protocol.yaml:" in done.err
