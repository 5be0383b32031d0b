"""Several arms against one control: p-values and intervals that allow for the control that they share."""

import numpy as np
import numpy.typing as npt
from scipy import optimize, special, stats

from equipoise.estimation.arrays import Floats, finite, refuse
from equipoise.estimation.inference import check_level

__all__ = ["dunnett_adjusted", "dunnett_critical_value", "shared_control_loadings"]

_NODES = np.polynomial.legendre.leggauss(256)
_TAIL = 1e-15
"""What is left out at each end of the distribution of the error's estimate."""


def dunnett_adjusted(statistics: npt.ArrayLike, loadings: npt.ArrayLike, dof: float) -> Floats:
    """Two-sided p-values of comparisons with a shared control, allowing for all of them.

    Args:
        statistics: (k,) t statistics, each arm less the control.
        loadings: (k,) see `shared_control_loadings`; comparisons i and j correlate by l_i l_j.
        dof: degrees of freedom of the error; infinite for the normal.
    Returns:
        (k,) the chance, where no arm differs from the control, that the largest of the k statistics is at
        least so far from 0: the single-step method.
    Raises:
        DesignError: sizes that differ, or a loading outside (0, 1).

    Dunnett (1955), JASA 50:1096, by numerical integration over the control's mean and the error's estimate.
    """
    t, shared = finite(statistics, "statistics"), _checked(loadings)
    if len(t) != len(shared):
        raise refuse("loadings", f"has {len(shared)} values for {len(t)} statistics; expected one each.")
    return np.array([_beyond(abs(each), shared, dof) for each in t])


def dunnett_critical_value(loadings: npt.ArrayLike, dof: float, level: float = 0.95) -> float:
    """How many standard errors the simultaneous two-sided intervals reach from their estimates.

    Args:
        loadings: (k,) as for `dunnett_adjusted`.
        dof: degrees of freedom of the error.
        level: the chance that all k intervals hold.
    """
    shared = _checked(loadings)
    low = float(stats.t.ppf(0.5 + check_level(level) / 2, dof))
    high = float(stats.t.ppf(1 - (1 - level) / (2 * len(shared)), dof)) + 1e-9  # Bonferroni's
    if len(shared) == 1:
        return low
    return float(optimize.brentq(lambda c: _beyond(c, shared, dof) - (1 - level), low, high, xtol=1e-12))


def shared_control_loadings(people: npt.ArrayLike, control: float) -> Floats:
    """What each comparison shares with the others through its control, under equal variances.

    Args:
        people: (k,) analysed in each arm.
        control: analysed in the control arm.
    Returns:
        (k,) sqrt(n_i / (n_i + n_0)): the comparisons i and j correlate by the product.
    """
    sizes = finite(people, "people")
    if (sizes <= 0).any() or control <= 0:
        raise refuse("people", "holds an arm with nobody; leave that arm out of the comparison.")
    return np.sqrt(sizes / (sizes + control))


def _checked(loadings: npt.ArrayLike) -> Floats:
    shared = finite(loadings, "loadings")
    if ((shared <= 0) | (shared >= 1)).any():
        raise refuse("loadings", "holds a value outside 0 to 1; expected sqrt(n_i / (n_i + n_0)).")
    return shared


def _beyond(reach: float, shared: Floats, dof: float) -> float:
    """P(largest |T| > reach), given the error's estimate and then averaged over it."""
    if len(shared) == 1:
        return float(2 * stats.t.sf(reach, dof))
    if not np.isfinite(dof):
        return float(_beyond_known(np.array([reach]), shared)[0])
    ends = np.sqrt(stats.chi2.ppf([_TAIL, 1 - _TAIL], dof) / dof)
    errors = ends.mean() + (ends[1] - ends[0]) / 2 * _NODES[0]
    density = 2 * dof * errors * stats.chi2.pdf(dof * errors**2, dof)
    weights = (ends[1] - ends[0]) / 2 * _NODES[1] * density
    return float(np.clip(weights @ _beyond_known(reach * errors, shared), 0.0, 1.0))


def _beyond_known(reach: Floats, shared: Floats) -> Floats:
    """P(largest |Z| > reach) for each reach, Z_i = l_i U + sqrt(1 - l_i^2) E_i."""
    u, weights = 9.0 * _NODES[0], 9.0 * _NODES[1]
    own = np.sqrt(1 - shared**2)
    centre = (shared / own)[:, None, None] * u
    ends = reach[:, None] / own[:, None, None]
    inside = special.ndtr(ends + centre) - special.ndtr(centre - ends)
    return np.asarray((1 - inside.prod(axis=0)) @ (weights * stats.norm.pdf(u)))
