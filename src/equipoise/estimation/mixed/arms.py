"""A contrast of arms whose rows share clusters: means by arm, and a random intercept for each cluster."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from equipoise.estimation.arrays import (
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
from equipoise.estimation.inference import Estimate, JointTest
from equipoise.estimation.mixed.fit import MixedDof, MixedFit, fit_mixed

__all__ = ["ArmsFit", "adjustments", "fit_arms", "mixed_effect"]


@dataclass(frozen=True, eq=False)
class ArmsFit:
    """A mixed model with a mean for each arm.

    Attributes:
        fit: the model; its first coefficients are the arms' means.
        weights: of the contrast, one a coefficient.
        present: codes of the arms that somebody is in, in the order of their means.
    """

    fit: MixedFit
    weights: Floats
    present: Ints

    def effect(self, level: float = 0.95, dof: MixedDof = "kenward-roger") -> Estimate:
        """The contrast; see `MixedFit.contrast`."""
        return self.fit.contrast(self.weights, level, dof)

    def joint_test(self, rows: npt.ArrayLike, dof: MixedDof = "kenward-roger") -> JointTest:
        """That several contrasts are 0, given as (l, arms) weights; see `MixedFit.joint_test`."""
        weights = np.atleast_2d(np.asarray(rows, dtype=np.float64))[:, self.present]
        rest = len(self.weights) - len(self.present)
        return self.fit.joint_test(np.pad(weights, ((0, 0), (0, rest))), dof)


def mixed_effect(
    outcome: npt.ArrayLike,
    arm: npt.ArrayLike,
    contrast: npt.ArrayLike,
    *,
    cluster: npt.ArrayLike | None,
    covariates: npt.ArrayLike | None = None,
    strata: npt.ArrayLike | None = None,
    dof: MixedDof = "kenward-roger",
    level: float = 0.95,
    arm_names: Sequence[str] | None = None,
) -> Estimate:
    """A contrast of arms from a linear mixed model with a random intercept for each cluster.

    Args:
        outcome: (n,) in its own unit; NaN is refused, not dropped.
        arm: (n,) codes from 0; allocation as randomised.
        contrast: one weight an arm, adding up to 0.
        cluster: (n,) labels.
        covariates: (n, p) measured before allocation.
        strata: (n,) labels, entered as indicators.
        dof: degrees of freedom.
        level: coverage of the interval.
        arm_names: for messages.
    Returns:
        The contrast. Clusters weigh by their precision, so that large ones count for more, though less than
        their people do.
    Raises:
        DesignError: no clusters, an arm with fewer than two of them, or a design that cannot be estimated.
    """
    if cluster is None:
        raise refuse("cluster", "a mixed model needs clusters, and none were given; choose linear.")
    groupings = {"cluster": np.asarray(cluster)}
    fitted = fit_arms(
        outcome, arm, contrast, groupings, covariates=covariates, strata=strata, arm_names=arm_names
    )
    return fitted.effect(level, dof)


def fit_arms(
    outcome: npt.ArrayLike,
    arm: npt.ArrayLike,
    contrast: npt.ArrayLike,
    groupings: Mapping[str, npt.ArrayLike],
    *,
    covariates: npt.ArrayLike | None = None,
    strata: npt.ArrayLike | None = None,
    arm_names: Sequence[str] | None = None,
) -> ArmsFit:
    """Fits the arms' means with a random intercept for each level of each grouping.

    Args:
        outcome, arm, contrast, covariates, strata, arm_names: as in `mixed_effect`.
        groupings: by name, (n,) labels; the first is what was allocated.
    Raises:
        DesignError: an arm compared with fewer than two levels of the first grouping, or a design that cannot
            be estimated.
    """
    y, codes = finite(outcome, "outcome"), np.asarray(arm, dtype=np.int64)
    same_length(len(y), arm=codes)
    weight = contrast_weights(contrast, codes)
    name, labels = next(iter(groupings.items()))
    for code in arms_compared(weight):
        held = len(np.unique(codes_of(labels, name)[0][codes == code]))
        if held < 2:
            who = name_of(code, arm_names, "arm")
            raise refuse(name, f"{who} has {held}; comparing arms needs at least 2 in each.")
    present = np.flatnonzero(np.bincount(codes, minlength=len(weight)))
    means = (codes[:, None] == present).astype(np.float64)
    extra = adjustments(len(y), covariates, strata)
    fit = fit_mixed(y, np.concatenate((means, extra), axis=1), groupings)
    return ArmsFit(fit, np.concatenate((weight[present], np.zeros(extra.shape[1]))), present)


def adjustments(rows: int, covariates: npt.ArrayLike | None, strata: npt.ArrayLike | None) -> Floats:
    """Centred covariates and stratum indicators, shape (n, p)."""
    parts: list[Floats] = []
    if covariates is not None:
        parts.append(finite_columns(covariates, "covariates"))
    if strata is not None:
        code, labels = codes_of(strata, "strata")
        parts.append((code[:, None] == np.arange(1, len(labels))).astype(np.float64))
    for part in parts:
        same_length(rows, covariates=part)
    return np.concatenate([part - part.mean(axis=0) for part in parts], axis=1) if parts else _none(rows)


def _none(rows: int) -> Floats:
    return np.empty((rows, 0))
