"""Degrees of freedom of robust tests by matching moments under independent, equal variances.

For a contrast with weights a = Qz the robust variance is a sum over blocks g of (p_g' e_g)^2 with p = A a.
Under the working model the vector of p_g' e_g has covariance W = D - FF', where D holds p_g' p_g and row g of
F is p_g' [Q, S] (S the absorbed strata). F has as many columns as the design, so W is never formed.

Bell & McCaffrey (2002), Survey Methodology 28:169; Pustejovsky & Tipton (2018), J. Bus. Econ. Stat. 36:672,
with the correction of 2023: the hat matrix here is always that of the full design, so their theorem 2, on
leaving out absorbed effects, is not relied upon.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from equipoise.estimation.arrays import Floats, Ints
from equipoise.estimation.least_squares.basis import Absorbed
from equipoise.estimation.least_squares.covariance import Adjustment

__all__ = ["contrast_dof", "hotelling_dof"]


@dataclass(frozen=True)
class _ByRow:
    """The strata part of F where every row is a block: one entry a row, at its stratum."""

    value: Floats
    stratum: Ints
    strata: int

    def products(self, other: Any) -> Floats:
        """Row by row inner products with another."""
        return np.asarray(self.value * other.value)

    def across(self, dense: Floats) -> Floats:
        """The product of this, turned, and a basis part: strata by columns."""
        sums = [np.bincount(self.stratum, self.value * column, minlength=self.strata) for column in dense.T]
        return np.stack(sums, axis=1)

    def norms(self, other: Any) -> tuple[float, float]:
        """For M, this turned times another: the sum of its squares, and tr(M M)."""
        own = float((np.bincount(self.stratum, self.value * other.value) ** 2).sum())
        return own, own


@dataclass(frozen=True)
class _ByCluster:
    """The strata part of F where clusters are blocks: clusters by strata, sparse."""

    matrix: Any

    def products(self, other: Any) -> Floats:
        """Row by row inner products with another."""
        return np.asarray((self.matrix * other.matrix).sum(axis=1)).ravel()

    def across(self, dense: Floats) -> Floats:
        """The product of this, turned, and a basis part: strata by columns."""
        return np.asarray(self.matrix.T @ dense)

    def norms(self, other: Any) -> tuple[float, float]:
        """For M, this turned times another: the sum of its squares, and tr(M M)."""
        strata = self.matrix.T @ other.matrix
        return float(strata.power(2).sum()), float((strata * strata.T).sum())


@dataclass(frozen=True)
class _Moments:
    """One weight vector p by block: its rows, the basis part of F and the strata part of F."""

    rows: Floats
    dense: Floats
    strata: _ByRow | _ByCluster | None


def contrast_dof(
    adjustment: Adjustment, basis: Floats, absorbed: Absorbed | None, direction: Floats
) -> float:
    """Satterthwaite degrees of freedom of one contrast: tr(W)^2 / tr(W^2).

    Args:
        adjustment: the adjusted basis and its blocks.
        basis: (n, k) orthonormal basis Q.
        absorbed: strata projected out.
        direction: (k,) the contrast z in the coordinates of the basis.
    Returns:
        The degrees of freedom; not above the number of blocks.
    """
    part = _moments(adjustment, basis, absorbed, direction)
    own, norms = _diagonal(part, part, adjustment), _products(part, part)
    squared, _ = _gram_norms(part, part)
    return float((own.sum() - norms.sum()) ** 2 / (own @ own - 2 * own @ norms + squared))


def hotelling_dof(
    adjustment: Adjustment, basis: Floats, absorbed: Absorbed | None, directions: Floats
) -> float:
    """Degrees of freedom of the approximate Hotelling test of q contrasts together.

    Args:
        adjustment: the adjusted basis and its blocks.
        basis: (n, k) orthonormal basis Q.
        absorbed: strata projected out.
        directions: (k, q) the contrasts in the coordinates of the basis.
    Returns:
        eta; with Wald statistic T the test is T (eta - q + 1) / (eta q) on F(q, eta - q + 1).

    Pustejovsky & Tipton (2018), section 3.2 (the test they call HTZ); q = 1 is Satterthwaite's.
    """
    parts = [_moments(adjustment, basis, absorbed, direction) for direction in directions.T]
    expected = np.array([[_trace(s, t, adjustment) for t in parts] for s in parts])
    whiten = _inverse_root(expected)
    parts = [_moments(adjustment, basis, absorbed, direction) for direction in (directions @ whiten).T]
    total = sum(_variance(s, t, adjustment) for s in parts for t in parts)
    count = directions.shape[1]
    return float(count * (count + 1) / total)


def _moments(adjustment: Adjustment, basis: Floats, absorbed: Absorbed | None, direction: Floats) -> _Moments:
    rows = adjustment.adjusted @ direction
    dense = _block_sums(basis * rows[:, None], adjustment)
    if absorbed is None:
        return _Moments(rows, dense, None)
    shares = rows * absorbed.share
    if adjustment.blocks == len(rows):
        return _Moments(rows, dense, _ByRow(shares, absorbed.code, absorbed.count))
    strata = sparse.csr_array(
        (shares, (adjustment.block, absorbed.code)), shape=(adjustment.blocks, absorbed.count)
    )
    return _Moments(rows, dense, _ByCluster(strata))


def _block_sums(columns: Floats, adjustment: Adjustment) -> Floats:
    """Sums by block; where every row is a block of its own, the rows as they come."""
    if adjustment.blocks == len(columns):
        return columns
    return np.stack(
        [np.bincount(adjustment.block, column, minlength=adjustment.blocks) for column in columns.T], axis=1
    )


def _diagonal(s: _Moments, t: _Moments, adjustment: Adjustment) -> Floats:
    """D of a pair of contrasts: p_sg' p_tg by block."""
    return _block_sums((s.rows * t.rows)[:, None], adjustment)[:, 0]


