"""The scripts for strangers: the same arms from the public record in plain Python and in R, or where they differ."""

import json
import random
import subprocess
import sys
import unicodedata

import pytest
from tests.unit.allocation.published import SECRET, people, publish, strata_of

from equipoise.allocation import METHODS
from equipoise.allocation.beside import Beside
from equipoise.allocation.scripts import script_of

EVEN = {"control": 1, "messages": 1}
ODD = {"c": 2, "a": 1, "b": 4}
TWO = {"site": strata_of(61, 17, 3, 1, 9), "grade": (["a", "b", ""] * 21)[:61]}
SITE = {"site": strata_of(61, 20, 0, 0, 18)}
FACTORS = {"sex": strata_of(61, 31), "band": ([f"band {n}" for n in (1, 2, 3, 3)] * 16)[:61]}
COVARIATES = {
    "age": [str(20 + 7 * n % 41) for n in range(61)],
    "pay": [f"{1.5 * (n % 13) ** 2 - n:.2f}" for n in range(61)],
    "grade": (["low", "high", "middle", "low"] * 16)[:61],
}
PAIRS = [f"pair {n // 2}" for n in range(60)] + ["pair 29"]


# Many runs in one process: starting R takes longer than drawing.
MANY = {
    "python": """
import contextlib, io, json, runpy, sys
main = runpy.run_path(sys.argv[1])["main"]
for words in json.load(open(sys.argv[2], encoding="utf-8")):
    told = io.StringIO()
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
        code = main(words)
    print(json.dumps([code, told.getvalue().strip()]))
""",
    "r": """
words <- commandArgs(trailingOnly = TRUE)
source(words[1], encoding = "UTF-8")
for (each in jsonlite::fromJSON(words[2], simplifyVector = FALSE)) {
  code <- 0
  told <- capture.output({ said <- capture.output(code <- main(unlist(each)), type = "message") })
  cat(jsonlite::toJSON(list(code, trimws(paste(c(told, said), collapse = "\n"))), auto_unbox = TRUE), "\n")
}
""",
}
INTERPRETERS = {"python": [sys.executable, "-I", "-S"], "r": ["Rscript", "--vanilla"]}
LANGUAGES = pytest.mark.parametrize("language", INTERPRETERS)


def stranger(folder, language, *words, locale="C.UTF-8", program=None):
    """Run a script as a stranger does: a lone file, by an interpreter that knows nothing of the product."""
    script = folder / script_of(language).name
    script.write_text(script_of(language).text, encoding="utf-8")
    return subprocess.run(
        [*INTERPRETERS[language], *filter(None, [program]), script, *map(str, words)],
        capture_output=True,
        encoding="utf-8",
        env={"PATH": "/usr/bin:/bin", "LC_ALL": locale, "PYTHONUTF8": "1"},
        check=False,
    )


def answers(folder, language, runs):
    """What a script says to each of many runs, and with which code it ends."""
    program, wanted = folder / f"many-{language}", folder / f"{language}.json"
    program.write_text(MANY[language], encoding="utf-8")
    wanted.write_text(json.dumps([[str(word) for word in words] for words in runs]), encoding="utf-8")
    told = stranger(folder, language, wanted, program=program)
    assert told.returncode == 0, told.stderr
    return [tuple(json.loads(line)) for line in told.stdout.splitlines()]


def by_stratum(strata, *ratios):
    """Ratios in turn to the strata, as the draw labels them."""
    from equipoise.allocation import strata_labels

    labels = sorted(set(strata_labels(list(strata.values()))))
    return {label: ratios[place % len(ratios)] for place, label in enumerate(labels)}


