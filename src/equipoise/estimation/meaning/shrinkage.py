"""Many small effects, each drawn towards the others by as much as it is uncertain."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from equipoise.estimation.arrays import Floats, finite, finite_columns, refuse, same_length
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


def shrunk_effects(
    estimates: npt.ArrayLike,
    std_errors: npt.ArrayLike,
    level: float = 0.95,
    *,
    covariance: npt.ArrayLike | None = None,
) -> Shrunk:
    """Empirical Bayes estimates of many effects, of which the plan says that they are of one kind.

    Args:
        estimates: (k,) in one unit.
        std_errors: (k,) of them.
        level: of the intervals.
        covariance: (k, k) of the estimates, where arms share a control (`shared_arm_covariance`); its
            diagonal holds the squared errors. Left out, they are independent of each other.
    Returns:
        Each effect's best prediction where the true effects are normal around a common mean. Independent
        estimates are kept by tau^2 / (tau^2 + error^2), the rest is the mean; those that share a control say
        something of each other too. tau^2 is by restricted maximum likelihood. The largest of many estimates
        is on average too large; these are not. They carry no test: a plan that wants claims names them in
        `testing`.
    Raises:
        DesignError: fewer than two effects, an error that is not above 0, or a covariance of other errors.

    Morris (1983), JASA 78:47; Robinson (1991), Statistical Science 6:15, eq. 1.2, whose error counts that the
    mean is estimated, and takes tau^2 as known.
    """
    y, errors = finite(estimates, "estimates"), finite(std_errors, "std_errors")
    same_length(len(y), std_errors=errors)
    own = np.diag(errors**2) if covariance is None else _of_errors(covariance, errors)
    tau_squared = random_effects(y, own).tau_squared
    precision = np.linalg.inv(tau_squared * np.eye(len(y)) + own)
    rows = precision.sum(axis=1)
    mean = float(rows @ y / rows.sum())
    shrunk = mean + tau_squared * precision @ (y - mean)
    of_mean = 1 - tau_squared * rows
    variance = tau_squared - tau_squared**2 * precision.diagonal() + of_mean**2 / rows.sum()
    error = np.sqrt(np.maximum(variance, 0.0))
    reach = float(stats.norm.ppf(0.5 + level / 2)) * error
    kept = np.asarray(tau_squared * precision.diagonal(), dtype=np.float64)
    return Shrunk(shrunk, error, shrunk - reach, shrunk + reach, kept)


def _of_errors(covariance: npt.ArrayLike, errors: Floats) -> Floats:
    found = finite_columns(covariance, "covariance")
    if found.shape != (len(errors), len(errors)) or not np.allclose(found.diagonal(), errors**2, rtol=1e-9):
        raise refuse("covariance", "does not hold the squares of std_errors on its diagonal.")
    return found
