"""How likely a trial is to end with a claim, given what a look has found."""

import numpy as np
import numpy.typing as npt

from equipoise.estimation.arrays import finite, refuse
from equipoise.estimation.looks.crossing import checked_information, exits

__all__ = ["conditional_power"]


def conditional_power(
    z: float, information: npt.ArrayLike, later: npt.ArrayLike, drift: float | None = None
) -> float:
    """The chance that a later look crosses its bound, on either side.

    Args:
        z: the statistic at the look.
        information: (k,) at this look and at each that is left, rising.
        later: (k - 1,) the bounds of |Z| at the looks that are left.
        drift: the mean of Z at the last of them under the effect supposed; left out, the trend
            so far goes on.
    Raises:
        DesignError: no look is left, or sizes that differ.

    Lan & Wittes (1988), Biometrics 44:579; Jennison & Turnbull (2000), section 10.2.
    """
    amounts, bounds = checked_information(information), finite(later, "later")
    if len(bounds) != len(amounts) - 1:
        raise refuse(
            "later", f"has {len(bounds)} bounds; expected {len(amounts) - 1}, one a look that is left."
        )
    start, more = amounts[0], amounts[1:] - amounts[0]
    slope = z / np.sqrt(start) if drift is None else drift / np.sqrt(amounts[-1])
    reached, root = z * np.sqrt(start), np.sqrt(amounts[1:])
    low, high = (-bounds * root - reached) / np.sqrt(more), (bounds * root - reached) / np.sqrt(more)
    return float(min(1.0, sum(below + above for below, above in exits(more, low, high, float(slope)))))
