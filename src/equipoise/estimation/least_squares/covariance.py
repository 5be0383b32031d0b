"""Covariances of least squares that allow for unequal variances and for clusters.

Everything is said in the orthonormal basis Q of the (weighted, stratum-absorbed) design and the stratum
projection P, so that the hat matrix is that of the *full* design, H = P + QQ'. Rows fall into blocks: single
rows for HC, clusters for CR. A block's adjustment A = f(I - H_bb) acts through the block's factor R, where
H_bb = RR': with the eigenvectors of R'R no matrix larger than its rank is ever formed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from equipoise.errors import DesignError, nearest
from equipoise.estimation.arrays import Bools, Floats, Ints, refuse
from equipoise.estimation.least_squares.basis import Absorbed

__all__ = [
    "BLIND",
    "CLUSTERED",
    "FULL_LEVERAGE",
    "HETEROSKEDASTIC",
    "VARIANCES",
    "Adjustment",
    "Variance",
    "adjust",
    "check_variance",
    "correction",
    "fitted_exactly",
]

Variance = Literal["classical", "HC0", "HC1", "HC2", "HC3", "CR0", "CR1", "CR2", "CR3", "two-way"]
HETEROSKEDASTIC = ("HC0", "HC1", "HC2", "HC3")
CLUSTERED = ("CR0", "CR1", "CR2", "CR3")
VARIANCES = ("classical", *HETEROSKEDASTIC, *CLUSTERED)
_ELSEWHERE = {"two-way": "fit_two_way", "wild-bootstrap": "wild_cluster_bootstrap"}
FULL_LEVERAGE = 1e-10
"""One minus a leverage below this is rounding: the row (or direction in a cluster) is fitted exactly."""
BLIND = 1e-12
"""The share of a contrast that may lie in directions of full leverage and still be rounding."""


@dataclass(frozen=True)
class Adjustment:
    """What a covariance needs of the design, before any outcome is seen.

    Attributes:
        adjusted: (n, k) A Q, the basis with each block's adjustment applied.
        block: (n,) code of the block of each row.
        blocks: number of blocks.
        blind: (b, k) the part of Q in directions of full leverage, where residuals are always 0.
        factor: small-sample factor on the variance.
    """

    adjusted: Floats
    block: Ints
    blocks: int
    blind: Floats
    factor: float


def check_variance(variance: str, *, clustered: bool) -> None:
    """Refuses an unknown kind of covariance, and one that does not suit the presence of clusters."""
    if variance in _ELSEWHERE:
        raise refuse("variance", f"{variance} is no covariance of one fit; call {_ELSEWHERE[variance]}.")
    if variance not in VARIANCES:
        raise refuse("variance", f'is "{variance}"; expected one of {nearest(variance, VARIANCES)}')
    if clustered and variance not in CLUSTERED:
        raise refuse(
            "variance", f"{variance} takes rows as independent, but clusters were given; choose CR2."
        )
    if not clustered and variance in CLUSTERED:
        raise refuse("variance", f"{variance} needs clusters, and none were given; give them or choose HC2.")


def fitted_exactly(unit: str) -> DesignError:
    """The error for a contrast that rests on a `unit` (person or cluster) whose residual is always 0."""
    return refuse(
        "contrast",
        f"rests on a {unit} that the design fits exactly (a cell with one {unit}), so its "
        "error cannot be estimated; leave the cell out of the contrast or merge it.",
    )


def adjust(
    variance: Variance,
    basis: Floats,
    leverage: Floats,
    absorbed: Absorbed | None,
    cluster: Ints | None,
    rank: int,
) -> Adjustment:
    """Applies the adjustment of a kind of covariance to the basis of the design.

    Args:
        variance: HC0 to HC3 (MacKinnon & White 1985) or CR0 to CR3 (Bell & McCaffrey 2002).
        basis: (n, k) orthonormal basis Q of the regressors after absorbing strata and weighting.
        leverage: (n,) diagonal of the full hat matrix.
        absorbed: strata projected out.
        cluster: (n,) codes from 0 without gaps, for CR.
        rank: columns of the full design, strata included.
    Returns:
        The adjustment. HC1 has the factor n/(n-rank), CR1 G/(G-1) (n-1)/(n-rank). CR3 has none, as HC3 has
        none; the jackknife that some call CV3 is (G-1)/G of it. With weights the roots are taken in the
        weighted coordinates.
    """
    rows = len(basis)
    if cluster is None:
        return _by_row(variance, basis, leverage, rank)
    blocks = int(cluster.max()) + 1
    adjusted, blind = _by_cluster(variance, basis, absorbed, cluster)
    if variance in ("CR0", "CR1"):
        factor = 1.0 if variance == "CR0" else blocks / (blocks - 1) * (rows - 1) / (rows - rank)
        return Adjustment(basis, cluster, blocks, blind, factor)
    return Adjustment(adjusted, cluster, blocks, blind, 1.0)


def _by_row(variance: Variance, basis: Floats, leverage: Floats, rank: int) -> Adjustment:
    rows = len(basis)
    free = 1 - leverage
    full = free < FULL_LEVERAGE
    power = {"HC2": -0.5, "HC3": -1.0}.get(variance, 0.0)
    scale = np.where(full, 0.0, np.where(full, 1.0, free) ** power)
    factor = rows / (rows - rank) if variance == "HC1" else 1.0
    return Adjustment(basis * scale[:, None], np.arange(rows), rows, basis[full], factor)


def _by_cluster(
    variance: Variance, basis: Floats, absorbed: Absorbed | None, cluster: Ints
) -> tuple[Floats, Floats]:
    """A Q for every cluster, in batches of clusters of one size."""
    adjusted = np.empty_like(basis)
    blind = []
    for rows in _batches(cluster):
        part = basis[rows]
        root = part if absorbed is None else np.concatenate((part, _stratum_columns(absorbed, rows)), axis=2)
        share, vectors = np.linalg.eigh(root.transpose(0, 2, 1) @ root)
        free = np.clip(1 - share, 0.0, 1.0)
        full = free < FULL_LEVERAGE
        towards = vectors.transpose(0, 2, 1) @ (root.transpose(0, 2, 1) @ part)
        adjusted[rows] = part + root @ (vectors @ (correction(variance, free, full)[:, :, None] * towards))
        for each in np.flatnonzero(full.any(axis=1)):
            blind.append(towards[each][full[each]])
    return adjusted, np.concatenate(blind) if blind else np.empty((0, basis.shape[1]))


def correction(variance: Variance, free: Floats, full: Bools) -> Floats:
    """(f(free) - 1) / (1 - free) for f = free^-1/2 (CR2) or free^-1 (CR3), stable near free = 1.

    Directions of full leverage get the pseudo-inverse, f = 0.
    """
    safe = np.where(full, 1.0, free)
    root = np.sqrt(safe)
    value = 1 / (root * (1 + root)) if variance == "CR2" else 1 / safe
    return np.where(full, -1.0, value)


def _batches(cluster: Ints) -> Iterator[Ints]:
    """Row numbers of clusters of equal size, as (clusters, size), smallest size first."""
    order = np.argsort(cluster, kind="stable")
    sizes = np.bincount(cluster)
    starts = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    for size in np.unique(sizes[sizes > 0]):
        chosen = starts[sizes == size]
        yield order[chosen[:, None] + np.arange(size)]


def _stratum_columns(absorbed: Absorbed, rows: Ints) -> Floats:
    """The strata's part of the factor R: one column for each stratum that a cluster meets, zero-padded."""
    code, share = absorbed.code[rows], absorbed.share[rows]
    clusters, size = rows.shape
    order = np.argsort(code, axis=1, kind="stable")
    ranked = np.take_along_axis(code, order, axis=1)
    local_ranked = np.concatenate(
        (np.zeros((clusters, 1), dtype=np.int64), np.cumsum(ranked[:, 1:] != ranked[:, :-1], axis=1)), axis=1
    )
    local = np.empty_like(local_ranked)
    np.put_along_axis(local, order, local_ranked, axis=1)
    columns = np.zeros((clusters, size, int(local.max()) + 1))
    np.put_along_axis(columns, local[:, :, None], share[:, :, None], axis=2)
    return columns
