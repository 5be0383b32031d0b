"""Effects of arms from linear models: additive adjustment, and Lin's interacted adjustment."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from equipoise.estimation.arrays import Dof, Floats
from equipoise.estimation.effects.arm_design import ArmDesign, additive_design, interacted_design
from equipoise.estimation.inference import Estimate
from equipoise.estimation.least_squares.covariance import Variance
from equipoise.estimation.least_squares.linear import fit_linear
from equipoise.estimation.least_squares.two_way import fit_two_way

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
        cluster: (n,) labels, with a CR variance; (n, 2) labels with `two-way`.
        weights: (n,) above 0.
        variance: kind of covariance.
        dof: degrees of freedom; `two-way` has only `residual`, the smaller number of clusters less one.
        level: coverage of the interval.
        arm_names: for messages.
    Returns:
        The contrast; with strata of unequal ratios it weights them by n p (1 - p), not by size.
    Raises:
        DesignError: an arm compared has nobody, or cannot be told apart from covariates or strata.

    Samii & Aronow (2012), Stat. Probab. Lett. 82:365: without covariates HC2 is Neyman's variance.
    """
    design = additive_design(
        outcome, arm, contrast, covariates=covariates, strata=strata, arm_names=arm_names
    )
    return _estimate(design, variance, cluster, weights, dof, level)


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
        cluster: (n,) labels, with a CR variance; (n, 2) labels with `two-way`.
        weights: (n,) above 0.
        variance: kind of covariance.
        dof: degrees of freedom; `two-way` has only `residual`, the smaller number of clusters less one.
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
    design = interacted_design(
        outcome,
        arm,
        contrast,
        covariates=covariates,
        strata=strata,
        weights=weights,
        centre=centre,
        arm_names=arm_names,
    )
    return _estimate(design, variance, cluster, weights, dof, level)


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


def _estimate(
    design: ArmDesign,
    variance: Variance,
    cluster: npt.ArrayLike | None,
    weights: npt.ArrayLike | None,
    dof: Dof,
    level: float,
) -> Estimate:
    if variance == "two-way":
        fit = fit_two_way(design.outcome, design.matrix, cluster, strata=design.strata, weights=weights)
    else:
        fit = fit_linear(
            design.outcome,
            design.matrix,
            variance=variance,
            strata=design.strata,
            cluster=cluster,
            dof=dof,
            weights=weights,
        )
    design.check(fit)
    return fit.contrast(design.vector, level)