DESIGNS = {
    "simple": ({}, EVEN, {"method": "simple"}),
    "simple-by-stratum": (TWO, by_stratum(TWO, EVEN, {"control": 3, "messages": 2}), {"method": "simple"}),
    "complete": (TWO, ODD, {"method": "complete", "stage": "second_draw"}),
    "blocked": (TWO, ODD, {"method": "blocked"}),
    "blocked-without-strata": ({}, ODD, {"method": "blocked"}),
    "blocked-by-stratum": (TWO, by_stratum(TWO, ODD, {"a": 1, "b": 1, "c": 1}), {"method": "blocked"}),
    "permuted-blocks": (TWO, EVEN, {"method": "permuted-blocks", "blocks": [4, 1, 2]}),
    "rolling-simple": (TWO, ODD, {"method": "simple", "arrival": True}),
    "rolling-blocks": (TWO, EVEN, {"method": "permuted-blocks", "arrival": True}),
    "minimised": (
        SITE,
        EVEN,
        {"method": "minimised", "beside": Beside(FACTORS, coin=0.8, measure="range")},
    ),
    "minimised-by-weight": (
        {},
        ODD,
        {"method": "minimised", "beside": Beside(FACTORS, coin=0.85, weights=(3, 1), measure="variance")},
    ),
    "rolling-minimised": (
        SITE,
        ODD,
        {"method": "minimised", "arrival": True, "beside": Beside(FACTORS, coin=0.7, measure="range")},
    ),
    "rerandomised": (
        SITE,
        ODD,
        {"method": "rerandomised", "beside": Beside(COVARIATES, accept=0.05, numbers=("age", "pay"))},
    ),
    "matched-pairs": ({"pair": PAIRS}, EVEN, {"method": "matched-pairs"}),
    "clusters": (TWO, ODD, {"method": "blocked", "unit": "team", "sizes": 3}),
}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Every design as it was published, and what each language makes of it."""
    folder = tmp_path_factory.mktemp("designs")
    found = []
    for name, (strata, ratio, how) in DESIGNS.items():
        (folder / name).mkdir()
        found.append(publish(folder / name, people(61), strata, ratio, **how))
    return {
        language: dict(zip(DESIGNS, answers(folder, language, found), strict=True))
        for language in INTERPRETERS
    }


@LANGUAGES
@pytest.mark.parametrize("name", DESIGNS)
def test_a_stranger_draws_the_same_arms(drawn, language, name):
    method = DESIGNS[name][2]["method"]
    assert drawn[language][name] == (0, f"same: 61 units drawn again by {method}, every arm as published")


def any_design(seed):
    """A design by chance: units, strata of any sizes, a ratio for each stratum or for all, a method, blocks."""
    chance = random.Random(seed)
    units = people(chance.randint(4, 40))
    strata = {
        name: [chance.choice(["", "x,y", 'a"b', "süd", "NA"][: chance.randint(1, 5)]) for _ in units]
        for name in ("site", "grade, old")[: chance.randint(0, 2)]
    }
    arms = chance.sample(["b", "a", "ä", "Z", "10"], chance.randint(2, 4))
    shares = [dict.fromkeys(arms, 1), {arm: chance.randint(1, 3) for arm in arms}]
    method = chance.choice(["simple", "blocked", "permuted-blocks", "complete"])
    ratio = shares[1]
    if strata and method != "complete" and chance.random() < 0.5:
        ratio = by_stratum(strata, *shares)
    how = {"method": method, "stage": chance.choice(["main", "second_draw"])}
    if method == "permuted-blocks":
        how["blocks"] = chance.sample([1, 2, 3, 5], chance.randint(1, 3))
    if method in ("simple", "permuted-blocks"):
        how["arrival"] = chance.random() < 0.5
    return units, strata, ratio, how


def test_designs_by_chance_are_drawn_again_in_both_languages(tmp_path):
    found = []
    for seed in range(30):
        units, strata, ratio, how = any_design(seed)
        (tmp_path / str(seed)).mkdir()
        found.append(publish(tmp_path / str(seed), units, strata, ratio, **how))
    for language in INTERPRETERS:
        told = answers(tmp_path, language, found)
        assert [(seed, said) for seed, (code, said) in enumerate(told) if code != 0] == []


def test_every_method_is_drawn_again_at_once_and_in_order_of_arrival():
    tried = {(how["method"], how.get("arrival", False)) for _, _, how in DESIGNS.values()}
    assert tried >= {(name, False) for name in METHODS}
    assert tried >= {(name, True) for name, method in METHODS.items() if method.arrive is not None}


@LANGUAGES
@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_a_script_runs_alone_whatever_the_machine_knows_of_accents(tmp_path, language, locale):
    found = publish(tmp_path, people(61), TWO, ODD, method="blocked")
    ended = stranger(tmp_path, language, *found[:3], locale=locale)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("same: 61 units")


@LANGUAGES
def test_names_in_another_normal_form_are_never_called_another_roster(tmp_path, language):
    units = [unicodedata.normalize("NFD", name) for name in people(24)]
    found = publish(tmp_path, units, {}, EVEN, method="blocked")
    ended = stranger(tmp_path, language, *found)
    can = ended.returncode == 0
    assert can or (language == "r" and ended.returncode == 2 and "stringi" in ended.stderr)


def edited(found, **values):
    record = json.loads(found.record.read_text("utf-8"))
    found.record.write_text(json.dumps(record | values), encoding="utf-8")


def added(found, row):
    found.arms.write_text(found.arms.read_text("utf-8") + row + "\n", encoding="utf-8")


def put_in_another_arm(found, name="Łukasz"):
    lines = found.arms.read_text("utf-8").splitlines()
    row = next(row for row, line in enumerate(lines) if line.startswith(f"{name},"))
    before, _, after = lines[row].rsplit(",", 2)
    lines[row] = f"{before},elsewhere,{after}"
    found.arms.write_text("\n".join(lines) + "\n", encoding="utf-8")


def moved(found):
    text = found.arms.read_text("utf-8")
    found.arms.write_text(text.replace("süd", "rest", 1), encoding="utf-8")


CHANGES = {
    "arm": (put_in_another_arm, 1, 'unit "Łukasz" is said to be in arm "elsewhere", the draw gives "'),
    "arms": (put_in_another_arm, 1, "1 of 61 differ"),
    "secret": (lambda found: found.secret.write_text("0" * 64), 1, "not the one that was committed to"),
    "round": (lambda found: edited(found, roster_recorded="2024-07-01T02:09:28Z"), 1, "rule gives 9000002"),
    "somebody more": (lambda found: added(found, "new,rest,a,a,0.5"), 1, "not as in the roster"),
    "stratum": (moved, 1, "not as in the roster that was hashed"),
    "roster": (lambda found: found.roster.write_text("participant\n"), 1, "roster.csv: is not the roster"),
    "count": (lambda found: edited(found, counts={}), 1, "the draw gives"),
    "blocks": (lambda found: edited(found, method="permuted-blocks", blocks=[0]), 2, "below 1"),
    "no record": (lambda found: found.record.unlink(), 2, "arms.csv.record.json"),
    "no JSON": (lambda found: found.record.write_text("{"), 2, "is no JSON"),
    "another format": (lambda found: edited(found, equipoise=2), 2, "in format 1"),
    "a list": (lambda found: found.record.write_text("[1]"), 2, "in format 1"),
    "a field": (lambda found: found.record.write_text('{"equipoise": 1, "method": "simple"}'), 2, "lacks"),
    "another method": (lambda found: edited(found, method="dice"), 2, "cannot draw by dice"),
    "another type": (lambda found: edited(found, public_round="x"), 2, "not as it was written"),
    "no secret": (lambda found: found.secret.write_text("swordfish"), 2, "64 hexadecimal digits"),
    "no roster": (lambda found: found.roster.unlink(), 2, "roster.csv"),
    "bytes": (lambda found: found.arms.write_bytes(b"\xff\xfe\x00"), 2, "is no text in UTF-8"),
    "no rows": (lambda found: found.arms.write_text("staff_ref,site,grade,arm\n"), 2, "has no rows"),
    "a column": (lambda found: found.arms.write_text("ref,site,arm\na,b,c\n"), 2, "has no column grade"),
    "cells": (lambda found: added(found, "a,b"), 2, "arms.csv"),
    "twice": (lambda found: added(found, "0012,rest,a,a,0.5"), 2, '"0012" is there twice'),
}


@pytest.fixture(scope="module")
def wrong(tmp_path_factory):
    """What each language says where something is wrong."""
    folder = tmp_path_factory.mktemp("changes")
    runs = []
    for name, (alter, _, _) in CHANGES.items():
        (folder / name).mkdir()
        runs.append(publish(folder / name, people(61), TWO, ODD, method="blocked"))
        alter(runs[-1])
    clusters = publish(folder, people(20), {}, EVEN, method="blocked", unit="team", sizes=2)
    added(clusters, "p0-2,Zoë,elsewhere,0.5")
    names = [*CHANGES, "clusters", "help"]
    runs += [clusters, ["--help"]]
    return {
        language: dict(zip(names, answers(folder, language, runs), strict=True)) for language in INTERPRETERS
    }


@LANGUAGES
@pytest.mark.parametrize("name", CHANGES)
def test_what_is_wrong_is_said_in_one_line(wrong, language, name):
    code, told = wrong[language][name]
    assert CHANGES[name][2] in told
    assert code == CHANGES[name][1]
    assert len(told.splitlines()) == 1


@LANGUAGES
def test_a_cluster_in_two_arms_is_named(wrong, language):
    code, told = wrong[language]["clusters"]
    assert code == 1
    assert 'arms.csv:42: "Zoë" is drawn whole, and is said to be in two arms' in told


@LANGUAGES
def test_wrong_words_say_how_it_is_used(wrong, language):
    code, told = wrong[language]["help"]
    assert code == 2
    assert "RECORD ARMS SECRET [ROSTER]" in told


@LANGUAGES
def test_the_secret_may_be_given_in_words_and_a_difference_is_the_exit_code(tmp_path, language):
    found = publish(tmp_path, people(20), {}, EVEN, method="complete")
    put_in_another_arm(found)
    ended = stranger(tmp_path, language, found.record, found.arms, SECRET.hex())
    assert ended.returncode == 1
    assert ended.stdout.startswith('differs: unit "Łukasz"')
