"""The second reading where clusters were allocated: errors by cluster, from each cluster's own sums."""

from typing import TYPE_CHECKING

import numpy as np

from equipoise.estimation.arrays import Floats, refuse
from equipoise.estimation.large.errors import fitted_rows
from equipoise.estimation.large.moments import Solution
from equipoise.estimation.least_squares.covariance import BLIND, FULL_LEVERAGE, correction, fitted_exactly

if TYPE_CHECKING:
    import duckdb

__all__ = ["clustered_error"]


def clustered_error(
    connection: "duckdb.DuckDBPyConnection", solution: Solution, variance: str, direction: Floats
) -> tuple[float, float, int]:
    """The variance of a contrast, its Satterthwaite degrees of freedom, and the number of clusters.

    With R = [Q, s] a cluster's rows of the basis and of its stratum's share, every quantity of CR0 to CR3 is
    a function of R'R and R'e (see `least_squares.covariance`), so that no row is kept.

    Args:
        variance: `CR0` to `CR3`.
        direction: (k,) the contrast in the coordinates of the orthonormal basis.
    Raises:
        DesignError: one cluster only, a cluster in two strata, CR0 or CR1 where a stratum holds two clusters,
            or a contrast that rests on a cluster which the design fits exactly.
    """
    stratum, gram, scores = _cluster_sums(connection, solution)
    clusters = len(gram)
    _check(variance, stratum)
    ahead = np.append(direction, 0.0)
    pointed, blind = _adjusted(variance, gram, ahead)
    if blind > BLIND * float(direction @ direction):
        raise fitted_exactly("cluster")
    factor = 1.0
    if variance == "CR1":
        factor = clusters / (clusters - 1) * (solution.rows - 1) / (solution.rows - solution.rank)
    found = factor * float(((pointed * scores).sum(axis=1) ** 2).sum())
    return found, _dof(stratum, gram, pointed), clusters


def _cluster_sums(
    connection: "duckdb.DuckDBPyConnection", solution: Solution
) -> tuple[Floats, Floats, Floats]:
    """The stratum (as a code), R'R and R'e of each cluster: shapes (g,), (g, k + 1, k + 1) and (g, k + 1)."""
    size = len(solution.kept)
    products = [f"sum(q{row} * q{column})" for row in range(size) for column in range(row + 1)]
    shares = [f"sum(q{place}) / sqrt(any_value(n))" for place in range(size)]
    scores = [f"sum(q{place} * e)" for place in range(size)]
    rows = connection.execute(
        "SELECT dense_rank() OVER (ORDER BY any_value(stratum)) AS stratum, "
        "count(DISTINCT stratum) AS met, count(*) / any_value(n) AS share, "
        f"sum(e) / sqrt(any_value(n)) AS last, {', '.join([*products, *shares, *scores])} "
        f"FROM ({fitted_rows(solution)}) GROUP BY cluster ORDER BY cluster"
    ).fetchnumpy()
    columns = [np.asarray(column, dtype=np.float64) for column in rows.values()]
    stratum, met, share, last = columns[:4]
    if (met > 1).any():
        raise refuse(
            "cluster",
            f"has {int((met > 1).sum())} in more than one stratum; a large file is analysed with clusters "
            "within strata. Leave out the strata, or analyse the trial in memory.",
        )
    gram = np.zeros((len(stratum), size + 1, size + 1))
    places = [(row, column) for row in range(size) for column in range(row + 1)]
    for (row, column), values in zip(places, columns[4:], strict=False):
        gram[:, row, column] = gram[:, column, row] = values
    at = 4 + len(products)
    for place in range(size):
        gram[:, size, place] = gram[:, place, size] = columns[at + place]
    gram[:, size, size] = share
    return stratum, gram, np.stack([*columns[at + size :], last], axis=1)


def _check(variance: str, stratum: Floats) -> None:
    if len(stratum) < 2:
        raise refuse("cluster", "holds one cluster; errors by cluster need at least two.")
    counts = np.unique(stratum, return_counts=True)[1]
    if variance in ("CR0", "CR1") and len(counts) > 1 and (counts == 2).any():
        raise refuse("variance", f"{variance} is too small where a stratum holds two clusters; choose CR2.")


def _adjusted(variance: str, gram: Floats, ahead: Floats) -> tuple[Floats, float]:
    """The weights u of each cluster's rows R u = A Q z, shape (g, k + 1), and z's part nobody can see."""
    pointed = np.broadcast_to(ahead, gram.shape[:2])
    if variance in ("CR0", "CR1"):
        return pointed, 0.0
    share, vectors = np.linalg.eigh(gram)
    free = np.clip(1 - share, 0.0, 1.0)
    full = free < FULL_LEVERAGE
    towards = np.einsum("gji,gj->gi", vectors, gram @ ahead)
    turned = correction("CR2" if variance == "CR2" else "CR3", free, full) * towards
    return pointed + np.einsum("gij,gj->gi", vectors, turned), float((towards[full] ** 2).sum())


def _dof(stratum: Floats, gram: Floats, pointed: Floats) -> float:
    """Satterthwaite's, for W = D - FF' with row g of F the vector R'R u, the share in its stratum's place."""
    rows = np.einsum("gij,gj->gi", gram, pointed)
    own = (pointed * rows).sum(axis=1)
    norms = (rows**2).sum(axis=1)
    code = stratum.astype(np.int64) - 1
    dense, last = rows[:, :-1], rows[:, -1]
    cross = np.stack([np.bincount(code, column * last) for column in dense.T])
    shares = np.bincount(code, last**2)
    squared = float(((dense.T @ dense) ** 2).sum() + 2 * (cross**2).sum() + (shares**2).sum())
    trace = float((own - norms).sum())
    return trace**2 / (float((own**2).sum() - 2 * (own * norms).sum()) + squared)
