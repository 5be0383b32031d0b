"""The wild cluster bootstrap of one contrast: signs of whole clusters' residuals are re-drawn.

The null hypothesis is imposed on the residuals, and the bootstrap t is studentised by CR1. With q the unit
vector of the contrast in the orthonormal basis Q (strata absorbed as S), u the full residuals and s the
distance of the estimate from the value tested, the restricted residuals are u + s q. A draw v of the clusters
moves the contrast by v'A, with A_g = q_g'(u + s q)_g, and leaves the clusters' scores J v, with
J = diag(A) - (q_g'[Q, S]_g)([Q, S]_h'(u + s q)_h). Both are linear in s, so that one set of draws serves
every value tested, and nothing is ever refitted.

Cameron, Gelbach & Miller (2008), Rev. Econ. Stat. 90:414; Roodman, MacKinnon, Nielsen & Webb (2019), Stata
Journal 19:4.
"""

from dataclasses import dataclass
from itertools import product
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import sparse

from equipoise.estimation.arrays import Floats, Ints, codes_of, refuse
from equipoise.estimation.inference import Estimate, Interval
from equipoise.estimation.least_squares.linear import LinearFit, fit_linear

__all__ = ["WildBootstrap", "wild_cluster_bootstrap"]

_FEW_CLUSTERS = 12
"""Below this many clusters two-point weights have too few different draws: Webb's six points are used."""
_WEBB = np.sqrt(np.array([0.5, 1.0, 1.5]))
_TIE = 1e-9
"""Draws this close to the observed statistic, relative to its size, are as extreme."""
_DOUBLINGS = 20
_BISECTIONS = 60


@dataclass(frozen=True)
class WildBootstrap:
    """A contrast with the p-value and interval of the bootstrap.

    Attributes:
        estimate: with the standard error CR1 and clusters less one degrees of freedom; the p-value and the
            interval are those of the bootstrap.
        points: how clusters were weighted: `rademacher` (two points) or `webb` (six).
        draws: how many weightings.
        enumerated: whether they are all that there are, the observed one among them.
        mc_error: Monte-Carlo error of the p-value; None where enumerated.
    """

    estimate: Estimate
    points: Literal["rademacher", "webb"]
    draws: int
    enumerated: bool
    mc_error: float | None


def wild_cluster_bootstrap(
    outcome: npt.ArrayLike,
    design: npt.ArrayLike,
    vector: npt.ArrayLike,
    cluster: npt.ArrayLike,
    chance: np.random.Generator,
    *,
    strata: npt.ArrayLike | None = None,
    draws: int = 10_000,
    level: float = 0.95,
) -> WildBootstrap:
    """Tests a contrast, and inverts the test for its interval.

    Args:
        outcome: (n,) in its own unit; NaN is refused, not dropped.
        design: (n, k) with its intercept, unless strata are given.
        vector: (k,) the contrast.
        cluster: (n,) labels.
        chance: where draws come from; not used where all weightings are listed.
        strata: (n,) labels whose intercepts are absorbed.
        draws: weightings drawn; where there are no more than this, each is taken once.
        level: coverage of the interval.
    Returns:
        With fewer than 12 clusters Webb's weights, else Rademacher's. The p-value is (1 + b)/(1 + m), or b/M
        where all M are listed; it tests the contrast against 0, ties counted as extreme. The interval holds
        the values not rejected, to the nearest draw.
    Raises:
        DesignError: what `fit_linear` refuses with CR1, or a level that no value can be rejected at.

    The method needs several clusters in each arm: with a few in one arm it hardly ever rejects (MacKinnon &
    Webb 2017, J. Appl. Econometrics 32:233).
    """
    fit = fit_linear(outcome, design, variance="CR1", strata=strata, cluster=cluster, dof="residual")
    plain = fit.contrast(vector, level)
    codes, _ = codes_of(cluster, "cluster")
    clusters = int(codes.max()) + 1
    points: Literal["rademacher", "webb"] = "webb" if clusters < _FEW_CLUSTERS else "rademacher"
    weights, enumerated = _weightings(points, clusters, draws, chance)
    test = _Test.of(fit, fit.direction(vector), codes, weights, enumerated)
    p_value = test.p_value(plain.estimate)
    reach = [test.reach(plain.std_error, side, 1 - level) for side in (-1.0, 1.0)]
    estimate = Estimate(
        plain.estimate,
        plain.std_error,
        plain.dof,
        plain.statistic,
        p_value,
        Interval(level, plain.estimate - reach[1], plain.estimate - reach[0]),
    )
    error = None if enumerated else float(np.sqrt(p_value * (1 - p_value) / len(weights)))
    return WildBootstrap(estimate, points, len(weights), enumerated, error)


