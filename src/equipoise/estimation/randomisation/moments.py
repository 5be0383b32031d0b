"""What a statistic says of many allocations at once: effects and their estimated variances."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from equipoise.estimation.arrays import Bools, Floats
from equipoise.estimation.randomisation.redraws import Codes, Redraws

__all__ = ["Moments", "Statistic", "any_statistic", "over", "settled"]

_ROUNDING = 1e-12
"""Effects and errors below this share of the outcome's size are rounding, and taken as 0."""


@dataclass(frozen=True, eq=False)
class Moments:
    """A contrast in each of m allocations, of q outcomes that are re-drawn together.

    Attributes:
        effect: (m, q); NaN where the allocation does not allow an estimate.
        covariance: (m, q, q), as estimated in each allocation; None for a statistic without one.
    """

    effect: Floats
    covariance: Floats | None


class Statistic(Protocol):
    """Computes a contrast for allocations of units, (m, units)."""

    def __call__(self, codes: Codes, /) -> Moments:
        """The contrast in each allocation."""
        ...


def over(statistic: Statistic, redraws: Redraws) -> tuple[Moments, Moments]:
    """The statistic of the allocation observed, and of all re-drawn."""
    parts = [statistic(codes) for codes in redraws.pieces()]
    return statistic(redraws.observed[None, :]), _joined(parts)


def any_statistic(function: Callable[[Codes], float]) -> Statistic:
    """A statistic of one's own: a function from one allocation, (units,), to a number; larger is more.

    It is called once for each allocation, so it is as slow as the function.
    """

    def statistic(codes: Codes) -> Moments:
        return Moments(np.array([[function(row)] for row in codes], dtype=np.float64), None)

    return statistic


def settled(effect: Floats, covariance: Floats, undefined: Bools, scale: Floats) -> Moments:
    """Moments without the dust of rounding, NaN where undefined.

    Args:
        effect: (m, q).
        covariance: (m, q, q).
        undefined: (m,) the allocations that allow no estimate.
        scale: (q,) the size of each outcome.
    """
    dust = scale * _ROUNDING
    effect = np.where(np.abs(effect) <= dust, 0.0, effect)
    covariance = np.where(np.abs(covariance) <= dust[:, None] * dust, 0.0, covariance)
    effect[undefined] = np.nan
    return Moments(effect, covariance)


def _joined(parts: Sequence[Moments]) -> Moments:
    covariances = [part.covariance for part in parts if part.covariance is not None]
    return Moments(
        np.concatenate([part.effect for part in parts]),
        np.concatenate(covariances) if covariances else None,
    )
