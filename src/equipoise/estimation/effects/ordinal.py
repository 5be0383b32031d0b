"""Proportional-odds regression: the effect on the mean score, and the odds ratio of a higher answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Unpack

import numpy as np
import numpy.typing as npt
from scipy import special

from equipoise.estimation.arrays import (
    Floats,
    Ints,
    arms_compared,
    codes_of,
    contrast_weights,
    finite,
    name_of,
    refuse,
    same_length,
)
from equipoise.estimation.inference import Estimate, estimate_from
from equipoise.estimation.likelihood.marginal_means import MarginalMeans
from equipoise.estimation.likelihood.named_design import NamedDesign, named_design
from equipoise.estimation.likelihood.sandwich import LikelihoodOptions, Robust, robust_kind, sandwich
from equipoise.estimation.likelihood.separation import separation_error

__all__ = ["ProportionalOdds", "ordinal_effect", "proportional_odds"]

_MOST_CATEGORIES = 50
_ROUNDS = 100
_CONVERGED = 1e-9
"""Change of thresholds and predictors after which Newton's next step is below rounding."""
_DIVERGED = 30.0
"""A predictor this far out means a fitted chance of 0 or 1: the estimate does not exist."""


@dataclass(frozen=True, eq=False)
class ProportionalOdds:
    """A fit of logit P(Y <= c) = threshold(c) - x'b.

    Attributes:
        categories: (J,) the values of the outcome, rising.
        thresholds: (J - 1,) for an average person in the first arm present.
        arms: (k,) codes of the arms present.
        coefficients: (k,) log odds of a higher answer against the first arm present, whose own is 0.
        covariance: (k, k) of the coefficients.
        means: the mean score by arm, averaged over everyone.
    """

    categories: Floats
    thresholds: Floats
    arms: Ints
    coefficients: Floats
    covariance: Floats
    means: MarginalMeans

    def log_odds(self, contrast: npt.ArrayLike, level: float = 0.95) -> Estimate:
        """A contrast of the arms' log odds of a higher answer; its exponential is the odds ratio.

        Args:
            contrast: one weight an arm, those without people included.
            level: coverage of the interval, on the normal distribution.
        Raises:
            DesignError: weights that are no contrast, or an arm compared has nobody.
        """
        weights = contrast_weights(contrast, self.arms)
        _check_present(weights, self.arms, self.means.arm_names)
        chosen = weights[self.arms]
        error = float(np.sqrt(chosen @ self.covariance @ chosen))
        return estimate_from(float(chosen @ self.coefficients), error, np.inf, level)


def proportional_odds(
    outcome: npt.ArrayLike,
    arm: npt.ArrayLike,
    *,
    covariates: npt.ArrayLike | None = None,
    strata: npt.ArrayLike | None = None,
    cluster: npt.ArrayLike | None = None,
    variance: Robust | None = None,
    arm_names: Sequence[str] | None = None,
) -> ProportionalOdds:
    """Fits the proportional-odds model by Newton's method.

    Args:
        outcome: (n,) scores of ordered answers, such as 1 to 5.
        arm: (n,) codes from 0.
        covariates: (n, p) measured before allocation.
        strata: (n,) labels, entered as columns.
        cluster: (n,) labels.
        variance: `HC1` (default) or `HC0`, with clusters `CR1` (default) or `CR0`.
        arm_names: for messages.
    Returns:
        The fit; its errors are the sandwich's, from the observed information.
    Raises:
        DesignError: all answers alike, more than 50 different ones, or answers that are predicted perfectly.

    McCullagh (1980), JRSS B 42:109; the log likelihood is concave (Pratt 1981, JASA 76:103).
    """
    y, codes = finite(outcome, "outcome"), np.asarray(arm, dtype=np.int64)
    blocks = None if cluster is None else codes_of(cluster, "cluster")[0]
    same_length(len(y), arm=codes, cluster=blocks)
    kind = robust_kind(variance, blocks)
    categories, answer = np.unique(y, return_inverse=True)
    _check_categories(categories)
    named = named_design(codes, covariates, strata, arm_names)
    model = _Cumulative(named.matrix[:, 1:], answer.astype(np.int64), len(categories))
    parameters = _maximise(model, named)
    scores, information = model.derivatives(parameters)
    bread = np.asarray(np.linalg.inv(information), dtype=np.float64)
    covariance = sandwich(bread, scores, kind, blocks)
    arms, cuts = len(named.arms), len(categories) - 1
    own = slice(cuts, cuts + arms - 1)
    padded = np.zeros((arms, arms))
    padded[1:, 1:] = covariance[own, own]
    return ProportionalOdds(
        categories,
        parameters[:cuts],
        named.arms,
        np.concatenate(([0.0], parameters[own])),
        padded,
        _mean_scores(categories, named, parameters, covariance, arm_names),
    )


def ordinal_effect(
    outcome: npt.ArrayLike,
    arm: npt.ArrayLike,
    contrast: npt.ArrayLike,
    *,
    level: float = 0.95,
    **design: Unpack[LikelihoodOptions],
) -> Estimate:
    """Difference in the mean score between arms, averaged over everyone, from proportional odds.

    Args:
        outcome, arm: as in `proportional_odds`.
        contrast: one weight an arm, adding up to 0.
        level: coverage of the interval, on the normal distribution.
        design: the further arguments of `proportional_odds`.
    Returns:
        The average marginal effect in the outcome's unit and its delta-method error, covariates as fixed.
    Raises:
        DesignError: as in `proportional_odds`, or an arm compared has nobody.
    """
    return proportional_odds(outcome, arm, **design).means.contrast(contrast, level)