def _weightings(
    points: Literal["rademacher", "webb"], clusters: int, draws: int, chance: np.random.Generator
) -> tuple[Floats, bool]:
    """(draws, clusters) weights, and whether they are all there are.

    Webb (2023), Canadian J. Economics 56:839, on six points.
    """
    values = np.array([-1.0, 1.0]) if points == "rademacher" else np.concatenate((-_WEBB, _WEBB))
    if float(len(values)) ** clusters <= draws:
        return np.array(list(product(values, repeat=clusters))), True
    return values[chance.integers(len(values), size=(draws, clusters))], False


@dataclass(frozen=True, eq=False)
class _Test:
    """What every value tested needs, once a draw: t is (moved + s turned) / sqrt(a + 2 s b + s^2 c).

    `length` turns the contrast's distance from a value into s; `error` is the observed CR1 root without its
    factor, which cancels.
    """

    moved: Floats
    turned: Floats
    a: Floats
    b: Floats
    c: Floats
    length: float
    error: float
    enumerated: bool

    @classmethod
    def of(
        cls, fit: LinearFit, direction: Floats, cluster: Ints, weights: Floats, enumerated: bool
    ) -> "_Test":
        length = float(np.linalg.norm(direction))
        q = fit.basis @ (direction / length)
        residual = fit.residuals
        left = _by_cluster(fit, q, cluster)
        parts = []
        for column in (residual, q):
            moves = np.bincount(cluster, q * column)
            scores = weights * moves - (weights @ _by_cluster(fit, column, cluster)) @ left.T
            parts.append((weights @ moves, scores))
        (moved, fixed), (turned, tilted) = parts
        return cls(
            moved,
            turned,
            (fixed**2).sum(axis=1),
            (fixed * tilted).sum(axis=1),
            (tilted**2).sum(axis=1),
            length,
            float(np.sqrt((np.bincount(cluster, q * residual) ** 2).sum())),
            enumerated,
        )

    def p_value(self, distance: float) -> float:
        """Two-sided p-value of the value that lies this far below the estimate."""
        s = distance / self.length
        observed = abs(s) / self.error
        squares = np.maximum(self.a + 2 * s * self.b + s**2 * self.c, 0.0)
        drawn = np.abs(self.moved + s * self.turned)
        beyond = int((drawn >= observed * np.sqrt(squares) * (1 - _TIE)).sum())
        return beyond / len(drawn) if self.enumerated else (1 + beyond) / (1 + len(drawn))

    def reach(self, error: float, side: float, alpha: float) -> float:
        """How far the values not rejected at `alpha` go on one side of the estimate, with its sign."""
        inside, outside = 0.0, 2 * side * error
        for _ in range(_DOUBLINGS):
            if self.p_value(outside) <= alpha:
                break
            inside, outside = outside, 2 * outside
        else:
            raise refuse(
                "cluster",
                f"has too few clusters in an arm for the wild bootstrap: no value can be rejected at "
                f"{alpha:.2g}. Choose CR2, or a randomisation test.",
            )
        for _ in range(_BISECTIONS):
            middle = (inside + outside) / 2
            if self.p_value(middle) > alpha:
                inside = middle
            else:
                outside = middle
        return inside


def _by_cluster(fit: LinearFit, column: Floats, cluster: Ints) -> Floats:
    """(clusters, q) sums of the basis times a column, and where strata are absorbed theirs beside them."""
    sums = np.stack([np.bincount(cluster, part * column) for part in fit.basis.T], axis=1)
    if fit.absorbed is None:
        return np.asarray(sums, dtype=np.float64)
    strata = sparse.csr_array(
        (fit.absorbed.share * column, (cluster, fit.absorbed.code)), shape=(len(sums), fit.absorbed.count)
    )
    return np.concatenate((sums, strata.toarray()), axis=1)
