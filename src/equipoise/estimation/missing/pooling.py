"""One estimate from several imputations: Rubin's rules, degrees of freedom by Barnard and Rubin."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from equipoise.estimation.arrays import finite, refuse, same_length
from equipoise.estimation.inference import Estimate, estimate_from

__all__ = ["Pooled", "enough_imputations", "pool"]

_LEAST_SHARE = 1e-4
"""Under this share of variance by imputation the degrees of freedom are those of complete data."""


@dataclass(frozen=True)
class Pooled:
    """An estimate pooled over imputations.

    Attributes:
        estimate: with its error, t interval and p-value.
        within: the mean squared error of one imputation.
        between: the variance of the estimates between imputations.
        missing_information: the fraction of information that is missing.
        imputations: how many were pooled.
    """

    estimate: Estimate
    within: float
    between: float
    missing_information: float
    imputations: int


def pool(
    estimates: npt.ArrayLike,
    std_errors: npt.ArrayLike,
    complete_dof: float = np.inf,
    level: float = 0.95,
) -> Pooled:
    """Rubin's rules.

    Args:
        estimates: (m,) one an imputation.
        std_errors: (m,) their standard errors.
        complete_dof: degrees of freedom that the analysis would have without anything missing.
        level: coverage of the interval.
    Returns:
        Total variance W + (1 + 1/m) B; degrees of freedom by Barnard & Rubin (1999), Biometrika 86:948,
        eq. 3-5; the fraction of missing information as in Rubin (1987), Multiple Imputation for Nonresponse
        in Surveys, eq. 3.1.10.
    Raises:
        DesignError: fewer than two imputations.
    """
    q, u = finite(estimates, "estimates"), finite(std_errors, "std_errors") ** 2
    same_length(len(q), std_errors=u)
    m = len(q)
    if m < 2:
        raise refuse("estimates", "holds one imputation; the variance between them needs at least two.")
    within, between = float(u.mean()), float(q.var(ddof=1))
    total = within + (1 + 1 / m) * between
    dof = _dof((1 + 1 / m) * between / total, m, complete_dof)
    increase = (1 + 1 / m) * between / within
    missing = (increase + 2 / (dof + 3)) / (1 + increase)
    estimate = estimate_from(float(q.mean()), float(np.sqrt(total)), dof, level, scale=0.0)
    return Pooled(estimate, within, between, float(missing), m)


def enough_imputations(pooled: Pooled) -> int:
    """How many imputations the fraction of missing information asks for: as many as it has per cent.

    White, Royston & Wood (2011), Statistics in Medicine 30:377, section 7.3.
    """
    return int(np.ceil(100 * pooled.missing_information))


def _dof(share: float, m: int, complete: float) -> float:
    """Barnard and Rubin's degrees of freedom; `share` of the variance comes from imputation."""
    share = max(share, _LEAST_SHARE)
    old = (m - 1) / share**2
    if not np.isfinite(complete):
        return old
    observed = (complete + 1) / (complete + 3) * complete * (1 - share)
    return old * observed / (old + observed)
