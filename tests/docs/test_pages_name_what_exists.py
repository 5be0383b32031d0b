"""Commands, targets, files and words that the pages name are really there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from equipoise.cli import app

ROOT = Path(__file__).parents[2]
BY_HAND = ("tutorials", "how-to", "explanation", "decisions")
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted(page for folder in BY_HAND for page in (ROOT / "docs" / folder).glob("*.md")),
]
_COMMAND = re.compile(r"(?:^\$ |`)equipoise ([a-z][^`\n]*)", re.MULTILINE)
_TARGET = re.compile(r"(?:^\$ |`)(?:NO_BROWSER=1 )?make ([a-z]+)", re.MULTILINE)
_LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")


def name(path):
    return path.relative_to(ROOT).as_posix()


def tree(command):
    return {inner: tree(found) for inner, found in getattr(command, "commands", {}).items()} or command


COMMANDS = tree(typer.main.get_command(app))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_command_on_a_page_exists_with_its_options(page):
    for typed in _COMMAND.findall(page.read_text("utf-8")):
        assert missing(typed) == "", f"{name(page)} says: equipoise {typed}"


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_target_of_make_on_a_page_exists(page):
    known = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert set(_TARGET.findall(page.read_text("utf-8"))) <= known


@pytest.mark.parametrize("page", sorted(ROOT.glob("*.md")), ids=name)
def test_every_file_that_a_page_of_the_root_links_to_exists(page):
    """The links of the documentation's own pages are checked where it is built."""
    missing_files = [link for link in _LINK.findall(page.read_text("utf-8")) if not (ROOT / link).exists()]
    assert missing_files == []


def test_every_command_is_described():
    """A command without a sentence of its own is a command that the reference cannot explain."""
    undescribed = [path for path, command in leaves(COMMANDS) if not (command.help or "").strip()]
    assert undescribed == []


def test_make_help_lists_every_target():
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = re.findall(r"^  ([a-z]+) +\S", done.stdout, re.MULTILINE)
    assert listed == [
        "help",
        "setup",
        "assets",
        "demo",
        "test",
        "soak",
        "check",
        "fix",
        "bench",
        "docs",
        "clean",
    ]


def test_the_version_is_the_same_everywhere():
    from equipoise import __version__

    done = subprocess.run(
        [Path(sys.executable).with_name("equipoise"), "--version"], capture_output=True, text=True, check=True
    )
    assert __version__ in done.stdout
    assert f'version = "{__version__}"' in (ROOT / "pyproject.toml").read_text("utf-8")
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def missing(typed):
    """The first word or the options of a typed command that do not exist; empty when all is there."""
    at, words = COMMANDS, shlex.split(typed.replace("[", "").replace("]", ""))
    while words and isinstance(at, dict):
        word = words.pop(0)
        if word not in at:
            return word
        at = at[word]
    parameters = getattr(at, "params", ())
    options = {option for each in parameters for option in (*each.opts, *each.secondary_opts)} | {"--help"}
    unknown = [word for word in words if word.startswith("-") and word.partition("=")[0] not in options]
    return " ".join(unknown)


def leaves(commands, path=""):
    for inner, found in commands.items():
        if isinstance(found, dict):
            yield from leaves(found, f"{path} {inner}".strip())
        else:
            yield f"{path} {inner}".strip(), found
