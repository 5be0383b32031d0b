"""How much of the error rate may have been spent by each look: the spending functions of Lan and DeMets."""

from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import stats

from equipoise.errors import nearest
from equipoise.estimation.arrays import Floats, finite, refuse

__all__ = ["SPENDING", "Spending", "spent"]

Spending = Literal["obrien-fleming", "pocock"]


def spent(kind: str, times: npt.ArrayLike, alpha: float = 0.05) -> Floats:
    """The two-sided error rate spent up to each look.

    Args:
        kind: a name in `SPENDING`.
        times: (k,) shares of the whole information, rising, above 0 and up to 1.
        alpha: the two-sided error rate of the whole trial; half of it is spent on each side.
    Returns:
        (k,) what may have been spent by then, `alpha` at time 1.
    Raises:
        DesignError: an unknown kind, times that do not rise from 0 to 1, or an error rate outside (0, 1).

    Lan & DeMets (1983), Biometrika 70:659.
    """
    if kind not in SPENDING:
        raise refuse("spend", f'is "{kind}"; expected one of {nearest(kind, sorted(SPENDING))}')
    t = finite(times, "times")
    if t[0] <= 0 or t[-1] > 1 + 1e-12 or (np.diff(t) <= 0).any():
        raise refuse(
            "times", "do not rise from above 0 to at most 1; each look has more answers than the last."
        )
    if not 0 < alpha < 1:
        raise refuse("alpha", f"is {alpha:g}; expected a number between 0 and 1.")
    return 2 * SPENDING[kind](np.minimum(t, 1.0), alpha / 2)


def _obrien_fleming(t: Floats, alpha: float) -> Floats:
    """Little at first, nearly all at the end: boundaries like those of O'Brien & Fleming (1979)."""
    return np.asarray(2 * stats.norm.sf(stats.norm.isf(alpha / 2) / np.sqrt(t)))


def _pocock(t: Floats, alpha: float) -> Floats:
    """Nearly even: boundaries like those of Pocock (1977)."""
    return np.asarray(alpha * np.log1p((np.e - 1) * t))


SPENDING: dict[str, Callable[[Floats, float], Floats]] = {
    "obrien-fleming": _obrien_fleming,
    "pocock": _pocock,
}
