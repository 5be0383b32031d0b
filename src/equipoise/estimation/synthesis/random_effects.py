"""The average of effects that differ between studies, and how much they differ."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize, stats

from equipoise.estimation.arrays import Floats, finite, refuse
from equipoise.estimation.inference import Estimate, Interval, check_level, estimate_from

__all__ = ["Synthesis", "random_effects", "shared_arm_covariance"]

FEWEST_TO_PREDICT = 4
"""With fewer studies the spread between them is too little known for an interval of the next one."""


@dataclass(frozen=True, eq=False)
class Synthesis:
    """Effects of k studies together.

    Attributes:
        effect: their average with Hartung and Knapp's error, on k - 1 degrees of freedom.
        tau_squared: variance of the true effects between studies.
        tau_squared_interval: by the profile of Q; its ends are 0 where no variance above it fits.
        q: heterogeneity statistic, on k - 1 degrees of freedom of chi squared.
        q_p_value: that all effects are alike.
        i_squared: share of the variance of the estimates that is between studies.
        prediction: where the true effect of another such study would lie; None under four studies.
        weights: (k,) share of each study in the average.
    """

    effect: Estimate
    tau_squared: float
    tau_squared_interval: Interval
    q: float
    q_p_value: float
    i_squared: float
    prediction: Interval | None
    weights: Floats

    @property
    def tau(self) -> float:
        """Standard deviation of the true effects between studies."""
        return float(np.sqrt(self.tau_squared))


def random_effects(estimates: npt.ArrayLike, covariance: npt.ArrayLike, level: float = 0.95) -> Synthesis:
    """Effects of several studies by a normal model of random effects.

    Args:
        estimates: (k,) in one unit.
        covariance: (k,) squared standard errors, or (k, k) where comparisons share an arm
            (`shared_arm_covariance`).
        level: of the intervals.
    Returns:
        The variance between studies by restricted maximum likelihood (Viechtbauer 2005, J. Educ. Behav. Stat.
        30:261); the average's error by Hartung & Knapp (2001, Statistics in Medicine 20:3875), never smaller
        than the plain one: max(1, q) (Roever, Knapp & Friede 2015, BMC Med. Res. Methodol. 15:99); interval
        of the variance by the profile of Q (Viechtbauer 2007, Statistics in Medicine 26:37); prediction on
        k - 2 degrees of freedom (Higgins, Thompson & Spiegelhalter 2009, JRSS A 172:137, eq. 12).
    Raises:
        DesignError: fewer than two studies, or a covariance that is none.
    """
    y, v = finite(estimates, "estimates"), _covariance(covariance)
    k = len(y)
    if k < 2:
        raise refuse("estimates", f"holds {k} study; two are needed to say anything of several.")
    if v.shape != (k, k):
        raise refuse("covariance", f"is of {len(v)} studies, estimates are of {k}; expected as many.")
    tau_squared = _reml(y, v)
    weight = _Weights(y, v, tau_squared)
    error = float(np.sqrt(max(1.0, weight.q / (k - 1)) / weight.total))
    effect = estimate_from(weight.mean, error, k - 1, check_level(level), scale=0.0)
    fixed = _Weights(y, v, 0.0)
    typical = (k - 1) / float(np.trace(fixed.projection))
    return Synthesis(
        effect=effect,
        tau_squared=tau_squared,
        tau_squared_interval=_profile(y, v, level),
        q=fixed.q,
        q_p_value=float(stats.chi2.sf(fixed.q, k - 1)),
        i_squared=tau_squared / (tau_squared + typical),
        prediction=_prediction(effect, tau_squared, k, level),
        weights=weight.rows / weight.total,
    )


def shared_arm_covariance(variances: npt.ArrayLike, loadings: npt.ArrayLike, study: npt.ArrayLike) -> Floats:
    """The covariance of comparisons of which some share their control arm.

    Args:
        variances: (k,) squared standard errors.
        loadings: (k,) sqrt(n_i / (n_i + n_0)), see `several.dunnett.shared_control_loadings`.
        study: (k,) labels: comparisons of one label share their control.
    Returns:
        (k, k): within a study the comparisons i and j correlate by the product of their loadings.

    Gleser & Olkin (2009), in Cooper, Hedges & Valentine, Handbook of Research Synthesis, eq. 19.19, for equal
    variances of the arms and effects near 0.
    """
    v, shared, labels = finite(variances, "variances"), finite(loadings, "loadings"), np.asarray(study)
    together = labels[:, None] == labels
    scale = np.sqrt(v) * shared
    return np.where(together, np.outer(scale, scale), 0.0) + np.diag(v - scale**2)


class _Weights:
    """Generalised least squares of a common mean, for one variance between studies."""

    def __init__(self, y: Floats, v: Floats, tau_squared: float) -> None:
        inverse = np.linalg.inv(v + tau_squared * np.eye(len(y)))
        self.rows: Floats = np.asarray(inverse.sum(axis=0))
        self.total = float(self.rows.sum())
        self.mean = float(self.rows @ y / self.total)
        self.projection: Floats = inverse - np.outer(self.rows, self.rows) / self.total
        self.q = float(y @ self.projection @ y)
        self.log_determinant = -float(np.linalg.slogdet(inverse)[1])

    def misfit(self) -> float:
        """Twice the negative restricted log-likelihood, less a constant."""
        return self.log_determinant + float(np.log(self.total)) + self.q

    def score(self, y: Floats) -> float:
        """Twice the derivative of the restricted log-likelihood by the variance between studies."""
        return float(y @ self.projection @ self.projection @ y - np.trace(self.projection))


def _covariance(given: npt.ArrayLike) -> Floats:
    v = np.asarray(given, dtype=np.float64)
    v = np.diag(v) if v.ndim == 1 else v
    if v.ndim != 2 or not np.isfinite(v).all() or np.linalg.eigvalsh(v)[0] <= 0:
        raise refuse("covariance", "is none: expected squared standard errors above 0.")
    return v


def _reml(y: Floats, v: Floats) -> float:
    """The best of a grid, then where the score is 0 beside it; 0 where the likelihood only falls."""
    widest = float(np.ptp(y)) ** 2 + float(v.diagonal().max())
    grid = np.concatenate(([0.0], widest * np.logspace(-6, 1, 57)))
    best = int(np.argmin([_Weights(y, v, each).misfit() for each in grid]))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    return _zero(lambda tau_squared: _Weights(y, v, tau_squared).score(y), low, high)


def _profile(y: Floats, v: Floats, level: float) -> Interval:
    """All variances for which Q is not extreme."""
    tails = stats.chi2.ppf([0.5 + level / 2, 0.5 - level / 2], len(y) - 1)
    high = 10 * (float(np.ptp(y)) ** 2 + float(v.diagonal().max()))
    while _Weights(y, v, high).q > tails[1]:
        high *= 10

    def end(tail: float) -> float:
        return _zero(lambda tau_squared: _Weights(y, v, tau_squared).q - tail, 0.0, high)

    return Interval(level, end(float(tails[0])), end(float(tails[1])))


def _zero(falling: Callable[[float], float], low: float, high: float) -> float:
    """Where a falling function is 0; the lower end where it is negative from the start."""
    if falling(low) <= 0:
        return low
    return float(optimize.brentq(falling, low, high, xtol=1e-14, rtol=1e-12))


def _prediction(effect: Estimate, tau_squared: float, k: int, level: float) -> Interval | None:
    if k < FEWEST_TO_PREDICT:
        return None
    reach = float(stats.t.ppf(0.5 + level / 2, k - 2)) * float(np.sqrt(tau_squared + effect.std_error**2))
    return Interval(level, effect.estimate - reach, effect.estimate + reach)
