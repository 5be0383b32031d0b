"""The second reading: errors of independent rows, and their degrees of freedom."""

from typing import TYPE_CHECKING

import numpy as np

from equipoise.estimation.arrays import Floats
from equipoise.estimation.large.moments import Solution
from equipoise.estimation.large.table import literal
from equipoise.estimation.least_squares.covariance import BLIND, FULL_LEVERAGE, fitted_exactly

if TYPE_CHECKING:
    import duckdb

__all__ = ["fitted_rows", "robust_error"]

_POWER = {"HC0": "1.0", "HC1": "1.0", "HC2": "1 / sqrt(1 - h)", "HC3": "1 / (1 - h)"}


def robust_error(
    connection: "duckdb.DuckDBPyConnection", solution: Solution, variance: str, direction: Floats
) -> tuple[float, float]:
    """The variance of a contrast and its Satterthwaite degrees of freedom.

    Args:
        variance: `HC0` to `HC3`.
        direction: (k,) the contrast in the coordinates of the orthonormal basis.
    Raises:
        DesignError: the contrast rests on people whom the design fits exactly.

    The leverage is that of the full design: 1 / n of the stratum, and the part within. Degrees of freedom as
    in `least_squares.satterthwaite`, whose sums are taken here by stratum.
    """
    basis = range(len(solution.kept))
    along = " + ".join(f"q{place} * {literal(float(direction[place]))}" for place in basis)
    full = f"1 - h < {FULL_LEVERAGE}"
    squares = [f"sum(p * p * q{row} * q{column})" for row in basis for column in range(row + 1)]
    sums = connection.execute(
        f"WITH fitted AS ({fitted_rows(solution)}), "
        f"adjusted AS (SELECT *, CASE WHEN {full} THEN 0.0 ELSE ({along}) * ({_POWER[variance]}) END AS p "
        f"FROM fitted) "
        f"SELECT any_value(n), sum(p * p * e * e), sum(p * p * (1 - h)), sum(p * p * p * p * (1 - 2 * h)), "
        f"sum(CASE WHEN {full} THEN ({along}) * ({along}) ELSE 0.0 END), sum(p * p), "
        f"{', '.join(f'sum(p * p * q{place})' for place in basis)}, {', '.join(squares)} "
        "FROM adjusted GROUP BY stratum ORDER BY stratum"
    ).fetchnumpy()
    columns = [np.asarray(column, dtype=np.float64) for column in sums.values()]
    sizes, meat, trace, fourth, blind, within = columns[:6]
    if blind.sum() > BLIND * float(direction @ direction):
        raise fitted_exactly("person")
    cross, inner = columns[6 : 6 + len(basis)], columns[6 + len(basis) :]
    factor = solution.rows / (solution.rows - solution.rank) if variance == "HC1" else 1.0
    dof = trace.sum() ** 2 / (fourth.sum() + _gram_norm(sizes, within, cross, inner))
    return float(factor * meat.sum()), float(dof)


def fitted_rows(solution: Solution) -> str:
    """Each analysed row as SQL: stratum, cluster, n of the stratum, basis q, residual e, leverage h."""
    basis = range(len(solution.kept))
    deviations = ", ".join(f"c{column} - m{column} AS x{place}" for place, column in enumerate(solution.kept))
    q = ", ".join(
        " + ".join(f"x{column} * {literal(float(solution.lower[row, column]))}" for column in range(row + 1))
        + f" AS q{row}"
        for row in basis
    )
    fit = " + ".join(
        f"x{place} * {literal(float(value))}" for place, value in enumerate(solution.coefficients)
    )
    leverage = " + ".join(f"q{place} * q{place}" for place in basis)
    return (
        f"SELECT *, 1.0 / n + {leverage} AS h FROM (SELECT *, {q}, y - ({fit}) AS e FROM ("
        f"SELECT design.stratum, cluster, n, {deviations}, "
        f"c{solution.outcome} - m{solution.outcome} AS y "
        "FROM design JOIN strata ON design.stratum = strata.stratum))"
    )


def _gram_norm(sizes: Floats, within: Floats, cross: list[Floats], inner: list[Floats]) -> float:
    """The squared norm of F'F, for F the rows p [q, s] with the stratum's share s = 1 / sqrt(n)."""
    total = float(((within / sizes) ** 2).sum())
    total += 2 * float(sum((column**2 / sizes).sum() for column in cross))
    places = [(row, column) for row in range(len(cross)) for column in range(row + 1)]
    for (row, column), values in zip(places, inner, strict=True):
        total += (1 if row == column else 2) * float(values.sum()) ** 2
    return total
