"""Adjusting a family of p-values: one registry, one line each."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from equipoise.errors import nearest
from equipoise.estimation.arrays import Floats, finite, refuse

__all__ = ["METHODS", "adjust_p_values", "benjamini_hochberg", "bonferroni", "hochberg", "holm"]


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


def benjamini_hochberg(p: Floats) -> Floats:
    """Controls the expected share of false findings. Benjamini & Hochberg (1995), JRSS B 57:289."""
    return _stepped(p, len(p) / (1.0 + np.arange(len(p))), _falling)


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
    "benjamini-hochberg": benjamini_hochberg,
    "bonferroni": bonferroni,
}
