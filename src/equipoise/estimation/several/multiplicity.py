"""Adjusting a family of p-values: one registry, one line each."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from equipoise.errors import nearest
from equipoise.estimation.arrays import Floats, finite, refuse

__all__ = [
    "METHODS",
    "adjust_p_values",
    "benjamini_hochberg",
    "benjamini_yekutieli",
    "bonferroni",
    "hochberg",
    "holm",
    "hommel",
]


def adjust_p_values(method: str, p_values: npt.ArrayLike) -> Floats:
    """Adjusted p-values of a family, in the order given.

    Args:
        method: a name in `METHODS`.
        p_values: (m,) between 0 and 1; NaN is refused: a test that was not made is no member of the family.
    Returns:
        (m,) to be compared with the error rate itself.
    Raises:
        DesignError: unknown method, or a number that is no p-value.
    """
    if method not in METHODS:
        raise refuse("method", f'is "{method}"; expected one of {nearest(method, sorted(METHODS))}')
    p = finite(p_values, "p_values")
    if ((p < 0) | (p > 1)).any():
        raise refuse("p_values", f"holds {p[(p < 0) | (p > 1)][0]:g}; expected numbers from 0 to 1.")
    return METHODS[method](p)


def bonferroni(p: Floats) -> Floats:
    """Times the number of tests: controls the chance of any false finding."""
    return np.minimum(p * len(p), 1.0)


def holm(p: Floats) -> Floats:
    """Step-down, never worse than Bonferroni. Holm (1979), Scand. J. Statistics 6:65."""
    return _stepped(p, len(p) - np.arange(len(p)), np.maximum.accumulate)


def hochberg(p: Floats) -> Floats:
    """Step-up, for independent or positively dependent tests. Hochberg (1988), Biometrika 75:800."""
    return _stepped(p, len(p) - np.arange(len(p)), _falling)


def hommel(p: Floats) -> Floats:
    """Closed testing with Simes' test of every intersection. Hommel (1988), Biometrika 75:383.

    Of the intersections of j hypotheses that hold a given one, the hardest to reject has the largest other
    p-values; the adjusted p-value is the largest that Simes' test gives over j. Valid where Simes' test is:
    for independent or positively dependent tests. Never worse than Hochberg's.
    """
    order = np.argsort(p, kind="stable")
    ordered, m = p[order], len(p)
    largest = np.zeros(m)
    for size in range(1, m + 1):
        simes = size * ordered[m - size :] / (1.0 + np.arange(size))
        below = np.minimum(size * ordered[: m - size], simes[1:].min(initial=1.0))
        largest = np.maximum(largest, np.concatenate((below, np.full(size, simes.min()))))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(largest, 1.0)
    return adjusted


def benjamini_hochberg(p: Floats) -> Floats:
    """Controls the expected share of false findings. Benjamini & Hochberg (1995), JRSS B 57:289."""
    return _stepped(p, len(p) / (1.0 + np.arange(len(p))), _falling)


def benjamini_yekutieli(p: Floats) -> Floats:
    """As Benjamini & Hochberg, under any dependence. Benjamini & Yekutieli (2001), Ann. Statist. 29:1165."""
    harmonic = float((1.0 / (1.0 + np.arange(len(p)))).sum())
    return np.asarray(np.minimum(benjamini_hochberg(p) * harmonic, 1.0))


def _falling(values: Floats) -> Floats:
    return np.minimum.accumulate(values[::-1])[::-1]


def _stepped(p: Floats, factors: npt.NDArray[Any], monotone: Callable[[Floats], Floats]) -> Floats:
    """Multiplies the ordered p-values by their factors and makes them monotone."""
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(monotone(p[order] * factors), 1.0)
    return adjusted


METHODS: dict[str, Callable[[Floats], Floats]] = {
    "holm": holm,
    "hochberg": hochberg,
    "hommel": hommel,
    "benjamini-hochberg": benjamini_hochberg,
    "benjamini-yekutieli": benjamini_yekutieli,
    "bonferroni": bonferroni,
}