def _check_categories(categories: Floats) -> None:
    if len(categories) < 2:
        raise refuse("outcome", "is the same for everyone, so nothing about it can be estimated.")
    if len(categories) > _MOST_CATEGORIES:
        raise refuse(
            "outcome",
            f"has {len(categories)} different values; a proportional-odds model takes at most "
            f"{_MOST_CATEGORIES}. Choose the linear model.",
        )


def _check_present(weights: Floats, arms: Ints, arm_names: Sequence[str] | None) -> None:
    for code in arms_compared(weights):
        if code not in arms:
            raise refuse("arm", f"{name_of(code, arm_names, 'arm')} has nobody with an outcome to compare.")


@dataclass(frozen=True, eq=False)
class _Cumulative:
    """The likelihood: an answer lies between two thresholds, `upper` above it and `lower` below.

    The first parameters are the thresholds; `upper` and `lower` are (n, parameters) derivatives of the two
    ends, which are infinite for the last and the first category.
    """

    columns: Floats
    answer: Ints
    categories: int

    def ends(self, parameters: Floats) -> tuple[Floats, Floats]:
        """Both ends for every row."""
        cuts = np.concatenate(([-np.inf], parameters[: self.categories - 1], [np.inf]))
        shift = self.columns @ parameters[self.categories - 1 :]
        return cuts[self.answer] - shift, cuts[self.answer + 1] - shift

    def log_likelihood(self, parameters: Floats) -> float:
        """Minus infinity where thresholds are out of order."""
        if (np.diff(parameters[: self.categories - 1]) <= 0).any():
            return -np.inf
        with np.errstate(divide="ignore"):
            return float(np.log(_between(*self.ends(parameters))).sum())

    def derivatives(self, parameters: Floats) -> tuple[Floats, Floats]:
        """(n, k) scores and the (k, k) observed information."""
        low, high = self.ends(parameters)
        chance = _between(low, high)
        up, down = _density(high) / chance, _density(low) / chance
        upper, lower = self._design(self.answer), self._design(self.answer - 1)
        scores = upper * up[:, None] - lower * down[:, None]
        bend = upper.T @ (upper * (up * (1 - 2 * special.expit(high)))[:, None])
        bend -= lower.T @ (lower * (down * (1 - 2 * special.expit(low)))[:, None])
        return scores, np.asarray(scores.T @ scores - bend)

    def _design(self, cut: Ints) -> Floats:
        thresholds = (cut[:, None] == np.arange(self.categories - 1)).astype(np.float64)
        return np.concatenate((thresholds, -self.columns), axis=1)


def _between(low: Floats, high: Floats) -> Floats:
    """The logistic distribution between two ends, without cancellation in its upper tail."""
    turned = low > 0
    top, bottom = np.where(turned, -low, high), np.where(turned, -high, low)
    return np.asarray(special.expit(top) - special.expit(bottom))


def _density(at: Floats) -> Floats:
    return np.asarray(special.expit(at) * special.expit(-at))


def _maximise(model: _Cumulative, named: NamedDesign) -> Floats:
    """Newton's method with halved steps, from the thresholds of everyone together."""
    shares = np.cumsum(np.bincount(model.answer))[:-1] / len(model.answer)
    at = np.concatenate((special.logit(shares), np.zeros(model.columns.shape[1])))
    for _ in range(_ROUNDS):
        scores, information = model.derivatives(at)
        try:
            step = np.asarray(np.linalg.solve(information, scores.sum(axis=0)), dtype=np.float64)
        except np.linalg.LinAlgError:
            break
        step = _shortened(model, at, step)
        at = at + step
        cuts = model.categories - 1
        moved = max(np.abs(step[:cuts]).max(), np.abs(model.columns @ step[cuts:]).max(initial=0.0))
        if np.abs(model.columns @ at[cuts:]).max(initial=0.0) > _DIVERGED:
            break
        if moved < _CONVERGED:
            return at
    lowest, highest = model.answer == 0, model.answer == model.categories - 1
    raise separation_error(named, lowest, highest, "proportional-odds")


def _shortened(model: _Cumulative, at: Floats, step: Floats) -> Floats:
    before = model.log_likelihood(at)
    for _ in range(40):
        if model.log_likelihood(at + step) >= before - 1e-10 * abs(before):
            break
        step = step / 2
    return step


def _mean_scores(
    categories: Floats,
    named: NamedDesign,
    parameters: Floats,
    covariance: Floats,
    arm_names: Sequence[str] | None,
) -> MarginalMeans:
    """The mean score is the highest less each step between categories times the chance to stay below it."""
    cuts, steps = len(categories) - 1, np.diff(categories)
    means, gradients = [], []
    for place in range(len(named.arms)):
        moved = named.moved(place)[:, 1:]
        at = parameters[:cuts] - (moved @ parameters[cuts:])[:, None]
        density = _density(at) * steps
        means.append(float(categories[-1] - (special.expit(at) @ steps).mean()))
        gradients.append(np.concatenate((-density.mean(axis=0), density.sum(axis=1) @ moved / len(moved))))
    gradient = np.array(gradients, dtype=np.float64)
    return MarginalMeans(
        named.arms,
        np.array(means),
        np.asarray(gradient @ covariance @ gradient.T),
        float(np.abs(categories).max()),
        arm_names,
    )
