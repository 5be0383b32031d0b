"""How long a large trial and a trial of clusters take to fit, with whatever threads the machine gives.

Beside pyfixest, warm, in the same process: the same absorbed strata, covariate and errors.
"""

import time
from collections.abc import Callable

import numpy as np

from equipoise.estimation.effects.adjusted import linear_effect
from equipoise.estimation.least_squares.linear import LinearFit, fit_linear

ROWS, COLUMNS, STRATA = 100_000, 20, 200
MANY, ABSORBED = 1_000_000, 100
CLUSTERS, SIZE = 300, 12
ROUNDS = 7


def median(act: Callable[[], object]) -> float:
    """Seconds of the middle one of a few rounds after a first, which wakes the threads."""
    act()
    seconds = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        act()
        seconds.append(time.perf_counter() - start)
    return sorted(seconds)[ROUNDS // 2]


def main() -> None:
    """Fits, and reads the first contrast with its degrees of freedom."""
    rng = np.random.default_rng(1)
    design = _design(rng, ROWS)
    outcome = design.sum(axis=1) + rng.normal(size=ROWS)
    strata = rng.integers(0, STRATA, ROWS)
    people = median(lambda: _first(fit_linear(outcome, design, strata=strata)))
    few = slice(0, CLUSTERS * SIZE)
    cluster = np.repeat(np.arange(CLUSTERS), SIZE)
    clusters = median(
        lambda: _first(fit_linear(outcome[few], design[few, :4], variance="CR2", cluster=cluster))
    )
    print(f"linear, HC2, {ROWS:,} rows x {COLUMNS} columns x {STRATA} strata: {people:.3f} s (allowed 0.5)")
    print(f"linear, CR2, {CLUSTERS} clusters x {SIZE} rows: {clusters:.3f} s (allowed 0.2)")
    _beside_pyfixest(rng)


def _beside_pyfixest(rng: np.random.Generator) -> None:
    import pandas as pd
    import pyfixest

    strata, arm = rng.integers(0, ABSORBED, MANY), rng.integers(0, 2, MANY)
    before = rng.normal(size=MANY)
    outcome = 0.1 * arm + before + 0.01 * strata + rng.normal(size=MANY)
    people = pd.DataFrame({"outcome": outcome, "arm": arm, "before": before, "strata": strata})
    theirs = median(lambda: pyfixest.feols("outcome ~ arm + before | strata", people, vcov="HC1").pvalue())
    lean = {"lean": True, "copy_data": False, "store_data": False}
    leanest = median(
        lambda: pyfixest.feols("outcome ~ arm + before | strata", people, vcov="HC1", **lean).pvalue()
    )
    for variance, dof in (("HC1", "residual"), ("HC2", "satterthwaite")):
        options = {"covariates": before, "strata": strata, "variance": variance, "dof": dof}
        ours = median(lambda options=options: linear_effect(outcome, arm, (-1.0, 1.0), **options))
        print(
            f"linear, {variance}, {dof} dof, {MANY:,} rows, {ABSORBED} strata: {ours:.3f} s; pyfixest "
            f"with HC1 takes {theirs / ours:.1f} times as long (stated: 2), lean {leanest / ours:.1f} times"
        )


def _design(rng: np.random.Generator, rows: int) -> np.ndarray:
    design = rng.normal(size=(rows, COLUMNS))
    design[:, 0] = rng.integers(0, 2, rows)
    return design


def _first(fit: LinearFit) -> object:
    return fit.contrast(np.eye(len(fit.coefficients))[0])


if __name__ == "__main__":
    main()
