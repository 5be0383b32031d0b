"""Step-down adjustment of several tests by re-drawing the allocation for all of them together.

The draws carry how the tests hang together, so that tests that say nearly the same cost nearly nothing.
"""

import numpy as np
import numpy.typing as npt

from equipoise.estimation.arrays import Floats, finite, refuse

__all__ = ["romano_wolf", "westfall_young"]

TIES = 1e-9
"""Statistics that differ by less than this share of the largest are ties."""


def westfall_young(
    observed: npt.ArrayLike, redrawn: npt.ArrayLike, chance: npt.ArrayLike | None = None
) -> Floats:
    """Adjusted p-values by the step-down minimum of p-values.

    Args:
        observed: (k,) sizes of the test statistics; larger is more extreme.
        redrawn: (m, k) the same in every allocation, all k from the same draw; infinite where it allows none.
        chance: (m,) of each where these are all the allocations; None where they were drawn.
    Returns:
        (k,) to be compared with the error rate of the family.
    Raises:
        DesignError: sizes that do not fit.

    Each statistic is first turned into its p-value among the draws, so that tests on different scales count
    alike. Westfall & Young (1993), Resampling-Based Multiple Testing, algorithm 2.8; Ge, Dudoit & Speed
    (2003), Test 12:1, box 4. The allocation observed counts among those drawn (Phipson & Smyth 2010).
    """
    here, others, weight = _checked(observed, redrawn, chance)
    p_values = np.stack(
        [_p_values(own, column, weight) for own, column in zip(here, others.T, strict=True)], axis=1
    )
    return _stepped_down(-p_values[0], -p_values[1:], weight)


def romano_wolf(
    observed: npt.ArrayLike, redrawn: npt.ArrayLike, chance: npt.ArrayLike | None = None
) -> Floats:
    """Adjusted p-values by the step-down maximum of statistics, which must share a scale (studentised).

    Arguments and result as for `westfall_young`. Romano & Wolf (2005), Econometrica 73:1237; p-values as in
    Romano & Wolf (2016), Stat. Probab. Lett. 113:38.
    """
    return _stepped_down(*_checked(observed, redrawn, chance))


def _checked(
    observed: npt.ArrayLike, redrawn: npt.ArrayLike, chance: npt.ArrayLike | None
) -> tuple[Floats, Floats, Floats | None]:
    here, others = finite(observed, "observed"), np.asarray(redrawn, dtype=np.float64)
    if others.ndim != 2 or others.shape[1] != len(here) or np.isnan(others).any():
        raise refuse("redrawn", f"has shape {others.shape}; expected a row a draw and {len(here)} columns.")
    weight = None if chance is None else finite(chance, "chance")
    if weight is not None and len(weight) != len(others):
        raise refuse("chance", f"has {len(weight)} rows; expected one for each of {len(others)} draws.")
    return here, others, weight


def _p_values(own: float, column: Floats, weight: Floats | None) -> Floats:
    """Of the observed, then of every draw, each among all."""
    values = np.concatenate(([own], column))
    weights = np.full(len(values), 1.0) if weight is None else np.concatenate(([0.0], weight))
    order = np.argsort(-values, kind="stable")
    ranked, total = values[order], np.cumsum(weights[order])
    # A value reaches down to the last one that ties with it.
    finite = np.isfinite(ranked)
    tied = TIES * np.abs(ranked[finite]).max(initial=0.0)
    last = np.searchsorted(-ranked, -np.where(finite, ranked - tied, ranked), side="right") - 1
    found = np.empty(len(values))
    found[order] = total[last] / total[-1]
    return found


def _stepped_down(here: Floats, others: Floats, weight: Floats | None) -> Floats:
    """From the most extreme test on: how often the largest of it and those after it reaches what it has."""
    order = np.argsort(-here, kind="stable")
    largest = np.maximum.accumulate(others[:, order[::-1]], axis=1)[:, ::-1]
    own = here[order]
    reached = largest >= own - TIES * np.abs(own)
    chances = (1 + reached.sum(axis=0)) / (1 + len(others)) if weight is None else weight @ reached
    adjusted = np.empty(len(here))
    adjusted[order] = np.minimum(np.maximum.accumulate(chances), 1.0)
    return adjusted
