"""The tutorials are run as a reader runs them: files written, commands typed, what they print compared."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from equipoise.errors import ProtocolError
from equipoise.protocol.folder import load_study

ROOT = Path(__file__).parents[2]
TUTORIALS = ROOT / "docs" / "tutorials"
_FENCE = re.compile(r"^```(?P<info>[^\n`]+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_CAPTION = re.compile(r"\A:caption: (?P<path>\S+)\n\n?")


@dataclass(frozen=True)
class Typed:
    """A command, and the lines that the page shows under it (`...` stands for anything)."""

    command: str
    shown: tuple[str, ...]


@pytest.mark.parametrize("page", ["first-study.md", "thornton.md"])
def test_a_tutorial_does_what_it_says(page, tmp_path):
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    for step in steps((TUTORIALS / page).read_text("utf-8")):
        if isinstance(step, Typed):
            type_in(step, tmp_path)
        else:
            path, text = step
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text, "utf-8")


def test_the_error_that_a_guide_explains_is_the_one_that_the_tutorial_provokes(tmp_path):
    """The first tutorial says: change `at: after` to `at: affter` and check again."""
    for path, text in files((TUTORIALS / "first-study.md").read_text("utf-8")):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text.replace("at: after\n", "at: affter\n"), "utf-8")
    with pytest.raises(ProtocolError) as refused:
        load_study(tmp_path / "breaks")
    page = (TUTORIALS.parent / "how-to" / "read-an-error.md").read_text("utf-8")
    assert str(refused.value) in " ".join(page.split())


def test_what_is_shown_is_compared_line_by_line_and_dots_stand_for_anything():
    assert agrees("one\ntwo\nthree\n", ("one", "...", "three"))
    assert agrees("lock 12ab at noon\n", ("lock ... at noon",))
    assert agrees("anything\n", ())
    assert not agrees("one\ntwo\n", ("two",))
    assert not agrees("one\n", ("one", "two"))


def steps(page: str) -> Iterator[Typed | tuple[str, str]]:
    """The page's files and commands, in the order of the page."""
    for found in _FENCE.finditer(page):
        info, text = found["info"].strip(), found["text"]
        caption = _CAPTION.match(text)
        if info.startswith("{code-block}") and caption:
            yield caption["path"], text[caption.end() :]
        elif info == "console":
            yield from commands(text)


def files(page: str) -> Iterator[tuple[str, str]]:
    return ((step[0], step[1]) for step in steps(page) if not isinstance(step, Typed))


def commands(block: str) -> Iterator[Typed]:
    command, shown = "", []
    for line in block.splitlines():
        if line.startswith("$ "):
            if command:
                yield Typed(command, tuple(shown))
            command, shown = line.removeprefix("$ "), []
        else:
            shown.append(line)
    yield Typed(command, tuple(shown))


def type_in(step: Typed, folder: Path) -> None:
    """Run a command in the folder, with the commands of this environment first in the path."""
    words = shlex.split(step.command)
    here = str(Path(sys.executable).parent)
    path = here + os.pathsep + os.environ["PATH"]
    environment = {**os.environ, "PATH": path, "HOME": str(folder), "COLUMNS": "200"}
    done = subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, f"$ {step.command}\n{done.stdout}{done.stderr}"
    assert agrees(done.stdout, step.shown), f"$ {step.command}\nshown: {step.shown}\nprinted:\n{done.stdout}"


def agrees(printed: str, shown: tuple[str, ...]) -> bool:
    """Whether the printed text is the one shown; nothing shown allows anything."""
    if not shown:
        return True
    return re.fullmatch("".join(map(_pattern, shown)), printed) is not None


def _pattern(line: str) -> str:
    dots = re.escape("...")
    return r"(?:.*\n)*" if line == "..." else re.escape(line).replace(dots, ".*") + r"[ \t]*\n"
