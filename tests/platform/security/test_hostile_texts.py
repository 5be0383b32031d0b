"""Texts made to keep the program busy or to fill its memory: refused, or read in a time that grows with length.

Each corpus is read in a process of its own that gets so much memory and so much of the processor and no more, so
that what is wrong here ends a child and not the tests.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
GIGABYTE = 1 << 30


def in_bounds(script, seconds):
    """What a script of this folder prints, read as JSON; it dies of a gigabyte too much or of too much work."""
    bounds = (
        f"import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_AS, (2 * {GIGABYTE}, 2 * {GIGABYTE}));"
        f"resource.setrlimit(resource.RLIMIT_CPU, ({seconds}, {seconds})); runpy.run_path(sys.argv[1], run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", bounds, HERE / script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def read():
    return in_bounds("hostile_yaml.py", seconds=30)


def test_yaml_that_is_made_to_harm_is_refused_with_its_file_and_line(read):
    for name, said in read["refused"].items():
        assert said.startswith("study/protocol.yaml"), (name, said)
        assert "ProtocolError" not in said, name
    assert len(read["refused"]) >= 25
    assert read["taken"] == []


def test_yaml_that_only_looks_odd_is_read_for_what_it_says(read):
    assert read["plain"] == {
        "no": "NO",
        "sexagesimal": "1:59:59",
        "date": "2021-03-01",
        "merge": {"<<": "x"},
        "on": "on",
        "octal": 8.0,
    }


def test_yaml_is_refused_while_it_is_read_and_not_after(read):
    """The line that is told lies far before the file's end."""
    assert read["refused"]["a million keys"].startswith("study/protocol.yaml:10000:")
    assert read["refused"]["ten thousand levels, one a line"].startswith("study/protocol.yaml:41:")


def test_no_pattern_of_ours_takes_the_square_of_a_texts_length():
    tried = in_bounds("hostile_patterns.py", seconds=60)
    assert tried["slow"] == []
    assert tried["patterns"] > 60
    assert tried["texts"] > 20
    assert tried["would notice"] == ["(a+)+$", r"\s+$"]


def test_expressions_of_a_protocol_and_answers_of_participants_do_not_either():
    tried = in_bounds("hostile_entries.py", seconds=15)
    assert tried["unanswered"] == []
    assert tried["answers"] >= 60
    assert tried["expressions"] >= 10
