"""Effects of arms from linear models: additive adjustment, and Lin's interacted adjustment."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from equipoise.errors import DesignError
from equipoise.estimation.arrays import (
    Dof,
    Floats,
    Ints,
    arms_compared,
    codes_of,
    contrast_weights,
    finite,
    finite_columns,
    name_of,
    refuse,
    same_length,
)
from equipoise.estimation.inference import Estimate
from equipoise.estimation.least_squares.covariance import Variance
from equipoise.estimation.least_squares.linear import LinearFit, fit_linear

__all__ = ["WithIndicator", "lin_interacted", "linear_effect", "missing_indicator"]


@dataclass(frozen=True, eq=False)
class WithIndicator:
    """A covariate that some lack: (n, 1) or (n, 2) columns without gaps, and how many lack it."""

    columns: Floats
    missing: int


def linear_effect(
    outcome: npt.ArrayLike,
    arm: npt.ArrayLike,
    contrast: npt.ArrayLike,
    *,
    covariates: npt.ArrayLike | None = None,
    strata: npt.ArrayLike | None = None,
    cluster: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    variance: Variance = "HC2",
    dof: Dof = "satterthwaite",
    level: float = 0.95,
    arm_names: Sequence[str] | None = None,
) -> Estimate:
    """A contrast of arms from least squares on arms, covariates and stratum effects.

    Args:
        outcome: (n,) in its own unit; NaN is refused, not dropped.
        arm: (n,) codes from 0; allocation as randomised.
        contrast: one weight an arm, adding up to 0.
        covariates: (n, p) measured before allocation.
        strata: (n,) labels whose intercepts are absorbed.
        cluster: (n,) labels, with a CR variance.
        weights: (n,) above 0.
        variance: kind of covariance.
        dof: degrees of freedom.
        level: coverage of the interval.
        arm_names: for messages.
    Returns:
        The contrast; with strata of unequal ratios it weights them by n p (1 - p), not by size.
    Raises:
        DesignError: an arm compared has nobody, or cannot be told apart from covariates or strata.

    Samii & Aronow (2012), Stat. Probab. Lett. 82:365: without covariates HC2 is Neyman's variance.
    """
    y, codes, weight = _checked(outcome, arm, contrast, arm_names)
    columns = [codes[:, None] == np.arange(len(weight))]
    if covariates is not None:
        extra = finite_columns(covariates, "covariates")
        same_length(len(y), covariates=extra)
        columns.append(extra - extra.mean(axis=0))
    arms = _arms_present(codes, len(weight))
    design = np.concatenate([np.asarray(part, dtype=np.float64) for part in columns], axis=1)
    design, vector = _without_absent(design, weight, arms, reference=strata is not None)
    fit = fit_linear(y, design, variance=variance, strata=strata, cluster=cluster, dof=dof, weights=weights)
    return fit.contrast(vector, level)


def lin_interacted(
    outcome: npt.ArrayLike,
    arm: npt.ArrayLike,
    contrast: npt.ArrayLike,
    *,
    covariates: npt.ArrayLike | None = None,
    strata: npt.ArrayLike | None = None,
    cluster: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    variance: Variance = "HC2",
    dof: Dof = "satterthwaite",
    level: float = 0.95,
    arm_names: Sequence[str] | None = None,
    centre: npt.ArrayLike | None = None,
) -> Estimate:
    """A contrast of arm means, each adjusted by its own regression on centred covariates.

    Args:
        outcome: (n,) in its own unit; NaN is refused, not dropped.
        arm: (n,) codes from 0; allocation as randomised.
        contrast: one weight an arm, adding up to 0; any number of arms.
        covariates: (n, p) measured before allocation.
        strata: (n,) labels, entered as centred indicators interacted with arm: strata weigh by their people.
        cluster: (n,) labels, with a CR variance.
        weights: (n,) above 0.
        variance: kind of covariance.
        dof: degrees of freedom.
        level: coverage of the interval.
        arm_names: for messages.
        centre: (p,) means of the covariates at which arms are compared, such as those of all randomised; left
            out, those of the rows given.
    Returns:
        The contrast of adjusted means.
    Raises:
        DesignError: an arm has too few people for its regression, or a stratum has nobody in it.

    Lin (2013), Annals of Applied Statistics 7:295, section 4: never less precise asymptotically than the
    difference in means, whatever the ratio and the true shape.
    """
    y, codes, weight = _checked(outcome, arm, contrast, arm_names)
    compared = arms_compared(weight)
    columns = _centred(len(y), codes, compared, covariates, strata, centre, weights, arm_names)
    arms = (codes[:, None] == _arms_present(codes, len(weight))).astype(np.float64)
    design = np.concatenate((arms, *(arms * column[:, None] for column in columns.T)), axis=1)
    fit = fit_linear(y, design, variance=variance, cluster=cluster, dof=dof, weights=weights)
    vector = np.zeros(design.shape[1])
    vector[: arms.shape[1]] = weight[_arms_present(codes, len(weight))]
    _check_regressions(fit, arms.shape[1], vector, _arms_present(codes, len(weight)), arm_names)
    return fit.contrast(vector, level)


def missing_indicator(covariate: npt.ArrayLike) -> WithIndicator:
    """A covariate with NaN replaced by its mean, beside a column that says where it was missing.

    Args:
        covariate: (n,) measured strictly before allocation, NaN where not known.
    Returns:
        Two columns, or one where nobody (or everybody) lacks it, and the count of the missing.

    White & Thompson (2005), Statistics in Medicine 24:993: unbiased in a randomised trial, since what was
    missing before allocation cannot depend on the arm.
    """
    values = np.asarray(covariate, dtype=np.float64)
    absent = np.isnan(values)
    missing = int(absent.sum())
    if missing == len(values):
        return WithIndicator(np.zeros((len(values), 1)), missing)
    filled = np.where(absent, values[~absent].mean(), values)
    columns = [filled, absent.astype(np.float64)] if missing else [filled]
    return WithIndicator(np.stack(columns, axis=1), missing)


def _checked(
    outcome: npt.ArrayLike, arm: npt.ArrayLike, contrast: npt.ArrayLike, arm_names: Sequence[str] | None
) -> tuple[Floats, Ints, Floats]:
    y, codes = finite(outcome, "outcome"), np.asarray(arm, dtype=np.int64)
    same_length(len(y), arm=codes)
    weight = contrast_weights(contrast, codes)
    counts = np.bincount(codes, minlength=len(weight))
    for code in arms_compared(weight):
        if not counts[code]:
            raise refuse("arm", f"{name_of(code, arm_names, 'arm')} has nobody with an outcome to compare.")
    return y, codes, weight


def _arms_present(codes: Ints, arms: int) -> Ints:
    return np.flatnonzero(np.bincount(codes, minlength=arms))


def _without_absent(
    design: Floats, weight: Floats, present: Ints, *, reference: bool
) -> tuple[Floats, Floats]:
    """Leaves out arms nobody is in and, beside absorbed strata, one arm as the reference."""
    keep = present[1:] if reference else present
    others = np.arange(len(weight), design.shape[1])
    columns = np.concatenate((keep, others))
    vector = np.concatenate((weight[keep], np.zeros(len(others))))
    return design[:, columns], vector


def _centred(
    rows: int,
    codes: Ints,
    compared: list[int],
    covariates: npt.ArrayLike | None,
    strata: npt.ArrayLike | None,
    centre: npt.ArrayLike | None,
    weights: npt.ArrayLike | None,
    arm_names: Sequence[str] | None,
) -> Floats:
    parts = []
    mass = None if weights is None else finite(weights, "weights")
    if covariates is not None:
        columns = finite_columns(covariates, "covariates")
        same_length(rows, covariates=columns, weights=mass)
        at = np.average(columns, axis=0, weights=mass) if centre is None else finite(centre, "centre")
        if len(at) != columns.shape[1]:
            raise refuse("centre", f"has {len(at)} means; expected {columns.shape[1]}, one a covariate.")
        parts.append(columns - at)
    if strata is not None:
        stratum, labels = codes_of(strata, "strata")
        same_length(rows, strata=stratum)
        for code in compared:
            held = np.bincount(stratum[codes == code], minlength=len(labels))
            if not held.all():
                empty = str(labels[int(np.flatnonzero(held == 0)[0])])
                raise refuse("strata", f'stratum "{empty}" has nobody in {name_of(code, arm_names, "arm")}.')
        indicators = (stratum[:, None] == np.arange(1, len(labels))).astype(np.float64)
        parts.append(indicators - np.average(indicators, axis=0, weights=mass))
    return np.concatenate(parts, axis=1) if parts else np.empty((rows, 0))


def _check_regressions(
    fit: LinearFit, arms: int, vector: Floats, present: Ints, arm_names: Sequence[str] | None
) -> None:
    """Refuses an arm compared whose own regression is short of people: its mean would be arbitrary.

    A covariate that is a combination of others in *every* arm is merely repeated, and harmless.
    """
    dropped = np.zeros((len(fit.coefficients) // arms, arms), dtype=bool)
    dropped.ravel()[list(fit.dropped)] = True
    for row in dropped:
        for index in np.flatnonzero(row):
            if vector[index] and not row.all():
                raise _no_regression(int(present[index]), arm_names)


def _no_regression(arm: int, arm_names: Sequence[str] | None) -> DesignError:
    return refuse(
        "covariates",
        f"{name_of(arm, arm_names, 'arm')} has too few people, or a covariate that does not vary among them, "
        "for a regression of its own; use fewer covariates or the linear model.",
    )
