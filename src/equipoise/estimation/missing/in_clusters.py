"""One variable drawn given others for people in clusters: regressions with an intercept for each cluster.

Equations that forget clusters understate how uncertain imputed values are, equations with a column for each
cluster overstate it (Andridge 2011, Biometrical Journal 53:57). A random intercept does neither.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import special

from equipoise.estimation.arrays import Bools, Floats, Ints
from equipoise.estimation.missing.conditional import PRIOR_SD, Kind, Predictors, nearest

__all__ = ["DRAWS_IN_CLUSTERS", "Clusters", "State", "posterior"]

ROUNDS = 60
"""Rounds of the sampler before values are taken from it; it starts near the middle of what it draws from."""
_LATENT_TAIL = 1e-12


@dataclass(frozen=True, eq=False)
class Clusters:
    """The cluster of each row, (n,) where the variable is known and (k,) where it is wanted; their count."""

    known: Ints
    wanted: Ints
    count: int


@dataclass(frozen=True, eq=False)
class State:
    """Parameters of a regression with random intercepts: coefficients (p,), intercepts (clusters,), the
    variance between clusters and that within them."""

    coefficients: Floats
    intercepts: Floats
    between: float
    within: float


def draw_normal(
    y: Floats, given: Predictors, clusters: Clusters, shift: Floats, rng: np.random.Generator
) -> Floats:
    """Draws from the predictive distribution of a normal regression with random intercepts.

    Args:
        y: (n,) the variable where it is known.
        given: its predictors, fewer than n.
        clusters: of all rows, three or more with known values.
        shift: (k,) added to each draw.
        rng: of the imputation.
    Returns:
        (k,) draws. A cluster without known values gets its intercept from the distribution of intercepts.
        Schafer & Yucel (2002), J. Comput. Graph. Stat. 11:437.
    """
    last = posterior(y, given, clusters, rng)[-1]
    middle = given.wanted @ last.coefficients + last.intercepts[clusters.wanted]
    return np.asarray(middle + np.sqrt(last.within) * rng.standard_normal(len(middle)) + shift)


def draw_matching(
    y: Floats, given: Predictors, clusters: Clusters, shift: Floats, rng: np.random.Generator
) -> Floats:
    """Predictive mean matching: each draw is somebody's value, one of the five nearest by prediction.

    Args:
        y, given, clusters, shift, rng: as in `draw_normal`.
    Returns:
        (k,) values of donors. Donors are predicted by the average of the sampler's states, those wanted by
        its last one, coefficients and the cluster's intercept: type 1 matching, as without clusters.
    """
    states = posterior(y, given, clusters, rng)
    last, half = states[-1], states[len(states) // 2 :]
    middle = np.mean([state.coefficients for state in half], axis=0)
    intercepts = np.mean([state.intercepts for state in half], axis=0)
    predicted = given.known @ middle + intercepts[clusters.known]
    order = np.argsort(predicted, kind="stable")
    wanted = given.wanted @ last.coefficients + last.intercepts[clusters.wanted]
    donors = nearest(predicted[order], wanted)
    chosen = donors[np.arange(len(donors)), rng.integers(0, donors.shape[1], len(donors))]
    return y[order][chosen] + shift


def draw_probit(
    y: Floats, given: Predictors, clusters: Clusters, shift: Floats, rng: np.random.Generator
) -> Floats:
    """Draws of yes or no from a probit regression with random intercepts.

    Args:
        y: (n,) 0 or 1.
        given, clusters, rng: as in `draw_normal`.
        shift: (k,) added to the log-odds of each draw.
    Returns:
        (k,) draws of 0 or 1. Behind yes lies a normal variable above 0 (Albert & Chib 1993, JASA 88:669; for
        imputation in clusters Quartagno & Carpenter 2019, Biometrical Journal 61:1003).
    """
    last = posterior(y, given, clusters, rng, latent=True)[-1]
    rate = special.ndtr(given.wanted @ last.coefficients + last.intercepts[clusters.wanted])
    odds = special.logit(np.clip(rate, _LATENT_TAIL, 1 - _LATENT_TAIL))
    return np.asarray(rng.random(len(rate)) < special.expit(odds + shift), dtype=np.float64)


Draw = Callable[[Floats, Predictors, Clusters, Floats, np.random.Generator], Floats]
DRAWS_IN_CLUSTERS: Mapping[Kind, Draw] = {
    "matching": draw_matching,
    "normal": draw_normal,
    "logistic": draw_probit,
}


def posterior(
    y: Floats,
    given: Predictors,
    clusters: Clusters,
    rng: np.random.Generator,
    *,
    latent: bool = False,
    rounds: int = ROUNDS,
) -> list[State]:
    """States of a Gibbs sampler, each round all parameters given the others.

    Args:
        y, given, clusters, rng: as in `draw_normal`.
        latent: whether y is yes or no, cut from a normal variable whose variance within clusters is 1.
        rounds: how many states.
    Returns:
        The states. Coefficients are drawn with the intercepts integrated out, so that rounds hang together
        little. A priori coefficients are flat (of a latent variable normal, with a standard deviation of 5
        for each of the predictor's), the standard deviation between clusters is flat (Gelman 2006, Bayesian
        Analysis 1:515), and so is the logarithm of the one within.
    """
    sampler = _Sampler.of(given.known, clusters)
    ridge = _ridge(given.known) if latent else np.zeros(given.known.shape[1])
    seen = np.where(y > 0, 0.8, -0.8) if latent else y
    between, within = _started(seen, given, clusters)
    within = 1.0 if latent else within
    states = []
    for _ in range(rounds):
        coefficients = sampler.coefficients(seen, between, within, ridge, rng)
        fitted = given.known @ coefficients
        intercepts = sampler.intercepts(seen - fitted, between, within, rng)
        left = seen - fitted - intercepts[clusters.known]
        within = 1.0 if latent else float(left @ left / rng.chisquare(len(left)))
        between = float(intercepts @ intercepts / rng.chisquare(clusters.count - 1))
        states.append(State(coefficients, intercepts, between, within))
        if latent:
            seen = _beyond_nought(fitted + intercepts[clusters.known], y > 0, rng)
    return states


@dataclass(frozen=True, eq=False)
class _Sampler:
    """Sums over clusters of predictors: how many rows (g,), their sums (g, p), and all cross products."""

    design: Floats
    code: Ints
    people: Floats
    sums: Floats
    products: Floats

    @classmethod
    def of(cls, design: Floats, clusters: Clusters) -> "_Sampler":
        people = np.bincount(clusters.known, minlength=clusters.count).astype(np.float64)
        sums = np.zeros((clusters.count, design.shape[1]))
        np.add.at(sums, clusters.known, design)
        return cls(design, clusters.known, people, sums, design.T @ design)

    def coefficients(
        self, y: Floats, between: float, within: float, ridge: Floats, rng: np.random.Generator
    ) -> Floats:
        """Generalised least squares with its own uncertainty, intercepts integrated out."""
        share = between / (within + self.people * between)
        totals = np.bincount(self.code, y, minlength=len(self.people))
        precision = (self.products - self.sums.T @ (self.sums * share[:, None])) / within + np.diag(ridge)
        towards = (self.design.T @ y - self.sums.T @ (share * totals)) / within
        root = np.linalg.cholesky(precision)
        middle = np.linalg.solve(precision, towards)
        return np.asarray(middle + np.linalg.solve(root.T, rng.standard_normal(len(middle))))

    def intercepts(self, left: Floats, between: float, within: float, rng: np.random.Generator) -> Floats:
        """Of each cluster given what predictors leave; of one without rows from its distribution."""
        precision = self.people / within + 1 / between
        totals = np.bincount(self.code, left, minlength=len(self.people))
        return np.asarray(totals / within / precision + rng.standard_normal(len(totals)) / np.sqrt(precision))


def _started(y: Floats, given: Predictors, clusters: Clusters) -> tuple[float, float]:
    """Variances between and within clusters to begin with: what least squares leaves, a tenth between."""
    left = y - given.basis @ (given.basis.T @ y)
    whole = float(left @ left / max(len(y) - given.basis.shape[1], 1)) or 1.0
    return 0.1 * whole, 0.9 * whole


def _ridge(design: Floats) -> Floats:
    """Precisions a priori: none for the intercept."""
    found = design.var(axis=0) / PRIOR_SD**2
    found[0] = 0.0
    return np.asarray(found)


def _beyond_nought(middle: Floats, above: Bools, rng: np.random.Generator) -> Floats:
    """Normal draws of variance 1, above 0 for yes and below it for no."""
    side = np.where(above, 1.0, -1.0)
    tail = special.ndtr(side * middle)  # the chance of the side that was seen
    drawn = special.ndtri(np.clip(1 - tail * (1 - rng.random(len(middle))), _LATENT_TAIL, 1 - _LATENT_TAIL))
    return np.asarray(middle + side * drawn)
