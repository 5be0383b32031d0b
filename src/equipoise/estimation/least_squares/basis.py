"""The orthonormal basis of a design, strata projected out, without columns that repeat others."""

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from equipoise.estimation.arrays import Floats, Ints, refuse

__all__ = ["Absorbed", "absorb", "orthonormal", "within"]

_COLLINEAR = 1e-10
"""A column whose part not explained by earlier ones is below this share of its length is dropped."""

_MANY_ROWS = 10_000
"""From so many rows Cholesky's factor is faster than Householder's reflections."""
_NEAR_DEPENDENT = 1e-8
"""Least eigenvalue of columns of unit length under which Cholesky's factor would cost digits."""


@dataclass(frozen=True)
class Absorbed:
    """Strata whose intercepts were projected out: code and projection weight a row.

    `share` is sqrt(w_i / W_s): the stratum projection has entries share_i * share_j within a stratum.
    """

    code: Ints
    share: Floats
    count: int


def absorb(stratum: Ints, root: Floats) -> Absorbed:
    """The projection on strata, from their codes and the root of each row's weight."""
    totals = np.bincount(stratum, root**2)
    return Absorbed(stratum, root / np.sqrt(totals)[stratum], len(totals))


def within(columns: Floats, absorbed: Absorbed | None) -> Floats:
    """Columns less their projection on the strata."""
    if absorbed is None:
        return columns
    left = np.empty_like(columns, order="F")
    for index, column in enumerate(columns.T):
        sums = np.bincount(absorbed.code, column * absorbed.share, minlength=absorbed.count)
        left[:, index] = column - absorbed.share * sums[absorbed.code]
    return left


def orthonormal(columns: Floats, absorbed: Absorbed | None) -> tuple[Floats, Floats, Ints]:
    """QR of the columns that are not combinations of earlier ones or of the strata.

    Args:
        columns: (n, p) the weighted design.
        absorbed: strata to project out.
    Returns:
        The basis (n, k), the triangle (k, k) and which k columns were kept.
    Raises:
        DesignError: no column is left.

    One dependent column is dropped at a time, because the directions after it in the same QR are arbitrary.
    """
    lengths = np.sqrt((columns**2).sum(axis=0))
    inner = within(columns, absorbed)
    kept = np.flatnonzero(np.sqrt((inner**2).sum(axis=0)) > _COLLINEAR * lengths)
    while len(kept):
        basis, triangle = _factored(inner[:, kept])
        left = np.zeros(len(kept))
        left[: len(triangle)] = np.abs(np.diagonal(triangle))
        dependent = np.flatnonzero(left <= _COLLINEAR * lengths[kept])
        if not len(dependent):
            return basis, triangle, kept
        kept = np.delete(kept, dependent[0])
    raise refuse("design", "has no column left: each is 0, or the same for everyone in a stratum.")


def _factored(columns: Floats) -> tuple[Floats, Floats]:
    """QR; of many rows by Cholesky's factor of the products, twice, if the columns are far from dependent.

    Yamamoto, Nakatsukasa, Yanagisawa & Fukaya (2015), Electron. Trans. Numer. Anal. 44:306: two rounds are as
    orthogonal as Householder's reflections while the condition number is below 1e8; several times as fast.
    """
    if len(columns) < _MANY_ROWS:
        return _reflected(columns)
    scale = np.sqrt(np.einsum("ij,ij->j", columns, columns))
    products = columns.T @ columns / np.outer(scale, scale)
    if np.linalg.eigvalsh(products)[0] < _NEAR_DEPENDENT:
        return _reflected(columns)
    first = np.asarray(np.linalg.cholesky(products).T * scale, dtype=np.float64)
    basis = columns @ _inverse(first)
    second = np.asarray(np.linalg.cholesky(basis.T @ basis).T, dtype=np.float64)
    return basis @ _inverse(second), np.asarray(second @ first)


def _reflected(columns: Floats) -> tuple[Floats, Floats]:
    basis, triangle = np.linalg.qr(columns)
    return basis, triangle


def _inverse(triangle: Floats) -> Floats:
    return np.asarray(linalg.solve_triangular(triangle, np.eye(len(triangle)), check_finite=False))
