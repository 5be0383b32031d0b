"""The closest curve that only rises or only falls."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import optimize

from equipoise.estimation.arrays import Floats

__all__ = ["Monotone", "monotone"]


@dataclass(frozen=True)
class Monotone:
    """A curve over points in order; it is `falling` or `rising`, or both where it is flat."""

    direction: Literal["falling", "rising"]
    values: tuple[float, ...]


def monotone(values: Floats, mass: Floats) -> Monotone:
    """The closest curve by weighted squares: falling or rising, whichever is closer.

    Args:
        values: (k,) in the order of the points.
        mass: (k,) weights above 0, such as one over squared standard errors.
    Returns:
        The fit by pooling adjacent violators both ways. Barlow, Bartholomew, Bremner & Brunk (1972),
        Statistical Inference under Order Restrictions, section 1.2.
    """
    rising = optimize.isotonic_regression(values, weights=mass, increasing=True).x
    falling = optimize.isotonic_regression(values, weights=mass, increasing=False).x
    falls = bool(mass @ (values - falling) ** 2 <= mass @ (values - rising) ** 2)
    fitted = np.asarray(falling if falls else rising, dtype=np.float64)
    return Monotone("falling" if falls else "rising", tuple(float(value) for value in fitted))
