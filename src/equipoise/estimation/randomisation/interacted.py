"""Lin's contrast, each arm by its own regression on centred covariates, for many allocations at once.

An arm's regression needs of its people only their sums of squares and products, so those of every block (a
person, or a cluster that is drawn whole) are made once, and a draw adds up the blocks of the arm.
"""

from dataclasses import dataclass

import numpy as np

from equipoise.errors import DesignError
from equipoise.estimation.arrays import Bools, Floats, Ints, arms_compared, refuse
from equipoise.estimation.least_squares.basis import orthonormal
from equipoise.estimation.least_squares.covariance import Variance
from equipoise.estimation.randomisation.additive import adjusted_to
from equipoise.estimation.randomisation.moments import Moments, settled
from equipoise.estimation.randomisation.redraws import Codes

__all__ = ["Interacted", "interacted"]

_SINGULAR = 1e-10
_MOST_PRODUCTS = 100_000_000  # 800 MB, as they are held for all people at once


@dataclass(frozen=True, eq=False)
class Interacted:
    """A statistic: see `Statistic`.

    Attributes:
        design: (n, p) a constant and orthonormal covariates with mean 0, so that arms are compared at the
            covariates' means.
        outcomes: (n, q).
        place: (b,) the unit of the draw that each block is.
        clustered: whether blocks are clusters, and not rows.
        contrast: (arms,) weights by the codes of the draw.
        variance: the kind of covariance.
        scale: (q,) the size of each outcome.
    """

    design: Floats
    outcomes: Floats
    place: Ints
    clustered: bool
    contrast: Floats
    variance: Variance
    scale: Floats
    _squares: Floats
    _products: Floats

    def __call__(self, codes: Codes, /) -> Moments:
        placed = codes[:, self.place]
        draws, outcomes = len(codes), self.outcomes.shape[1]
        effect = np.zeros((draws, outcomes))
        covariance = np.zeros((draws, outcomes, outcomes))
        undefined = np.zeros(draws, dtype=bool)
        for arm in arms_compared(self.contrast):
            inside = (placed == arm).astype(np.float64)
            fit = self._fit(inside)
            weight = float(self.contrast[arm])
            effect += weight * fit.coefficients[:, 0, :]
            spread, blind = self._covariance(inside, fit)
            covariance += weight**2 * spread
            undefined |= fit.singular | blind
        return settled(effect, self._factor() * covariance, undefined, self.scale)

    def _fit(self, inside: Floats) -> "_Fit":
        """The regression of one arm in every draw, by the eigenvectors of its sums of products."""
        columns = self.design.shape[1]
        gram = (inside @ self._squares).reshape(-1, columns, columns)
        values, vectors = np.linalg.eigh(gram)
        singular = values[:, 0] <= _SINGULAR * np.maximum(values[:, -1], 1e-300)
        values = np.where(singular[:, None], 1.0, values)
        root = vectors / np.sqrt(values)[:, None, :]
        products = (inside @ self._products).reshape(len(inside), columns, -1)
        coefficients = root @ (root.transpose(0, 2, 1) @ products)
        return _Fit(root, coefficients, singular)

    def _covariance(self, inside: Floats, fit: "_Fit") -> tuple[Floats, Bools]:
        return self._of_clusters(inside, fit) if self.clustered else self._of_rows(inside, fit)

    def _of_rows(self, inside: Floats, fit: "_Fit") -> tuple[Floats, Bools]:
        inverse = fit.root @ fit.root.transpose(0, 2, 1)
        influence = inside * (inverse[:, 0, :] @ self.design.T)
        leverage = inside * (inverse.reshape(len(inside), -1) @ self._squares.T)
        adjusted, blind = adjusted_to(self.variance, 1 - leverage, influence)
        scores = [
            adjusted * (outcome - fit.coefficients[:, :, place] @ self.design.T)
            for place, outcome in enumerate(self.outcomes.T)
        ]
        return _inner(np.stack(scores, axis=2)), blind

    def _of_clusters(self, inside: Floats, fit: "_Fit") -> tuple[Floats, Bools]:
        """In the coordinates of the arm's design no matrix of a cluster is larger than the design is wide."""
        columns, draws, count = self.design.shape[1], *inside.shape
        squares = self._squares.reshape(count, columns, columns)
        products = self._products.reshape(count, columns, -1)
        turn = fit.root[:, None]
        held = turn.transpose(0, 1, 3, 2) @ squares @ turn
        values, vectors = np.linalg.eigh(held * inside[:, :, None, None])
        start = np.einsum("mbij,mi->mbj", vectors, fit.root[:, 0, :]) * inside[:, :, None]
        flat = (draws, count * columns)
        adjusted, blind = adjusted_to(self.variance, 1 - values.reshape(flat), start.reshape(flat))
        left = turn.transpose(0, 1, 3, 2) @ (products - squares @ fit.coefficients[:, None])
        scores = np.einsum("mbij,mbj,mbiq->mbq", vectors, adjusted.reshape(draws, count, columns), left)
        return _inner(scores), blind

    def _factor(self) -> float:
        rows, count = len(self.design), len(self.place)
        left = rows - len(self.contrast) * self.design.shape[1]
        if self.variance == "CR1":
            return float(count / (count - 1) * (rows - 1) / left)
        return rows / left if self.variance == "HC1" else 1.0


