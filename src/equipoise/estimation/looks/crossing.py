"""How likely a statistic that is looked at several times leaves its bounds, and when.

The statistics Z_1, ..., Z_K have Z_k normal with mean drift sqrt(I_k), variance 1 and covariance
sqrt(I_j / I_k), whatever the outcome (Jennison & Turnbull 2000, Group Sequential Methods, eq. 3.1). The
density of having stayed inside is carried from look to look on a grid (ibid., section 19.2).
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from scipy import special

from equipoise.estimation.arrays import Floats, finite, refuse

__all__ = ["Path", "checked_information", "exits"]

_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(400)
_FAR = 12.0
"""Standard deviations beyond which nothing is integrated."""
_ROOT_TWO_PI = float(np.sqrt(2 * np.pi))


class Path:
    """A statistic that has stayed inside its bounds at every look so far.

    Args:
        drift: mean of the statistic for one unit of information.
    """

    def __init__(self, drift: float = 0.0) -> None:
        self.drift = drift
        self._information = 0.0
        self._at = np.zeros(1)  # scores sqrt(I) Z at the last look, and the mass at each
        self._mass = np.ones(1)

    def beyond(self, information: float, bound: float) -> tuple[float, float]:
        """Having stayed inside so far, the chances to be at or below -bound or above `bound` at the next."""
        return self.below(information, -bound), self.above(information, bound)

    def above(self, information: float, bound: float) -> float:
        """The chance of having stayed inside so far and of Z above `bound` at the next look."""
        return float(self._mass @ special.ndtr(-self._standard(information, bound)))

    def below(self, information: float, bound: float) -> float:
        """The chance of having stayed inside so far and of Z below `bound` at the next look."""
        return float(self._mass @ special.ndtr(self._standard(information, bound)))

    def stay(self, information: float, low: float, high: float) -> None:
        """Goes on to the next look, where Z lies between `low` and `high`."""
        root, centre = np.sqrt(information), self.drift * np.sqrt(information)
        start, end = max(low, centre - _FAR), min(high, centre + _FAR)
        if end <= start:
            z, weights = np.array([start]), np.zeros(1)
        else:
            z = (start + end) / 2 + (end - start) / 2 * _POINTS
            weights = (end - start) / 2 * _WEIGHTS
        more = information - self._information
        steps = (z[:, None] * root - self._at - self.drift * more) / np.sqrt(more)
        density = np.exp(-(steps**2) / 2) @ self._mass * root / np.sqrt(more) / _ROOT_TWO_PI
        self._information, self._at, self._mass = information, z * root, weights * density

    def _standard(self, information: float, bound: float) -> Floats:
        more = information - self._information
        found = bound * np.sqrt(information) - self._at - self.drift * more
        return np.asarray(found / np.sqrt(more))


def exits(
    information: npt.ArrayLike, low: npt.ArrayLike, high: npt.ArrayLike, drift: float = 0.0
) -> Iterator[tuple[float, float]]:
    """For each look, the chances of leaving for the first time below and above.

    Args:
        information: (k,) rising.
        low: (k,) bounds on the scale of Z.
        high: (k,) likewise, above `low`.
        drift: mean of Z for one unit of information.
    """
    path = Path(drift)
    for amount, bottom, top in zip(
        checked_information(information), finite(low, "low"), finite(high, "high"), strict=True
    ):
        yield path.below(amount, bottom), path.above(amount, top)
        path.stay(amount, bottom, top)


def checked_information(information: npt.ArrayLike) -> Floats:
    """Information that rises from look to look.

    Raises:
        DesignError: it does not.
    """
    amounts = finite(information, "information")
    if amounts[0] <= 0 or (np.diff(amounts) <= 0).any():
        raise refuse(
            "information", "does not rise from look to look; leave out a look that added no answers."
        )
    return amounts
