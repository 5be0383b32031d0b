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
from equipoise.estimation.likelihood.cumulative import Cumulative, density, maximise
from equipoise.estimation.likelihood.marginal_means import MarginalMeans
from equipoise.estimation.likelihood.named_design import NamedDesign, named_design
from equipoise.estimation.likelihood.null_scores import NullScores
from equipoise.estimation.likelihood.sandwich import LikelihoodOptions, Robust, robust_kind, sandwich

__all__ = ["ProportionalOdds", "ordinal_effect", "ordinal_scores", "proportional_odds"]

_MOST_CATEGORIES = 50


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
    covariate_names: Sequence[str] | None = None,
) -> ProportionalOdds:
    """Fits the proportional-odds model by Newton's method.

    Args:
        outcome: (n,) scores of ordered answers, such as 1 to 5.
        arm: (n,) codes from 0.
        covariates: (n, p) measured before allocation.
        strata: (n,) labels, entered as columns.
        cluster: (n,) labels.
        variance: `HC1` (default) or `HC0`, with clusters `CR1` (default) or `CR0`.
        arm_names, covariate_names: for messages; p names of the covariates' columns.
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
    named = named_design(codes, covariates, strata, arm_names, covariate_names)
    model = Cumulative(named.matrix[:, 1:], answer.astype(np.int64), len(categories))
    parameters = maximise(model, named)
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


def ordinal_scores(y: Floats, covariates: Floats | None, strata: npt.ArrayLike | None) -> NullScores:
    """The scores of proportional odds on covariates and strata, without the arms.

    Args:
        y: (n,) scores of ordered answers.
        covariates: (n, p), or None.
        strata: (n,) labels, or None.
    Raises:
        DesignError: as in `proportional_odds`.

    Without either it is the rank test of Wilcoxon (McCullagh 1980, JRSS B 42:109, section 2.3).
    """
    categories, answer = np.unique(y, return_inverse=True)
    _check_categories(categories)
    named = named_design(np.zeros(len(y), dtype=np.int64), covariates, strata, None, None)
    model = Cumulative(named.matrix[:, 1:], answer.astype(np.int64), len(categories))
    parameters = maximise(model, named)
    scores, information = model.derivatives(parameters)
    predictor, cross = model.by_predictor(parameters)
    return NullScores(predictor, scores, cross, np.asarray(np.linalg.inv(information), dtype=np.float64))


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
        slope = density(at) * steps
        means.append(float(categories[-1] - (special.expit(at) @ steps).mean()))
        gradients.append(np.concatenate((-slope.mean(axis=0), slope.sum(axis=1) @ moved / len(moved))))
    gradient = np.array(gradients, dtype=np.float64)
    return MarginalMeans(
        named.arms,
        np.array(means),
        np.asarray(gradient @ covariance @ gradient.T),
        float(np.abs(categories).max()),
        arm_names,
    )
