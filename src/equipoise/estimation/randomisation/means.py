"""The difference in means with Neyman's variance, within strata, for many allocations at once."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from equipoise.estimation.arrays import Floats, Ints, arms_compared
from equipoise.estimation.randomisation.moments import Moments, settled
from equipoise.estimation.randomisation.redraws import Codes

__all__ = ["Means", "means"]

_DENSE_STRATA = 64
"""Up to so many strata a product with their columns is quicker dense."""


@dataclass(frozen=True, eq=False)
class Means:
    """A statistic: see `Statistic`. With one person in a cell there is an effect and no error.

    Attributes:
        place: (n,) each row's unit of the draw.
        contrast: (arms,) weights by the codes of the draw.
        share: (strata,) the weight of each stratum, adding up to 1.
        scale: (q,) the size of each outcome.
    """

    place: Ints
    contrast: Floats
    share: Floats
    scale: Floats
    _strata: Any
    _outcomes: Any
    _squares: Any
    _centre: Floats

    def __call__(self, codes: Codes, /) -> Moments:
        placed = codes[:, self.place]
        draws, strata, outcomes = len(codes), len(self.share), self._centre.shape[1]
        effect = np.zeros((draws, outcomes))
        covariance = np.zeros((draws, outcomes, outcomes))
        undefined = np.zeros(draws, dtype=bool)
        for arm in arms_compared(self.contrast):
            inside = (placed == arm).astype(np.float64)
            count = inside @ self._strata
            undefined |= (count < 1).any(axis=1)
            left = np.where(count < 2, np.nan, count - 1)[:, :, None]
            count = np.maximum(count, 1.0)[:, :, None]
            mean = (inside @ self._outcomes).reshape(draws, strata, outcomes) / count
            square = (inside @ self._squares).reshape(draws, strata, outcomes, outcomes)
            spread = square - count[..., None] * mean[..., :, None] * mean[..., None, :]
            weight = self.contrast[arm] * self.share
            effect += np.einsum("s,msq->mq", weight, mean + self._centre)
            terms = spread / (count * left)[..., None]
            covariance += np.einsum("s,msqr->mqr", weight**2, terms)
        return settled(effect, covariance, undefined, self.scale)


def means(
    outcomes: Floats, place: Ints, contrast: Floats, stratum: Ints, share: Floats, scale: Floats
) -> Means:
    """Prepare the statistic; sums of squares are of outcomes less their stratum's mean.

    Args:
        outcomes: (n, q).
        place: (n,) each row's unit of the draw.
        contrast: (arms,) weights by the codes of the draw.
        stratum: (n,) codes; all 0 without strata.
        share: (strata,) the weight of each stratum, adding up to 1.
        scale: (q,) the size of each outcome.
    """
    sizes = np.bincount(stratum, minlength=len(share)).astype(np.float64)
    sums = np.stack([np.bincount(stratum, column, minlength=len(share)) for column in outcomes.T], axis=1)
    centre = sums / sizes[:, None]
    left = outcomes - centre[stratum]
    squares = (left[:, :, None] * left[:, None, :]).reshape(len(left), -1)
    return Means(
        place,
        contrast,
        share,
        scale,
        _by_stratum(np.ones((len(left), 1)), stratum, len(share)),
        _by_stratum(left, stratum, len(share)),
        _by_stratum(squares, stratum, len(share)),
        centre,
    )


def _by_stratum(values: Floats, stratum: Ints, strata: int) -> Any:
    """(n, strata c) from (n, c): each row's values in the columns of its stratum, 0 elsewhere."""
    rows, columns = values.shape
    place = np.repeat(np.arange(rows), columns), (stratum[:, None] * columns + np.arange(columns)).ravel()
    found = sparse.csr_array((values.ravel(), place), shape=(rows, strata * columns))
    return found.toarray() if strata <= _DENSE_STRATA else found
