"""What stays the same in every draw: covariates and strata projected out, people packed into blocks.

A block is a person or, where clusters are drawn, a cluster. Whatever the draw, an arm's column, less its
projection on covariates and strata, lies within a cluster in the span of a constant, the cluster's strata
and its covariates. So a cluster of any size is packed, without loss, into as many numbers as that span has
dimensions: one where covariates do not vary within it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from equipoise.estimation.arrays import Floats, Ints
from equipoise.estimation.least_squares.basis import Absorbed, absorb, orthonormal, within
from equipoise.estimation.least_squares.covariance import FULL_LEVERAGE
from equipoise.estimation.randomisation.redraws import Codes

__all__ = ["Blocks", "blocks_of"]

_DENSE_STRATA = 64
"""Up to so many strata a product with their indicators is quicker dense."""
_SAME = 1e-9


@dataclass(frozen=True, eq=False)
class Blocks:
    """Outcomes and draws in packed coordinates: b blocks of r numbers each.

    Attributes:
        outcomes: (b r, q) less their projection on covariates and strata.
        free: (b, r, r) identity less the hat matrix of covariates and strata.
        place: (b,) the unit of the draw that each block is.
        rows: people (or rows) in all.
        rank: columns of covariates and strata.
    """

    outcomes: Floats
    free: Floats
    place: Ints
    rows: int
    rank: int
    _ones: Floats | None
    _pairs: tuple[tuple[Any, Any], ...]

    @property
    def count(self) -> int:
        """Blocks."""
        return len(self.free)

    def placed(self, codes: Codes) -> Codes:
        """The arm of each block, (m, b), from that of each unit, (m, units)."""
        if np.array_equal(self.place, np.arange(codes.shape[1])):
            return codes
        return codes[:, self.place]

    def residual(self, indicator: Floats, out: Floats) -> Floats:
        """A column that is the same throughout a block, less its projection.

        Args:
            indicator: (m, b), a draw a row.
            out: (m, b r), where the result goes.
        """
        np.matmul(indicator @ self._pairs[0][0], self._pairs[0][1], out=out)
        for sums, back in self._pairs[1:]:
            out += (indicator @ sums) @ back
        whole = indicator
        if self._ones is not None:
            whole = np.repeat(indicator, self.free.shape[1], axis=1) * self._ones
        return np.asarray(np.subtract(whole, out, out=out))


def blocks_of(
    outcomes: Floats,
    place: Ints,
    covariates: Floats | None,
    stratum: Ints | None,
    cluster: Ints | None,
) -> Blocks:
    """Project covariates and strata out, and pack.

    Args:
        outcomes: (n, q).
        place: (n,) each row's unit of the draw.
        covariates: (n, p), or None.
        stratum: (n,) codes of the strata whose intercepts are absorbed; None for one intercept.
        cluster: (n,) codes without gaps of clusters that are drawn whole; None where rows are.
    """
    rows = len(outcomes)
    absorbed = absorb(np.zeros(rows, dtype=np.int64) if stratum is None else stratum, np.ones(rows))
    basis = _basis(covariates, absorbed, rows)
    left = within(outcomes, absorbed)
    left = left - basis @ (basis.T @ left)
    rank = basis.shape[1] + absorbed.count
    shares = _indicators(absorbed)
    if cluster is None:
        return _rows(left, place, basis, shares, absorbed, rank)
    return _clusters(left, place, basis, shares.tocsr(), cluster, rank)


def _basis(covariates: Floats | None, absorbed: Absorbed, rows: int) -> Floats:
    """An orthonormal basis of the covariates within strata; (n, 0) where none varies there."""
    if covariates is None:
        return np.empty((rows, 0))
    lengths = np.sqrt((covariates**2).sum(axis=0))
    vary = np.sqrt((within(covariates, absorbed) ** 2).sum(axis=0)) > _SAME * lengths
    return orthonormal(covariates[:, vary], absorbed)[0] if vary.any() else np.empty((rows, 0))


def _indicators(absorbed: Absorbed) -> Any:
    rows = len(absorbed.code)
    return sparse.coo_array((absorbed.share, (np.arange(rows), absorbed.code)), shape=(rows, absorbed.count))


def _rows(left: Floats, place: Ints, basis: Floats, shares: Any, absorbed: Absorbed, rank: int) -> Blocks:
    """Each row a block; rows that covariates and strata fit exactly say nothing, and are left out."""
    free = 1 - absorbed.share**2 - (basis**2).sum(axis=1)
    kept = np.flatnonzero(free > FULL_LEVERAGE)
    strata, basis = shares.tocsr()[kept], basis[kept]
    return Blocks(
        outcomes=left[kept],
        free=free[kept, None, None],
        place=place[kept],
        rows=len(left),
        rank=rank,
        _ones=None,
        _pairs=_pairs(strata, basis),
    )


def _clusters(left: Floats, place: Ints, basis: Floats, shares: Any, cluster: Ints, rank: int) -> Blocks:
    """Each cluster a block, packed into the span of what can vary in it."""
    order = np.argsort(cluster, kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(cluster))[:-1])
    packings = [_packing(basis[rows], shares[rows].toarray()) for rows in parts]
    size, count = max(packing.shape[1] for packing in packings), len(parts)
    pack = _block_diagonal(parts, packings, size, len(left))
    member = sparse.csr_array((np.ones(len(left)), (cluster, np.arange(len(left)))), shape=(count, len(left)))
    strata, covariates = pack @ shares, pack @ basis
    hat = np.stack([_inner(strata[start : start + size]) for start in range(0, count * size, size)])
    by_block = covariates.reshape(count, size, -1)
    return Blocks(
        outcomes=pack @ left,
        free=np.eye(size) - hat - by_block @ by_block.transpose(0, 2, 1),
        place=place[[rows[0] for rows in parts]],
        rows=len(left),
        rank=rank,
        _ones=pack @ np.ones(len(left)),
        _pairs=_pairs(member @ shares, member @ basis, strata, covariates),
    )


def _block_diagonal(parts: list[Ints], packings: list[Floats], size: int, rows: int) -> Any:
    """(b r, n) the packing of all clusters, a cluster's numbers side by side, zeros where it has fewer."""
    where = [
        (
            each * size + np.repeat(np.arange(packing.shape[1]), len(members)),
            np.tile(members, packing.shape[1]),
        )
        for each, (members, packing) in enumerate(zip(parts, packings, strict=True))
    ]
    values = np.concatenate([packing.T.ravel() for packing in packings])
    place = tuple(np.concatenate(axis) for axis in zip(*where, strict=True))
    return sparse.csr_array((values, place), shape=(len(parts) * size, rows))


