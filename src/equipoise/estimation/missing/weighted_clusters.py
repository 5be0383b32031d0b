"""The effect on all clusters randomised, each counting once, answers weighted for those not given."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from equipoise.estimation.arrays import Floats, Ints, Labels, codes_of, finite_columns, refuse, same_length
from equipoise.estimation.effects.arm_design import additive_design, interacted_design
from equipoise.estimation.inference import Estimate, estimate_from
from equipoise.estimation.least_squares.covariance import FULL_LEVERAGE
from equipoise.estimation.least_squares.linear import fit_linear
from equipoise.estimation.missing.response_weights import ResponseModel

__all__ = ["effect_of_clusters"]


def effect_of_clusters(
    outcome: npt.ArrayLike,
    response: ResponseModel,
    contrast: npt.ArrayLike,
    cluster: npt.ArrayLike,
    *,
    covariates: npt.ArrayLike | None = None,
    strata: npt.ArrayLike | None = None,
    interacted: bool = False,
    level: float = 0.95,
    arm_names: Sequence[str] | None = None,
) -> Estimate:
    """A contrast of arms by least squares on one weighted mean a cluster.

    Args:
        outcome: (n,) of all randomised; not looked at where not answered.
        response: the model of answering; a cluster's mean weights each answer by one over its chance, in
            shares of these within the cluster.
        contrast: one weight an arm, adding up to 0.
        cluster: (n,) labels of what was randomised, each of one arm and stratum.
        covariates: (n, p) of all randomised; a cluster has the mean of all its people, answered or not.
        strata: (n,) labels.
        interacted: whether each arm has a regression of its own.
        level: coverage of the interval.
        arm_names: for messages.
    Returns:
        The effect averaged over clusters, if answering depends on nothing but the predictors. The error is
        HC2 of the clusters' means, stacked with the equations of response (Lunceford & Davidian 2004, Stat.
        Med. 23:2937), added up within clusters; Satterthwaite's degrees of freedom of the means.
    Raises:
        DesignError: a cluster in which nobody answered, or that lies in two arms or strata, or a regression
            that the clusters cannot carry.

    Estimand and unweighted means: Kahan et al. (2023), Int. J. Epidemiol. 52:107.
    """
    codes, names = codes_of(cluster, "cluster")
    held, inverse = response.held, 1 / response.chance
    same_length(len(held), cluster=codes)
    y = np.where(held, np.asarray(outcome, dtype=np.float64), 0.0)
    mass = np.bincount(codes, np.where(held, inverse, 0.0), minlength=len(names))
    if not mass.all():
        empty = names[int(np.flatnonzero(mass == 0)[0])]
        raise refuse("cluster", f'"{empty}" has nobody who answered, so it has no mean to count once.')
    means = np.bincount(codes, np.where(held, inverse * y, 0.0)) / mass
    people = np.bincount(codes)
    columns = None
    if covariates is not None:
        given = finite_columns(covariates, "covariates")
        columns = np.stack([np.bincount(codes, column) / people for column in given.T], axis=1)
    labels = None if strata is None else _of_cluster(codes_of(strata, "strata")[0], codes, names, "strata")
    design = (interacted_design if interacted else additive_design)(
        means,
        _of_cluster(response.arm, codes, names, "arms"),
        contrast,
        covariates=columns,
        strata=labels,
        arm_names=arm_names,
    )
    fit = fit_linear(design.outcome, design.matrix, strata=design.strata, variance="HC2", dof="satterthwaite")
    design.check(fit)
    plain = fit.contrast(design.vector, level)
    pull = fit.basis @ fit.direction(design.vector)
    spare = 1 - fit.leverage
    telling = spare > FULL_LEVERAGE
    influence = np.where(telling, pull * fit.residuals / np.sqrt(np.where(telling, spare, 1.0)), 0.0)
    moved = np.where(held, (pull / mass)[codes] * (y - means[codes]) * inverse * (1 - response.chance), 0.0)
    influence = influence - np.bincount(codes, _through_response(response, moved))
    error = float(np.sqrt((influence**2).sum()))
    return estimate_from(plain.estimate, error, plain.dof, level, scale=float(np.abs(y[held]).max()))


def _through_response(response: ResponseModel, moved: Floats) -> Floats:
    """(n,) what each person moves the estimate by through the weights of the person's arm.

    Args:
        moved: (n,) by how much the estimate falls for each unit of a person's log-odds of answering.
    """
    found = np.zeros(len(moved))
    for code in np.unique(response.arm):
        rows = response.arm == code
        found[rows] = response.influence[rows] @ (response.columns[rows].T @ moved[rows])
    return found


def _of_cluster(labels: Ints, codes: Ints, names: Labels, what: str) -> Ints:
    """The one label of each cluster."""
    first = np.unique(codes, return_index=True)[1]
    apart = np.flatnonzero(labels[first][codes] != labels)
    if len(apart):
        name = names[codes[apart[0]]]
        raise refuse("cluster", f'"{name}" has people in different {what}; it was not drawn whole.')
    return np.asarray(labels[first])
