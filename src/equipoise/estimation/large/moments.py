"""The first reading: means, and sums of products about them, within strata."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import linalg

from equipoise.estimation.arrays import Floats, refuse
from equipoise.estimation.large.table import People, Table, literal, quoted

if TYPE_CHECKING:
    import duckdb

__all__ = ["Solution", "design_of", "solve"]

_COLLINEAR = 1e-12
"""A column whose part not explained by earlier ones is below this share of its square is dropped."""


@dataclass(frozen=True)
class Solution:
    """Least squares within strata, from sums alone.

    `kept` columns are kept, `outcome` is the place of the outcome behind them all; `lower` maps deviations
    to the orthonormal basis, q = `lower` x, shape (k, k); `coefficients` shape (k,); `rows` and `strata` are
    counts, `residual` the sum of squared residuals, `scale` the largest size of the outcome.
    """

    kept: tuple[int, ...]
    outcome: int
    lower: Floats
    coefficients: Floats
    rows: int
    strata: int
    residual: float
    scale: float

    @property
    def rank(self) -> int:
        """Columns of the full design, intercepts of the strata included."""
        return len(self.kept) + self.strata


def design_of(table: Table, people: People, *, interacted: bool) -> tuple[str, ...]:
    """The design's columns as SQL: an indicator for each arm but the first, then centred covariates.

    Args:
        interacted: with Lin's interactions of arms and centred covariates.
    """
    arms = [_indicator(table, arm) for arm, count in _present(people)[1:]]
    centred = [
        f"({quoted(name)}::DOUBLE - {literal(mean)})"
        for name, mean in zip(table.covariates, people.means, strict=True)
    ]
    products = [f"({arm} * {column})" for column in centred for arm in arms] if interacted else []
    return (*arms, *centred, *products)


def _indicator(table: Table, arm: str) -> str:
    return f"CAST(CAST({quoted(table.arm)} AS VARCHAR) = {literal(arm)} AS DOUBLE)"


def _present(people: People) -> list[tuple[str, int]]:
    return [(arm, count) for arm, count in zip(people.arms, people.analysed, strict=True) if count]


def solve(connection: "duckdb.DuckDBPyConnection", table: Table, design: Sequence[str]) -> Solution:
    """Reads the table once and solves for the coefficients.

    The means of each stratum stay in the connection as the table `strata`. Sums are taken about the mean of
    each stratum by updating (Welford 1962; Chan, Golub & LeVeque 1983), so a large offset costs no digits.

    Args:
        design: columns as SQL.
    Raises:
        DesignError: no column varies within strata, or no rows are left for the error.
    """
    stratum = "0" if table.stratum is None else quoted(table.stratum)
    cluster = "0" if table.cluster is None else quoted(table.cluster)
    columns = [*design, f"{quoted(table.outcome)}::DOUBLE"]
    named = ", ".join(f"{column} AS c{place}" for place, column in enumerate(columns))
    connection.execute(
        f"CREATE TEMP VIEW design AS SELECT {stratum} AS stratum, {cluster} AS cluster, {named} FROM people "
        f"WHERE {table.answered}"
    )
    pairs = [(row, column) for row in range(len(columns)) for column in range(row + 1)]
    means = ", ".join(f"avg(c{place}) AS m{place}" for place in range(len(columns)))
    products = ", ".join(f"covar_pop(c{row}, c{column}) AS s{row}_{column}" for row, column in pairs)
    squares = ", ".join(f"max(abs(c{place})) AS b{place}" for place in range(len(columns)))
    connection.execute(
        f"CREATE TEMP TABLE strata AS SELECT stratum, count(*) AS n, {means}, {products}, {squares} "
        "FROM design GROUP BY stratum ORDER BY stratum"
    )
    return _solved(connection, len(columns), pairs)


def _solved(
    connection: "duckdb.DuckDBPyConnection", columns: int, pairs: Sequence[tuple[int, int]]
) -> Solution:
    found = connection.execute("SELECT * FROM strata ORDER BY stratum").fetchnumpy()
    sizes = np.asarray(found["n"], dtype=np.float64)
    gram, lengths = np.zeros((columns, columns)), np.zeros(columns)
    for row, column in pairs:
        gram[row, column] = gram[column, row] = float(sizes @ np.asarray(found[f"s{row}_{column}"]))
    for place in range(columns):
        lengths[place] = gram[place, place] + float(sizes @ np.asarray(found[f"m{place}"]) ** 2)
    kept = _independent(gram[:-1, :-1], lengths[:-1])
    if not kept:
        raise refuse("design", "has no column left: each is 0, or the same for everyone in a stratum.")
    rows, rank = int(sizes.sum()), len(kept) + len(sizes)
    if rows <= rank:
        raise refuse(
            "design", f"has {rank} columns (strata included) for {rows} rows; none are left for the error."
        )
    inner, towards = gram[np.ix_(kept, kept)], gram[kept, -1]
    triangle = np.linalg.cholesky(inner)
    coefficients = linalg.cho_solve((triangle, True), towards)
    return Solution(
        kept=kept,
        outcome=columns - 1,
        lower=linalg.solve_triangular(triangle, np.eye(len(kept)), lower=True),
        coefficients=coefficients,
        rows=rows,
        strata=len(sizes),
        residual=float(gram[-1, -1] - coefficients @ towards),
        scale=float(np.max(found[f"b{columns - 1}"])),
    )


def _independent(gram: Floats, lengths: Floats) -> tuple[int, ...]:
    """Columns that are not combinations of earlier ones or of the strata."""
    kept: list[int] = []
    for place in range(len(gram)):
        left = gram[place, place]
        if kept and left > 0:
            part = gram[np.ix_(kept, [place])][:, 0]
            left -= float(part @ np.linalg.solve(gram[np.ix_(kept, kept)], part))
        if left > _COLLINEAR * lengths[place]:
            kept.append(place)
    return tuple(kept)
