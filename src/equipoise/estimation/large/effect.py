"""A contrast of arms by the linear family, read from a file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from equipoise.estimation.arrays import Dof, Floats, Ints, contrast_weights, refuse
from equipoise.estimation.inference import Estimate, estimate_from
from equipoise.estimation.large.clusters import clustered_error
from equipoise.estimation.large.errors import robust_error
from equipoise.estimation.large.moments import Solution, design_of, solve
from equipoise.estimation.large.table import People, Table, opened, people_of
from equipoise.estimation.least_squares.covariance import Variance, check_variance

if TYPE_CHECKING:
    import duckdb

__all__ = ["EffectOfFile", "linear_effect_of_file"]

_MEMORY_MB = 1024


@dataclass(frozen=True)
class EffectOfFile:
    """An effect; people analysed, and without an outcome, by arm; numbers of strata and clusters."""

    effect: Estimate
    analysed: Mapping[str, int]
    missing: Mapping[str, int]
    strata: int
    clusters: int | None


def linear_effect_of_file(
    table: Table,
    contrast: Mapping[str, float],
    *,
    interacted: bool = False,
    variance: Variance | None = None,
    dof: Dof = "satterthwaite",
    level: float = 0.95,
    memory_mb: int = _MEMORY_MB,
) -> EffectOfFile:
    """A contrast of arms by least squares on arms, covariates and stratum effects, no person being kept.

    Args:
        table: the file and its columns. Rows without an outcome are counted and left out.
        contrast: a weight for each arm, adding up to 0.
        interacted: Lin's estimator, arms interacted with centred covariates; not with strata.
        variance: kind of covariance; HC2, or CR2 with clusters, where left out.
        dof: degrees of freedom.
        level: coverage of the interval.
        memory_mb: what DuckDB may hold, in megabytes; beyond it, it goes to disk.
    Returns:
        The same effect, to eight digits or more, as `effects.adjusted.linear_effect` or `lin_interacted`.
        Sums are taken on all processors, so the last digits can differ from run to run.
    Raises:
        DesignError: what those refuse, a column that is not there, and clusters that lie in several strata.

    A covariate is dropped as a combination of others when less than 1e-12 of its square is left. Sources as
    in `least_squares`.
    """
    kind = variance or ("HC2" if table.cluster is None else "CR2")
    check_variance(kind, clustered=table.cluster is not None)
    contrast_weights(list(contrast.values()), np.arange(len(contrast)))
    if interacted and table.stratum is not None:
        raise refuse(
            "stratum", "cannot go with interacted covariates in a large file; leave one of them out."
        )
    with opened(table, memory_mb) as connection:
        people = people_of(connection, table, contrast)
        solution = solve(connection, table, design_of(table, people, interacted=interacted))
        direction, estimate = _pointed(solution, table, people, contrast)
        squared, freedom, clusters = _error(connection, table, solution, kind, direction)
    residual = solution.rows - solution.rank if clusters is None else clusters - 1
    effect = estimate_from(
        estimate,
        float(np.sqrt(max(squared, 0.0))),
        freedom if dof == "satterthwaite" and kind != "classical" else float(residual),
        level,
        scale=solution.scale * float(np.linalg.norm(direction)),
    )
    counts = zip(people.arms, people.analysed, people.missing, strict=True)
    told = {arm: (analysed, missing) for arm, analysed, missing in counts}
    return EffectOfFile(
        effect,
        {arm: pair[0] for arm, pair in told.items()},
        {arm: pair[1] for arm, pair in told.items()},
        solution.strata,
        clusters,
    )


def _pointed(
    solution: Solution, table: Table, people: People, contrast: Mapping[str, float]
) -> tuple[Floats, float]:
    """The contrast in the coordinates of the basis, shape (k,), and its estimate."""
    present = [arm for arm, count in zip(people.arms, people.analysed, strict=True) if count]
    weights = np.zeros(solution.outcome)
    weights[: len(present) - 1] = [contrast[arm] for arm in present[1:]]
    dropped = np.setdiff1d(np.arange(solution.outcome), solution.kept)
    if weights[dropped].any():
        arm = present[1 + int(dropped[weights[dropped] != 0][0])]
        raise refuse("contrast", f'cannot be estimated: the arm "{arm}" is fixed by covariates or by strata.')
    _check_regressions(solution, len(present) - 1, table, dropped)
    kept = weights[list(solution.kept)]
    return solution.lower @ kept, float(kept @ solution.coefficients)


def _check_regressions(solution: Solution, arms: int, table: Table, dropped: Ints) -> None:
    """Refuses interactions of which only some can be estimated: an arm is short of people."""
    first = arms + len(table.covariates)
    for place in dropped[dropped >= first]:
        number = int(place - first) // arms
        if arms + number not in dropped:
            raise refuse(
                table.covariates[number],
                "does not vary in every arm, so an arm has no regression of its own on it; leave it out.",
            )


def _error(
    connection: "duckdb.DuckDBPyConnection",
    table: Table,
    solution: Solution,
    kind: Variance,
    direction: Floats,
) -> tuple[float, float, int | None]:
    """Variance, Satterthwaite degrees of freedom and clusters."""
    if kind == "classical":
        left = solution.rows - solution.rank
        return solution.residual / left * float(direction @ direction), float(left), None
    if table.cluster is not None:
        return clustered_error(connection, solution, kind, direction)
    return (*robust_error(connection, solution, kind, direction), None)
