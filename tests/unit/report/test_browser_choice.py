"""NO_BROWSER=1 leaves the browser tests out and says so last; nothing else may leave them out."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def collected(**environment: str) -> str:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "--collect-only",
        "-q",
        "tests/browser",
    ]
    kept = {name: value for name, value in os.environ.items() if name != "NO_BROWSER"}
    run = subprocess.run(
        command, cwd=ROOT, env=kept | environment, capture_output=True, text=True, check=False
    )
    return run.stdout


def test_without_a_browser_the_last_lines_say_what_was_left_out() -> None:
    lines = collected(NO_BROWSER="1").splitlines()
    assert any("browser tests were left out" in line for line in lines[-4:])
    assert "test_axe_finds_nothing" not in "\n".join(lines)


def test_otherwise_every_browser_test_is_run() -> None:
    assert "test_axe_finds_nothing" in collected()
