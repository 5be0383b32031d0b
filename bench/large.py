"""The linear family over a file larger than memory: seconds, and the most memory that was held.

`EQUIPOISE_ROWS` says how many participants; one hundred million are stated.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROWS = int(os.environ.get("EQUIPOISE_ROWS", "2000000"))
STRATA, CLUSTER = 100, 50
CONTRAST = {"letter": 1.0, "usual": -1.0}


def main() -> None:
    """A file is made, then each estimate is made in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="equipoise-bench-") as folder:
        path = Path(folder) / "people.parquet"
        _make(path)
        print(f"the file: {ROWS:,} participants, {path.stat().st_size / 1e6:,.0f} MB")
        for variance in ("HC1", "HC2", "CR2"):
            said = subprocess.run(
                [sys.executable, __file__, variance, str(path)], capture_output=True, text=True, check=True
            )
            print(said.stdout.strip(), flush=True)


def one(variance: str, path: Path) -> None:
    """One estimate, timed in this process."""
    from equipoise.estimation.large import Table, linear_effect_of_file

    table = Table(
        path,
        "outcome",
        "arm",
        covariates=("before", "age"),
        stratum="stratum",
        cluster="cluster" if variance == "CR2" else None,
    )
    started = time.perf_counter()
    found = linear_effect_of_file(table, CONTRAST, variance=variance)  # type: ignore[arg-type]
    seconds = time.perf_counter() - started
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    effect = found.effect
    print(
        f"{variance}, {STRATA} strata, 2 covariates: {seconds:.1f} s, {held:,.0f} MB (stated: 2,000 MB); "
        f"{effect.estimate:.6f} +- {effect.std_error:.6f}"
    )


def _make(path: Path) -> None:
    """Drawn in DuckDB, cluster by cluster, so that nothing of it is in memory at once."""
    import duckdb

    with duckdb.connect(config={"memory_limit": "1GB", "threads": 2}) as connection:
        connection.execute("SELECT setseed(0.5)")
        connection.execute(
            "COPY (SELECT CASE WHEN random() < 0.5 THEN 'letter' ELSE 'usual' END AS arm, "
            f"(i // {CLUSTER}) % {STRATA} AS stratum, i // {CLUSTER} AS cluster, "
            "random() AS before, (20 + 45 * random())::INTEGER AS age, "
            f"0.1 * random() * ((i // {CLUSTER}) % 7) + random() + random() AS outcome "
            f"FROM range({ROWS}) AS made(i)) TO '{path}' (FORMAT parquet)"
        )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        one(sys.argv[1], Path(sys.argv[2]))
    else:
        main()
