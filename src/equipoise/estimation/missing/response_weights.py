"""The effect for all randomised by weighting those who answered by how unlikely their answering was."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from equipoise.estimation.arrays import (
    Bools,
    Floats,
    Ints,
    codes_of,
    finite_columns,
    name_of,
    refuse,
    same_length,
)
from equipoise.estimation.effects.arm_design import ArmDesign, additive_design, interacted_design
from equipoise.estimation.inference import Estimate, estimate_from
from equipoise.estimation.least_squares.basis import orthonormal
from equipoise.estimation.least_squares.covariance import FULL_LEVERAGE
from equipoise.estimation.least_squares.linear import LinearFit, fit_linear

__all__ = ["ResponseModel", "WeightedEffect", "effect_by_response_weights", "response_model"]

_ROUNDS = 100
_CONVERGED = 1e-12
_DIVERGED = 30.0
"""A log-odds this far out means that response is predicted perfectly."""


@dataclass(frozen=True, eq=False)
class ResponseModel:
    """Response as fitted, arm by arm.

    Attributes:
        held: (n,) who answered.
        arm: (n,) codes.
        chance: (n,) fitted probability of answering.
        weights: (n,) stabilised: the arm's share that answered over each person's chance; 0 where not held.
        influence: (n, q) of each person on the coefficients of the person's own arm; q is the same for all.
        columns: (n, q) the predictors, 0 where an arm has dropped one.
    """

    held: Bools
    arm: Ints
    chance: Floats
    weights: Floats
    influence: Floats
    columns: Floats

    def effective(self, code: int) -> float:
        """How many unweighted answers an arm's weighted ones are worth (Kish 1965)."""
        weights = self.weights[self.held & (self.arm == code)]
        return float(weights.sum() ** 2 / (weights**2).sum())


@dataclass(frozen=True)
class WeightedEffect:
    """The effect, and the response model whose weights gave it."""

    estimate: Estimate
    response: ResponseModel


