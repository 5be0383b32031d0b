"""How long a randomisation test takes, beside a bare loop in numpy over the same number of draws.

The bare loop shuffles the arms within strata and takes the difference in means within strata: it knows no
errors, covariates, missing answers or other procedures. It is the limit, of which half is asked.
"""

import time
from collections.abc import Callable

import numpy as np

from equipoise.allocation import design, simulate
from equipoise.estimation.randomisation.p_values import randomisation_test
from equipoise.estimation.randomisation.redraws import Redraws, drawn
from equipoise.estimation.randomisation.statistics import statistic_of

PEOPLE, STRATA, DRAWS = 2_000, 10, 10_000
ALLOWED = 1.0
ROUNDS = 3


def best(act: Callable[[], object]) -> float:
    """Seconds of the quickest of a few rounds."""
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        act()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def main() -> None:
    """The studentised test without and with covariates and its interval, and the bare loop."""
    rng = np.random.default_rng(1)
    stratum = np.repeat(np.arange(STRATA), PEOPLE // STRATA)
    outcome, before = rng.normal(size=PEOPLE), rng.normal(size=(PEOPLE, 2))
    plan = design([str(label) for label in stratum], {"control": 1, "texts": 1}, method="blocked")
    observed = simulate(plan, 1, rng)[0]

    def redraws() -> Redraws:
        return drawn(
            lambda size, stream: simulate(plan, size, stream), observed, DRAWS, np.random.default_rng
        )

    def tested(**more: object) -> object:
        statistic = statistic_of(
            "linear", outcome, np.arange(PEOPLE), (-1.0, 1.0), strata=stratum, **more
        )  # fmt: skip
        return randomisation_test(statistic, redraws())

    plain = best(tested)
    adjusted = best(lambda: tested(covariates=before))
    inverted = best(lambda: tested(covariates=before, shifted=observed.astype(float)))
    bare = best(lambda: _bare(outcome, rng))
    size = f"{DRAWS:,} draws of {PEOPLE:,} people in {STRATA} strata"
    print(f"{size}, HC2: {plain:.2f} s (allowed {ALLOWED:g})")
    print(f"with two covariates: {adjusted:.2f} s (allowed {ALLOWED:g}); with interval: {inverted:.2f} s")
    print(f"bare numpy loop, difference only: {bare:.2f} s, {bare / plain:.2f} of our time (asked 0.5)")


def _bare(outcome: np.ndarray, rng: np.random.Generator, at_once: int = 100) -> float:
    """The share of draws in which the difference is as large, by shuffles alone."""
    size = PEOPLE // STRATA
    by_stratum = outcome.reshape(STRATA, size)
    weights = np.repeat([-2.0, 2.0], size // 2) / PEOPLE
    arms = np.tile(weights, (at_once, STRATA, 1))
    observed = abs(float((arms[0] * by_stratum).sum()))
    reached = 0
    for _ in range(DRAWS // at_once):
        redrawn = np.einsum("mst,st->m", rng.permuted(arms, axis=2), by_stratum)
        reached += int((np.abs(redrawn) >= observed).sum())
    return (1 + reached) / (1 + DRAWS)


if __name__ == "__main__":
    main()
