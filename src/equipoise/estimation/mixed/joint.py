"""Several contrasts of a mixed model tested together, with few clusters allowed for."""

import numpy as np
from scipy import stats

from equipoise.estimation.arrays import Floats, refuse
from equipoise.estimation.inference import JointTest
from equipoise.estimation.mixed.moments import Restricted

__all__ = ["by_kenward_roger", "by_satterthwaite", "enlarged"]

_REPEATED = 1e-10
"""An eigenvalue of the contrasts' covariance below this share of the largest is a contrast said twice."""
_ALIKE = 1e-8


def by_kenward_roger(at: Restricted, directions: Floats, spread: Floats) -> JointTest:
    """The scaled F test of Kenward and Roger.

    Args:
        at: the fit.
        directions: (k, l) the contrasts in the coordinates of the coefficients.
        spread: (m, m) covariance of the parameters, from the expected information.
    Raises:
        DesignError: contrasts that repeat each other.

    Kenward & Roger (1997), Biometrics 53:983, eq. 3 and section 2.3: the scale and the degrees of freedom
    that match the first two moments of F.
    """
    count = directions.shape[1]
    leaning = at.covariance @ directions
    _independent(directions.T @ leaning)
    inner = np.linalg.inv(directions.T @ leaning)
    tilted = np.asarray(leaning.T @ at.slopes @ leaning @ inner)  # Theta Phi P_i Phi, in l dimensions
    each = np.einsum("ill->i", tilted)
    first = float(each @ spread @ each)
    second = float((spread * np.einsum("ikl,jlk->ij", tilted, tilted)).sum())
    b = (first + 6 * second) / (2 * count)
    g = ((count + 1) * first - (count + 4) * second) / ((count + 2) * second)
    base = 3 * count + 2 * (1 - g)
    c1, c2, c3 = g / base, (count - g) / base, (count + 2 - g) / base
    mean = 1 / (1 - second / count)
    variance = 2 / count * (1 + c1 * b) / ((1 - c2 * b) ** 2 * (1 - c3 * b))
    ratio = variance / (2 * mean**2)
    dof = 4 + (count + 2) / (count * ratio - 1)
    scale = dof / (mean * (dof - 2))
    covariance = directions.T @ leaning + enlarged(at, leaning, spread)
    values = directions.T @ at.coefficients
    statistic = float(scale / count * (values @ np.linalg.solve(covariance, values)))
    return JointTest(statistic, count, dof, float(stats.f.sf(statistic, count, dof)))


def by_satterthwaite(at: Restricted, directions: Floats, spread: Floats) -> JointTest:
    """The F test whose degrees of freedom join those of independent contrasts.

    Arguments and errors as for `by_kenward_roger`; the spread may be of the observed information.

    Fai & Cornelius (1996), J. Stat. Comput. Simul. 54:363.
    """
    covariance = directions.T @ at.covariance @ directions
    _independent(covariance)
    variances, vectors = np.linalg.eigh(covariance)
    apart = directions @ vectors
    leaning = at.covariance @ apart
    slopes = np.einsum("kl,ikj,jl->li", leaning, at.slopes, leaning)
    freedom = 2 * variances**2 / np.einsum("li,ij,lj->l", slopes, spread, slopes)
    count = directions.shape[1]
    statistic = float((((apart.T @ at.coefficients) ** 2) / variances).sum() / count)
    dof = _joined(freedom)
    return JointTest(statistic, count, dof, float(stats.f.sf(statistic, count, dof)))


def enlarged(at: Restricted, leaning: Floats, spread: Floats) -> Floats:
    """What the covariance of contrasts gains by the variances being estimated, (l, l).

    Args:
        at: the fit.
        leaning: (k, l) the covariance times the contrasts.
        spread: (m, m) covariance of the parameters.

    2 L'Phi [sum of w_ij (Q_ij - P_i Phi P_j - R_ij / 4)] Phi L of Kenward & Roger (1997), eq. 3.
    """
    tilted = at.slopes @ leaning
    inside = leaning.T @ at.products @ leaning
    inside = inside - np.einsum("ikl,kn,jnp->ijlp", tilted, at.covariance, tilted)
    if at.bends is not None:
        inside = inside - leaning.T @ at.bends @ leaning / 4
    whole = np.einsum("ij,ijlp->lp", spread, inside)
    return np.asarray(whole + whole.T)


def _joined(freedom: Floats) -> float:
    """Degrees of freedom whose F has the mean of the sum of squared t's."""
    if np.ptp(freedom) < _ALIKE * freedom.max():
        return float(freedom.mean())
    if freedom.min() <= 2:
        return 2.0
    expected = float((freedom / (freedom - 2)).sum())
    return 2 * expected / (expected - len(freedom))


def _independent(covariance: Floats) -> None:
    values = np.linalg.eigvalsh(covariance)
    if values[0] < _REPEATED * values[-1]:
        raise refuse(
            "matrix", "has contrasts that repeat each other; leave out those that follow from others."
        )
