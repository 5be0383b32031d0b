"""When a re-drawn contrast counts as extreme, and the chance that is summed over those that do."""

from math import fsum

import numpy as np

from equipoise.estimation.arrays import Bools, Floats, refuse
from equipoise.estimation.randomisation.moments import Moments
from equipoise.estimation.randomisation.redraws import Redraws

__all__ = ["chance_of", "reaches", "sizes"]

TIES = 1e-9
"""A size short of the observed by less than this share of its scale is a tie, and ties are extreme."""
_ROUNDING = 1e-12


def sizes(moments: Moments, *, studentised: bool, effect: float = 0.0) -> Floats:
    """How far each contrast of the first outcome is from an effect, or so many standard errors.

    Args:
        moments: of m allocations; for an effect other than 0 the second outcome says whom it moved.
        studentised: divide by the standard error.
        effect: the constant effect that is tested.
    Returns:
        (m,). A contrast without an error is infinitely far unless it is the effect itself; one that is
        undefined is infinitely far.
    """
    moved = moments.effect[:, 1] if moments.effect.shape[1] > 1 else np.ones(len(moments.effect))
    left = np.abs(moments.effect[:, 0] - effect * moved) if effect else np.abs(moments.effect[:, 0])
    if studentised:
        with np.errstate(divide="ignore", invalid="ignore"):
            left = np.where(left == 0, 0.0, left / np.sqrt(_variance(moments, effect)))
    return np.where(np.isnan(left), np.inf, left)


def reaches(others: Floats, observed: float, *, studentised: bool) -> Bools:
    """Which sizes are as extreme as the observed one, ties among them."""
    finite = others[np.isfinite(others)]
    scale = 1.0 if studentised else float(finite.max(initial=0.0))
    if np.isinf(observed):
        return np.isinf(others)
    return np.asarray(others >= observed - TIES * max(observed, scale))


def chance_of(reached: Bools, redraws: Redraws) -> float:
    """The p-value from what is extreme: by all allocations' chances, or (1 + b) / (1 + m) of m drawn."""
    if redraws.chance is not None:
        return min(1.0, fsum(redraws.chance[reached]))
    return (1 + int(reached.sum())) / (1 + redraws.draws)


def _variance(moments: Moments, effect: float) -> Floats:
    """Of the contrast of outcome - effect x moved."""
    if moments.covariance is None:
        raise refuse("studentised", "needs a statistic with an error; compare the contrast itself.")
    own = moments.covariance[:, 0, 0]
    if not effect:
        return own
    both, moved = moments.covariance[:, 0, 1], moments.covariance[:, 1, 1]
    variance = own - 2 * effect * both + effect**2 * moved
    return np.where(variance <= _ROUNDING * (own + effect**2 * moved), 0.0, variance)
