"""An omnibus statistic of how far arms differ in what was known before the draw.

It is a check on fraud or error, not on chance: where arms were drawn as the protocol says, a small p-value
comes as often as it says. Whether arms happen to differ is what standardised differences tell.
"""

import numpy as np
import numpy.typing as npt

from equipoise.estimation.arrays import Floats, codes_of, finite_columns, refuse, same_length
from equipoise.estimation.least_squares.basis import absorb, orthonormal, within
from equipoise.estimation.randomisation.moments import Moments, Statistic
from equipoise.estimation.randomisation.redraws import Codes

__all__ = ["imbalance"]

_VARIES = 1e-9


def imbalance(
    covariates: npt.ArrayLike, place: npt.ArrayLike, arms: int, *, strata: npt.ArrayLike | None = None
) -> Statistic:
    """The sum over arms of n times the squared Mahalanobis distance of the arm's means from all means.

    Args:
        covariates: (n, p) from before the draw, without gaps.
        place: (n,) each row's unit of the draw.
        arms: how many there are.
        strata: (n,) labels; covariates are taken less their stratum's mean.
    Raises:
        DesignError: no covariate varies within strata.

    The covariance is that of everybody, which no draw changes, so one factorisation serves all draws. Hansen
    & Bowers (2008), Statistical Science 23:219, eq. 5, for any number of arms; Morgan & Rubin (2012).
    """
    columns = finite_columns(covariates, "covariates")
    rows = len(columns)
    stratum = np.zeros(rows, dtype=np.int64) if strata is None else codes_of(strata, "strata")[0]
    units = np.asarray(place, dtype=np.int64)
    same_length(rows, place=units, strata=stratum)
    absorbed = absorb(stratum, np.ones(rows))
    lengths = np.sqrt((columns**2).sum(axis=0))
    vary = np.sqrt((within(columns, absorbed) ** 2).sum(axis=0)) > _VARIES * lengths
    if not vary.any():
        raise refuse("covariates", "do not vary within strata, so there is no balance to check.")
    whitened = orthonormal(columns[:, vary], absorbed)[0] * np.sqrt(rows - absorbed.count)

    def statistic(codes: Codes) -> Moments:
        placed = codes[:, units]
        distances = np.stack([_of_arm(placed == arm, whitened) for arm in range(arms)]).sum(axis=0)
        return Moments(distances[:, None], None)

    return statistic


def _of_arm(inside: npt.NDArray[np.bool_], whitened: Floats) -> Floats:
    sums = inside.astype(np.float64) @ whitened
    count = np.maximum(inside.sum(axis=1), 1)
    return np.asarray((sums**2).sum(axis=1) / count)
