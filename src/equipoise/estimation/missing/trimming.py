"""Means of what is left when one end of some values is trimmed, down to a part of a value."""

from dataclasses import dataclass

import numpy as np

from equipoise.estimation.arrays import Floats

__all__ = ["Trimmed", "trimmed_mean"]

_ROUNDING = 1e-9
"""A part of a person as small as this is rounding of a whole number."""


@dataclass(frozen=True)
class Trimmed:
    """A trimmed mean: its `slope` in the log of the share kept, and the `influence` of each value."""

    mean: float
    slope: float
    influence: Floats


def trimmed_mean(values: Floats, kept: float, *, lowest: bool) -> Trimmed:
    """The mean of the `kept` lowest or highest values, the last of them in part.

    Args:
        values: (n,) in their own unit.
        kept: how many, above 0; need not be whole.
        lowest: which end is kept.
    """
    side = 1.0 if lowest else -1.0
    ordered = np.sort(side * values)
    whole = min(int(np.floor(kept + _ROUNDING)), len(ordered))
    part = kept - whole if whole < len(ordered) and kept - whole > _ROUNDING else 0.0
    edge = float(ordered[whole] if part else ordered[whole - 1])
    mean = float((ordered[:whole].sum() + part * edge) / (whole + part))
    inside = np.minimum(side * values, edge) - edge
    share = (whole + part) / len(values)
    return Trimmed(side * mean, side * (edge - mean), side * (inside / share + edge - mean))
