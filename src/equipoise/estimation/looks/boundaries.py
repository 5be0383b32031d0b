"""The critical value at each look, so that looking does not raise the chance of a false claim."""

import numpy as np
import numpy.typing as npt
from scipy import optimize, stats

from equipoise.estimation.arrays import Floats, refuse
from equipoise.estimation.looks.crossing import Path, checked_information
from equipoise.estimation.looks.spending import spent

__all__ = ["boundaries", "nominal_levels", "p_value_within_share", "sequential_p_value"]

_FURTHEST = 38.0
"""No normal statistic lies further out: what spends less than that spends nothing."""
_SMALLEST = 1e-14


def boundaries(information: npt.ArrayLike, times: npt.ArrayLike, kind: str, alpha: float = 0.05) -> Floats:
    """Critical values of |Z| at each look, two-sided and symmetric.

    Args:
        information: (k,) rising, such as the answers at each look; only ratios matter.
        times: (k,) shares of the planned information at which the error rate is spent.
        kind: `obrien-fleming` or `pocock`.
        alpha: two-sided error rate of the whole trial.
    Returns:
        (k,) bounds: what the spending function allows by a look, and no earlier look has spent, is the chance
        to cross there first.
    Raises:
        DesignError: sizes that differ, or information or times that do not rise.

    Lan & DeMets (1983), Biometrika 70:659; Jennison & Turnbull (2000), section 7.2.
    """
    amounts = checked_information(information)
    steps = np.diff(spent(kind, times, alpha), prepend=0.0)
    if len(steps) != len(amounts):
        raise refuse("times", f"has {len(steps)} looks, information has {len(amounts)}; expected as many.")
    path, found = Path(), np.empty(len(amounts))
    for look, (amount, step) in enumerate(zip(amounts, steps, strict=True)):
        found[look] = _bound(path, float(amount), float(step))
        path.stay(float(amount), -found[look], found[look])
    return found


def nominal_levels(bounds: npt.ArrayLike) -> Floats:
    """The two-sided p-value that just reaches each bound."""
    return np.asarray(2 * stats.norm.sf(np.asarray(bounds, dtype=np.float64)))


def sequential_p_value(p_value: float, information: npt.ArrayLike, times: npt.ArrayLike, kind: str) -> float:
    """The smallest error rate of a whole trial at which the last of these looks would reject.

    Args:
        p_value: of the last look, two-sided, as if it had been the only one.
        information: (k,) rising, the last look's included.
        times: (k,) shares of the planned information, the last look's included.
        kind: `obrien-fleming` or `pocock`.
    Returns:
        To be compared with the error rate itself, or adjusted for several claims like any p-value.

    Liu & Anderson (2008), Pharmaceutical Statistics 7:87, for a trial whose earlier looks did not stop it;
    with several claims Maurer & Bretz (2013), Statistics in Biopharmaceutical Research 5:311.
    """
    if not 0 <= p_value <= 1:
        raise refuse("p_value", f"is {p_value:g}; expected a number from 0 to 1.")
    reached = min(float(stats.norm.isf(p_value / 2)), _FURTHEST)

    def short(log_alpha: float) -> float:
        return float(boundaries(information, times, kind, float(np.exp(log_alpha)))[-1]) - reached

    low, high = np.log(_SMALLEST), np.log1p(-1e-9)
    if short(low) <= 0:
        return _SMALLEST
    if short(high) > 0:
        return 1.0
    return float(np.exp(optimize.brentq(short, low, high, xtol=1e-10)))


def p_value_within_share(p_value: float, times: npt.ArrayLike, kind: str) -> float:
    """The smallest error rate of a whole trial whose share for the last of these looks reaches a p-value.

    Args:
        p_value: of the last look, two-sided, as if it had been the only one; one adjusted for several claims
            tested together, say.
        times: (k,) shares of the planned information, the last look's included.
        kind: `obrien-fleming` or `pocock`.
    Returns:
        To be compared with the error rate itself; after an earlier look 1 where even a rate of a half would
        not do.

    The looks share the error rate as Bonferroni would, and nothing is taken for granted of how their tests
    hang together: the largest of several statistics does not move from look to look as one statistic does,
    from which `sequential_p_value` gains. Below an error rate of a half the shares rise with it.
    """
    if not 0 <= p_value <= 1:
        raise refuse("p_value", f"is {p_value:g}; expected a number from 0 to 1.")

    def short(log_alpha: float) -> float:
        share = np.diff(spent(kind, times, float(np.exp(log_alpha))), prepend=0.0)[-1]
        return p_value - float(share)

    low, high = np.log(_SMALLEST), np.log(0.5) if np.size(times) > 1 else np.log1p(-1e-9)
    if short(low) <= 0:
        return _SMALLEST
    if short(high) > 0:
        return 1.0
    return float(np.exp(optimize.brentq(short, low, high, xtol=1e-12)))


def _bound(path: Path, amount: float, step: float) -> float:
    def left(bound: float) -> float:
        return sum(path.beyond(amount, bound)) - step

    if left(_FURTHEST) >= 0:
        return _FURTHEST
    if left(0.0) <= 0:
        return 0.0
    return float(optimize.brentq(left, 0.0, _FURTHEST, xtol=1e-12))