def _inner(rows: Any) -> Floats:
    return np.asarray((rows @ rows.T).toarray())


def _packing(basis: Floats, shares: Floats) -> Floats:
    """(rows, r) orthonormal columns that span a constant, the strata and the covariates of a cluster."""
    met = shares[:, shares.any(axis=0)]
    columns = np.concatenate((np.ones((len(basis), 1)), met, basis), axis=1)
    lengths = np.sqrt((columns**2).sum(axis=0))
    vectors, values, _ = np.linalg.svd(columns / np.where(lengths > 0, lengths, 1.0), full_matrices=False)
    return np.asarray(vectors[:, values > _SAME * values[0]])


def _pairs(
    strata: Any, basis: Floats, strata_back: Any = None, basis_back: Floats | None = None
) -> tuple[tuple[Any, Any], ...]:
    """The projection as products of thin matrices, in one where the strata are few.

    Args:
        strata: (b, strata) sums of the strata's columns over each block.
        basis: (b, k) sums of the covariates' basis.
        strata_back: (b r, strata) the strata's columns, packed; `strata` itself where blocks are rows.
        basis_back: (b r, k) likewise.
    """
    strata_back = strata if strata_back is None else strata_back
    basis_back = basis if basis_back is None else basis_back
    if strata.shape[1] <= _DENSE_STRATA:
        return ((np.hstack((strata.toarray(), basis)), np.hstack((strata_back.toarray(), basis_back)).T),)
    return ((basis, basis_back.T), (strata, strata_back.T))
