"""The page of faults names twenty-five, and for each a test that is really there, or says that it cannot arise."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = re.findall(
    r"^\| F(\d+) \| ([^|]+) \| ([^|]+) \|([^|]*)\|$",
    (ROOT / "docs" / "explanation" / "faults.md").read_text("utf-8"),
    re.MULTILINE,
)
NAMED = [
    (number, *each) for number, _, _, where in ROWS for each in re.findall(r"`(tests/[^`:]+)::(\w+)`", where)
]


def test_all_faults_are_there_once_and_in_order():
    assert [int(number) for number, *_ in ROWS] == list(range(1, 26))


def test_each_has_a_test_or_cannot_arise_yet():
    tried = {number for number, *_ in NAMED}
    assert [number for number, _, says, _ in ROWS if number not in tried and says != "cannot arise yet"] == []


@pytest.mark.parametrize(
    ("number", "path", "name"), NAMED, ids=[f"F{number}-{name}" for number, _, name in NAMED]
)
def test_the_test_that_is_named_is_there(number, path, name):
    assert f"\ndef {name}(" in (ROOT / path).read_text("utf-8")