def response_model(
    answered: npt.ArrayLike,
    arm: npt.ArrayLike,
    predictors: npt.ArrayLike,
    arm_names: Sequence[str] | None = None,
) -> ResponseModel:
    """A logistic regression of answering on predictors in each arm, by maximum likelihood.

    Args:
        answered: (n,) true or false, of all randomised.
        arm: (n,) codes from 0.
        predictors: (n, p) known of all randomised, without gaps.
        arm_names: for messages.
    Returns:
        The model; an arm in which all answered needs none, and its weights are 1.
    Raises:
        DesignError: an arm in which nobody answered, or in which answering is predicted perfectly.
    """
    held, codes = np.asarray(answered, dtype=bool), np.asarray(arm, dtype=np.int64)
    columns = finite_columns(predictors, "predictors") if np.size(predictors) else np.empty((len(held), 0))
    same_length(len(held), arm=codes, predictors=columns)
    spread = columns.std(axis=0)
    scaled = (columns - columns.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    design = np.concatenate((np.ones((len(held), 1)), scaled), axis=1)
    chance, weights = np.ones(len(held)), np.zeros(len(held))
    influence, used = np.zeros(design.shape), np.zeros(design.shape)
    for code in np.unique(codes):
        rows = codes == code
        if not held[rows].any():
            raise refuse("answered", f"nobody in {name_of(int(code), arm_names, 'arm')} answered.")
        if not held[rows].all():
            kept = orthonormal(design[rows], None)[2]
            place = np.ix_(rows, kept)
            fitted = _logistic(held[rows], design[place], name_of(int(code), arm_names, "arm"))
            chance[rows], influence[place] = fitted
            used[place] = design[place]
        weights[rows & held] = held[rows].mean() / chance[rows & held]
    return ResponseModel(held, codes, chance, weights, influence, used)


def effect_by_response_weights(
    outcome: npt.ArrayLike,
    response: ResponseModel,
    contrast: npt.ArrayLike,
    *,
    covariates: npt.ArrayLike | None = None,
    strata: npt.ArrayLike | None = None,
    cluster: npt.ArrayLike | None = None,
    interacted: bool = False,
    level: float = 0.95,
    arm_names: Sequence[str] | None = None,
) -> WeightedEffect:
    """A contrast of arms by least squares, each answer weighted by one over its chance of being given.

    Args:
        outcome: (n,) of all randomised; not looked at where not answered.
        response: the model of answering.
        contrast: one weight an arm, adding up to 0.
        covariates: (n, p) of all randomised, measured before allocation.
        strata: (n,) labels of all randomised.
        cluster: (n,) labels, where clusters were allocated.
        interacted: whether each arm has a regression of its own, compared at the means of all randomised.
        level: coverage of the interval.
        arm_names: for messages.
    Returns:
        The effect for all randomised, if answering depends on nothing but the predictors. The variance stacks
        the estimating equations of response and effect, so that it knows the weights to be estimated
        (Lunceford & Davidian 2004, Statistics in Medicine 23:2937), with residuals divided by the root of one
        less their leverage; with everybody answering it is HC2. With clusters influences are added up within
        them, with the factor G/(G-1). The reference is t on the answers less the columns, or on clusters less
        one.
    Raises:
        DesignError: an arm without answers, or a regression that the answers cannot carry.
    """
    held, inverse = response.held, 1 / response.chance
    y = np.where(held, np.asarray(outcome, dtype=np.float64), 0.0)
    fit, direction = _fitted(
        y, response, np.asarray(contrast, dtype=np.float64), covariates, strata, interacted, arm_names
    )
    pull = (fit.basis @ direction) * np.sqrt(inverse[held])
    estimate = float(pull @ y[held])
    influence = _influence(response, pull, fit)
    blocks = None if cluster is None else codes_of(cluster, "cluster")[0]
    if blocks is None:
        variance, dof = float((influence**2).sum()), float(fit.rows - fit.rank)
    else:
        sums = np.bincount(blocks, influence)
        units = len(np.unique(blocks))
        variance, dof = units / (units - 1) * float((sums**2).sum()), float(units - 1)
    error = float(np.sqrt(variance))
    return WeightedEffect(
        estimate_from(estimate, error, dof, level, scale=float(np.abs(y[held]).max())), response
    )


def _logistic(held: Bools, design: Floats, name: str) -> tuple[Floats, Floats]:
    """Fitted chances, and each person's influence on the coefficients."""
    beta = np.zeros(design.shape[1])
    for _ in range(_ROUNDS):
        chance = special.expit(design @ beta)
        information = design.T @ (design * (chance * (1 - chance))[:, None])
        step = np.linalg.solve(information, design.T @ (held - chance))
        step *= min(1.0, 5.0 / max(np.abs(design @ step).max(), 1e-300))
        beta = beta + step
        if np.abs(design @ beta).max() > _DIVERGED:
            break
        if np.abs(step).max() < _CONVERGED:
            chance = special.expit(design @ beta)
            scores = design * (held - chance)[:, None]
            return chance, np.asarray(np.linalg.solve(information, scores.T).T)
    raise refuse(
        "predictors",
        f"tell perfectly who of {name} answered (a level where all did, or nobody), so no weights can be had "
        "from them; name fewer auxiliaries or adjust for less.",
    )


def _fitted(
    y: Floats,
    response: ResponseModel,
    contrast: Floats,
    covariates: npt.ArrayLike | None,
    strata: npt.ArrayLike | None,
    interacted: bool,
    arm_names: Sequence[str] | None,
) -> tuple[LinearFit, Floats]:
    """The weighted fit of those who answered, and the contrast in the coordinates of its basis."""
    held, weights = response.held, 1 / response.chance[response.held]
    columns = None if covariates is None else finite_columns(covariates, "covariates")
    labels = None if strata is None else codes_of(strata, "strata")[0]
    same_length(len(y), held=held, covariates=columns, strata=labels)
    if not interacted:
        design = additive_design(
            y[held],
            response.arm[held],
            contrast,
            covariates=None if columns is None else columns[held],
            strata=None if labels is None else labels[held],
            arm_names=arm_names,
        )
    else:
        design = _at_means_of_all(y, response, contrast, columns, labels, arm_names)
    fit = fit_linear(design.outcome, design.matrix, strata=design.strata, weights=weights)
    design.check(fit)
    return fit, fit.direction(design.vector)


def _at_means_of_all(
    y: Floats,
    response: ResponseModel,
    contrast: Floats,
    columns: Floats | None,
    labels: Ints | None,
    arm_names: Sequence[str] | None,
) -> ArmDesign:
    """Each arm's own regression, its covariates and strata centred at all randomised."""
    held, parts = response.held, [] if columns is None else [columns]
    if labels is not None:
        unheard = np.setdiff1d(labels, labels[held])
        if len(unheard):
            raise refuse("strata", f"{len(unheard)} strata have nobody who answered.")
        parts.append((labels[:, None] == np.arange(1, labels.max() + 1)).astype(np.float64))
    whole = np.concatenate(parts, axis=1) if parts else None
    return interacted_design(
        y[held],
        response.arm[held],
        contrast,
        covariates=None if whole is None else whole[held],
        centre=None if whole is None else whole.mean(axis=0),
        arm_names=arm_names,
    )


def _influence(response: ResponseModel, pull: Floats, fit: LinearFit) -> Floats:
    """(n,) what each person randomised adds to the estimate's error: by their answer, and by the weights."""
    held = response.held
    spare = 1 - fit.leverage
    telling = spare > FULL_LEVERAGE
    answers = pull * fit.residuals
    influence = np.zeros(len(held))
    influence[held] = np.where(telling, answers / np.sqrt(np.where(telling, spare, 1.0)), 0.0)
    # a weight falls by (1 - chance) of itself for each unit of log-odds
    moved = answers * (1 - response.chance[held])
    for code in np.unique(response.arm):
        rows = response.arm == code
        slope = moved[rows[held]] @ response.columns[rows & held]
        influence[rows] -= response.influence[rows] @ slope
    return influence
