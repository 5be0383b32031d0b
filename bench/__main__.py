"""Runs every script of this folder by itself, one after the other, and prints what they print as one table.

A script prints its figures one a line, with the figure that was stated beside it. Each runs in a process of
its own, so that one's memory and imports do not count for another.
"""

import os
import platform
import subprocess
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

_FOLDER = Path(__file__).parent


def main() -> int:
    """Run them; the exit code is 1 when one failed."""
    chosen = sys.argv[1:]
    scripts = [
        path
        for path in sorted(_FOLDER.glob("*.py"))
        if not path.name.startswith("_") and (not chosen or path.stem in chosen)
    ]
    table = Table("Bench", "Figures", "Seconds", title=_machine())
    failed = 0
    for script in scripts:
        print(f"{script.stem} ...", file=sys.stderr, flush=True)
        started = time.perf_counter()
        done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - started
        shown = done.stdout.strip()
        if done.returncode:
            failed += 1
            shown += f"\nFAILED ({done.returncode}): {done.stderr.strip().rpartition(chr(10))[2]}"
        table.add_row(script.stem, shown.strip(), f"{seconds:.1f}", end_section=True)
    Console(width=None if sys.stdout.isatty() else 120, markup=False).print(table)
    return 1 if failed else 0


def _machine() -> str:
    return f"Python {platform.python_version()} on {platform.machine()}, {os.cpu_count()} processors"


if __name__ == "__main__":
    sys.exit(main())
