"""What is installed is named exactly, and no host is named at all."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_PIN = re.compile(r"^[a-z0-9][a-z0-9.-]*==[0-9][0-9a-z.+]*$")


def lines(name):
    return (ROOT / "requirements" / name).read_text("utf-8").splitlines()


def normal(requirement):
    return re.sub(r"[-_.]+", "-", re.split(r"[\[<>=~! ]", requirement)[0].lower())


@pytest.mark.parametrize("name", ["run.txt", "dev.txt"])
def test_every_line_is_one_exact_version(name):
    assert [line for line in lines(name) if not _PIN.match(line)] == []


def test_the_tests_run_with_the_versions_that_users_get():
    assert set(lines("run.txt")) <= set(lines("dev.txt"))


def test_everything_that_the_project_declares_is_pinned():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    run, dev = ({normal(line) for line in lines(name)} for name in ("run.txt", "dev.txt"))
    assert {normal(line) for line in project["dependencies"]} <= run
    assert {normal(line) for line in project["optional-dependencies"]["dev"]} <= dev
