"""`make soak`: the generated tests with one seed a round, and a dated line in docs/soak.md.

The suite of every day draws its examples from a fixed seed. This draws others, as often as is asked for. The
module is also the plugin of pytest that brings the profile of those runs.
"""

import argparse
import datetime
import os
import re
import subprocess
import sys
import time
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


def main() -> int:
    """Run the rounds; the exit code is 1 when a round failed."""
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
    minutes = (time.monotonic() - started) / 60
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    with PAGE.open("a", encoding="utf-8") as page:
        seeds = f"{len(failed)} (seeds {', '.join(map(str, failed))})" if failed else "0"
        page.write(f"| {today} | {__version__} | {rounds} | {passed} | {seeds} | {minutes:.1f} |\n")
    print(f"{rounds} rounds, {len(failed)} failed; a line was added to {PAGE.relative_to(ROOT)}")
    return 1 if failed else 0


def round_of(seed: int) -> int:
    """How many tests passed in a round; 0 when one failed, and then what pytest said."""
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", "-p", "soak"]
    done = subprocess.run(
        [*command, "--hypothesis-profile=soak", f"--hypothesis-seed={seed}", "tests/properties"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        print(f"seed {seed}\n{done.stdout[-4000:]}")
        return 0
    found = re.search(r"(\d+) passed", done.stdout)
    return int(found[1]) if found else 0


if __name__ == "__main__":
    sys.exit(main())