@dataclass(frozen=True, eq=False)
class _Fit:
    """`root` R with RR' the inverse of the sums of products, (m, p, p); coefficients (m, p, q)."""

    root: Floats
    coefficients: Floats
    singular: Bools


def interacted(
    outcomes: Floats,
    place: Ints,
    contrast: Floats,
    covariates: Floats | None,
    stratum: Ints | None,
    cluster: Ints | None,
    variance: Variance,
    scale: Floats,
) -> Interacted:
    """Prepare the statistic; the arguments are those of `statistic_of`, as checked there."""
    design = _design(len(outcomes), covariates, stratum)
    if design.size * design.shape[1] > _MOST_PRODUCTS:
        raise refuse(
            "covariates",
            f"and strata have {design.shape[1]} columns, too many for {len(design):,} people to be re-drawn "
            "by arm; choose the model `linear`, or `difference-in-means` within strata.",
        )
    squares = (design[:, :, None] * design[:, None, :]).reshape(len(design), -1)
    products = (design[:, :, None] * outcomes[:, None, :]).reshape(len(design), -1)
    if cluster is not None:
        place = place[np.unique(cluster, return_index=True)[1]]
        squares, products = _summed(squares, cluster), _summed(products, cluster)
    clustered = cluster is not None
    return Interacted(design, outcomes, place, clustered, contrast, variance, scale, squares, products)


def _design(rows: int, covariates: Floats | None, stratum: Ints | None) -> Floats:
    """A constant and an orthonormal basis of the centred covariates and stratum indicators."""
    parts = [] if covariates is None else [covariates]
    if stratum is not None:
        parts.append((stratum[:, None] == np.arange(1, stratum.max() + 1)).astype(np.float64))
    constant = np.ones((rows, 1))
    if not parts:
        return constant
    columns = np.concatenate(parts, axis=1)
    lengths = np.sqrt((columns**2).sum(axis=0))
    columns = columns - columns.mean(axis=0)
    columns = columns[:, np.sqrt((columns**2).sum(axis=0)) > _SINGULAR * lengths]
    try:
        basis = orthonormal(columns, None)[0]
    except DesignError:  # no covariate varies
        return constant
    return np.concatenate((constant, basis * np.sqrt(rows)), axis=1)


def _summed(values: Floats, cluster: Ints) -> Floats:
    """Sums over the rows of each cluster."""
    sums = np.zeros((int(cluster.max()) + 1, values.shape[1]))
    np.add.at(sums, cluster, values)
    return sums


def _inner(scores: Floats) -> Floats:
    """(m, q, q) from scores (m, b, q)."""
    return np.asarray(scores.transpose(0, 2, 1) @ scores)