def _products(s: _Moments, t: _Moments) -> Floats:
    """Row by row inner products of F_s and F_t."""
    products = np.einsum("ij,ij->i", s.dense, t.dense)
    if s.strata is not None:
        products = products + s.strata.products(t.strata)
    return np.asarray(products, dtype=np.float64)


def _trace(s: _Moments, t: _Moments, adjustment: Adjustment) -> float:
    return float(_diagonal(s, t, adjustment).sum() - _products(s, t).sum())


def _variance(s: _Moments, t: _Moments, adjustment: Adjustment) -> float:
    """Variance of entry (s, t) of the robust covariance under the working model, normal errors."""
    both = _diagonal(s, t, adjustment)
    within = _diagonal(s, s, adjustment) @ _diagonal(t, t, adjustment) + both @ both
    cross = _diagonal(s, s, adjustment) @ _products(t, t) + _diagonal(t, t, adjustment) @ _products(s, s)
    squared, twisted = _gram_norms(s, t)
    return float(within - cross - 2 * both @ _products(s, t) + squared + twisted)


def _gram_norms(s: _Moments, t: _Moments) -> tuple[float, float]:
    """For M = F_s' F_t: the sum of its squares, and tr(M M)."""
    dense = s.dense.T @ t.dense
    squared, twisted = float((dense**2).sum()), float((dense * dense.T).sum())
    if s.strata is None or t.strata is None:
        return squared, twisted
    upper, lower = t.strata.across(s.dense), s.strata.across(t.dense)
    strata_squared, strata_twisted = s.strata.norms(t.strata)
    squared += float((upper**2).sum() + (lower**2).sum()) + strata_squared
    return squared, twisted + float(2 * (upper * lower).sum()) + strata_twisted


def _inverse_root(matrix: Floats) -> Floats:
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray(vectors / np.sqrt(values) @ vectors.T)
