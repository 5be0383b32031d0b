"""`make soak`: the generated tests with one seed a round, the faults at their stated rounds, and a dated line of
each in docs/soak.md.

The suite of every day draws its examples from a fixed seed, and kills the server a few times. This draws others, as
often as is asked for, and kills it as often as is stated. The module is also the plugin of pytest that brings the
profile of those runs.
"""

import argparse
import datetime
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from hypothesis import HealthCheck, settings

from equipoise import __version__

settings.register_profile(
    "soak",
    derandomize=False,
    deadline=None,
    database=None,
    max_examples=300,
    suppress_health_check=[HealthCheck.too_slow],
)

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "soak.md"
FAULTS = (
    "tests/platform/durability",
    "tests/platform/faults",
    "tests/platform/delivery/engine",
    "tests/platform/delivery/channels",
    "tests/platform/delivery/receipts",
)


COVERAGE = ("tests/reference/coverage", "tests/reference/randomisation")
"""How often intervals hold the truth and tests are wrong, over all the draws that the pages state."""


def main() -> int:
    """Run the rounds and the faults; the exit code is 1 when one failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    started = time.monotonic()
    passed, failed = 0, []
    for seed in range(1, rounds + 1):
        count = round_of(seed)
        passed = max(passed, count)
        if not count:
            failed.append(seed)
    seeds = f"{len(failed)} (seeds {', '.join(map(str, failed))})" if failed else "0"
    enter("Generated tests", [rounds, passed, seeds, minutes_since(started)])
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        figures = Path(folder) / "figures.jsonl"
        faults = {database: faults_on(database, figures) for database in ("sqlite", "postgresql")}
        waited = longest_wait(figures)
    enter("Faults", [*(count or "failed" for count in faults.values()), waited, minutes_since(started)])
    started = time.monotonic()
    covered = passed_of(["-n", "2", *COVERAGE], {"EQUIPOISE_STATED": "1"}, "coverage")
    enter("Coverage", [covered or "failed", minutes_since(started)])
    print(
        f"{rounds} rounds, {len(failed)} failed; faults: {faults}; coverage: {covered}; see {PAGE.relative_to(ROOT)}"
    )
    return 1 if failed or not covered or not all(faults.values()) else 0


def enter(heading: str, found: Sequence[object]) -> None:
    """Add a dated row to the table under a heading."""
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    row = f"| {' | '.join(map(str, [today, __version__, *found]))} |"
    before, title, after = PAGE.read_text("utf-8").partition(f"## {heading}\n")
    table, gap, rest = after.partition("\n## ")
    PAGE.write_text(f"{before}{title}{table.rstrip()}\n{row}\n{gap and chr(10) + gap[1:]}{rest}", "utf-8")


def minutes_since(started: float) -> str:
    """How long it took."""
    return f"{(time.monotonic() - started) / 60:.1f}"


def longest_wait(figures: Path) -> str:
    """How long a writer among four waited at most, in seconds, as the tests noted it."""
    said = [json.loads(line) for line in figures.read_text("utf-8").splitlines()] if figures.is_file() else []
    waits = [each["value"] for each in said if each["figure"] == "longest wait of a writer"]
    return f"{max(waits):.2f}" if waits else "-"


def faults_on(database: str, figures: Path) -> int:
    """How many tests of faults passed at their stated rounds; 0 when one failed."""
    stated = {"EQUIPOISE_STATED": "1", "EQUIPOISE_TEST_DATABASE": database, "EQUIPOISE_FIGURES": str(figures)}
    return passed_of(["-n", "0", *FAULTS], stated, database)


def round_of(seed: int) -> int:
    """How many tests passed in a round; 0 when one failed, and then what pytest said."""
    options = ["-n", "2", "--dist", "loadfile", "-p", "soak", "--hypothesis-profile=soak"]
    plugin = {"PYTHONPATH": str(Path(__file__).parent)}
    return passed_of([*options, f"--hypothesis-seed={seed}", "tests/properties"], plugin, f"seed {seed}")


def passed_of(options: Sequence[str], environment: Mapping[str, str], title: str) -> int:
    """How many tests passed; 0 when one failed, and then what pytest said."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *options],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        print(f"{title}\n{done.stdout[-4000:]}")
        return 0
    found = re.search(r"(\d+) passed", done.stdout)
    return int(found[1]) if found else 0


if __name__ == "__main__":
    sys.exit(main())
