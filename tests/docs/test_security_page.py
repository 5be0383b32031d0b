"""The security page names only tests that are there, and leaves no requirement without an answer."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/explanation/security.md").read_text("utf-8")
_PATH = re.compile(r"`(tests/[^`]+)`")
_ID = re.compile(r"\b\d+\.\d+\.\d+\b")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if re.match(r"\| \d+\.\d+\.\d+", line)
]


def of(row):
    return row[0]


@pytest.mark.parametrize("row", ROWS, ids=of)
def test_every_requirement_has_a_test_or_says_that_it_has_none(row):
    _, requirement, how, where = row
    assert requirement
    assert how
    answers = [*_PATH.findall(where), *(word for word in ("not yet", "out of scope") if word in where)]
    assert answers, row[0]
    assert re.sub(r"`tests/[^`]+`|not yet|out of scope|[ ,]", "", where) == ""


@pytest.mark.parametrize("path", sorted(set(_PATH.findall(PAGE))))
def test_every_test_that_the_page_names_is_there_and_tests_something(path):
    text = (ROOT / path).read_text("utf-8")
    assert re.search(r"^def test_\w+", text, re.MULTILINE)
    assert "assert" in text


def test_as_many_requirements_are_answered_as_the_page_says_each_of_them_once():
    answered = [each for row in ROWS for each in _ID.findall(row[0])]
    said = int(re.search(r"a choice of (\d+) requirements", PAGE)[1])
    assert len(answered) == len(set(answered)) == said
    first = [[int(part) for part in _ID.search(row[0])[0].split(".")] for row in ROWS]
    assert first == sorted(first)


def test_the_page_says_what_is_not_possible_as_often_as_what_is_done():
    from_whom = PAGE.split("## From whom")[1].split("\n## ")[0]
    of_each = from_whom.split("\n### ")[1:]
    assert len(of_each) >= 8
    for said in of_each:
        assert said.count("**Done.**") == said.count("**Not possible.**") == 1, said.splitlines()[0]


@pytest.mark.parametrize(("mark", "most"), [("A", 15), ("", 10)], ids=["abuses", "decisions"])
def test_every_abuse_and_every_decision_has_a_test_or_cannot_arise_yet(mark, most):
    rows = re.findall(rf"^\| {mark}(\d+) [^|]+\|([^|]+)\|([^|]+)\|$", PAGE, re.MULTILINE)
    assert [int(number) for number, _, _ in rows] == list(range(1, most + 1))
    for number, what, where in rows:
        assert what.strip(), number
        assert _PATH.findall(where) or where.strip() == "cannot arise yet", number


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`(platform/[^`]+|bench/[^`]+)`", PAGE))))
def test_every_part_of_the_source_that_the_page_names_is_there(path):
    assert (ROOT / "src" / "equipoise" / path).exists() or (ROOT / path).exists()
