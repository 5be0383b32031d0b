"""Many small effects, each drawn towards the others by as much as it is uncertain."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from equipoise.estimation.arrays import Floats, finite, same_length
from equipoise.estimation.synthesis.random_effects import random_effects

__all__ = ["Shrunk", "shrunk_effects"]


@dataclass(frozen=True, eq=False)
class Shrunk:
    """Effects after shrinkage, each (k,); `kept` is the share of its own estimate in each."""

    estimates: Floats
    std_errors: Floats
    low: Floats
    high: Floats
    kept: Floats


def shrunk_effects(estimates: npt.ArrayLike, std_errors: npt.ArrayLike, level: float = 0.95) -> Shrunk:
    """Empirical Bayes estimates of many effects, of which the plan says that they are of one kind.

    Args:
        estimates: (k,) in one unit, independent of each other.
        std_errors: (k,) of them.
        level: of the intervals.
    Returns:
        Each effect's best prediction where the true effects are normal around a common mean: the estimate
        kept by tau^2 / (tau^2 + error^2), the mean for the rest, tau^2 by restricted maximum likelihood. The
        largest of many estimates is on average too large; these are not. They carry no test: a plan that
        wants claims names them in `testing`.
    Raises:
        DesignError: fewer than two effects, or an error that is not above 0.

    Morris (1983), JASA 78:47; Robinson (1991), Statistical Science 6:15, eq. 1.2, whose error counts that the
    mean is estimated, and takes tau^2 as known.
    """
    y, errors = finite(estimates, "estimates"), finite(std_errors, "std_errors")
    same_length(len(y), std_errors=errors)
    found = random_effects(y, errors**2)
    total = found.tau_squared + errors**2
    kept = found.tau_squared / total
    shrunk = kept * y + (1 - kept) * found.effect.estimate
    of_mean = 1 / (1 / total).sum()
    error = np.sqrt(kept * errors**2 + (1 - kept) ** 2 * of_mean)
    reach = float(stats.norm.ppf(0.5 + level / 2)) * error
    return Shrunk(shrunk, error, shrunk - reach, shrunk + reach, kept)
