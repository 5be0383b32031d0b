"""How long a million units in a thousand strata take: the verifiable draw, and one simulated trial."""

import time
from collections.abc import Callable

import numpy as np

from equipoise.allocation import allocate, design, simulate

UNITS, STRATA, ROUNDS, TRIALS = 1_000_000, 1_000, 5, 10
RATIO = {"control": 1, "messages": 1}


def best(act: Callable[[], object]) -> float:
    """Seconds of the quickest of a few rounds."""
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        act()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def main() -> None:
    units = [f"p{number:07d}" for number in range(UNITS)]
    strata = [f"s{number % STRATA:04d}" for number in range(UNITS)]
    plan = design(strata, RATIO, method="blocked")
    rng = np.random.default_rng(1)
    drawn = best(lambda: allocate(units, strata, RATIO, method="blocked", stage="main", seed=bytes(32)))
    simulated = best(lambda: simulate(plan, TRIALS, rng)) / TRIALS
    print(f"allocation: {UNITS:,} units in {STRATA:,} strata, best of {ROUNDS}")
    print(f"  verifiable draw   {drawn:.2f} s (allowed 1.2)")
    print(f"  simulated trial   {simulated:.3f} s (allowed 0.1)")


if __name__ == "__main__":
    main()
