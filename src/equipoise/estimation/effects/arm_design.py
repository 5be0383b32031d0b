"""Regressions of an outcome on arms in which a contrast of arms is one vector of the coefficients."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from equipoise.errors import DesignError
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
from equipoise.estimation.least_squares.linear import LinearFit

__all__ = ["ArmDesign", "additive_design", "interacted_design"]


@dataclass(frozen=True, eq=False)
class ArmDesign:
    """What least squares is given for a contrast of arms.

    Attributes:
        outcome: (n,) in its own unit.
        matrix: (n, k) the columns.
        vector: (k,) the contrast as weights of the coefficients.
        strata: (n,) labels to absorb, or None where there are none or the columns hold them.
        own_regressions: codes of the arms where each has a regression of its own, else None.
        arm_names: for messages.
    """

    outcome: Floats
    matrix: Floats
    vector: Floats
    strata: npt.ArrayLike | None
    own_regressions: Ints | None = None
    arm_names: Sequence[str] | None = None

    def check(self, fit: LinearFit) -> None:
        """Refuses an arm compared whose own regression is short of people: its mean would be arbitrary.

        A covariate that is a combination of others in *every* arm is merely repeated, and harmless.
        """
        if self.own_regressions is None:
            return
        arms = len(self.own_regressions)
        dropped = np.zeros((len(fit.coefficients) // arms, arms), dtype=bool)
        dropped.ravel()[list(fit.dropped)] = True
        for row in dropped:
            for index in np.flatnonzero(row):
                if self.vector[index] and not row.all():
                    raise _no_regression(int(self.own_regressions[index]), self.arm_names)


def additive_design(
    outcome: npt.ArrayLike,
    arm: npt.ArrayLike,
    contrast: npt.ArrayLike,
    *,
    covariates: npt.ArrayLike | None = None,
    strata: npt.ArrayLike | None = None,
    arm_names: Sequence[str] | None = None,
) -> ArmDesign:
    """A mean for each arm, one slope for each covariate, strata absorbed.

    Args:
        outcome: (n,) in its own unit; NaN is refused, not dropped.
        arm: (n,) codes from 0; allocation as randomised.
        contrast: one weight an arm, adding up to 0.
        covariates: (n, p) measured before allocation.
        strata: (n,) labels; beside them one arm is the reference.
        arm_names: for messages.
    Raises:
        DesignError: an arm compared has nobody, or sizes differ.
    """
    y, codes, weight = _checked(outcome, arm, contrast, arm_names)
    present = _arms_present(codes, len(weight))
    own = present if strata is None else present[1:]
    columns = [(codes[:, None] == own).astype(np.float64)]
    if covariates is not None:
        extra = finite_columns(covariates, "covariates")
        same_length(len(y), covariates=extra)
        columns.append(extra - extra.mean(axis=0))
    matrix = np.concatenate(columns, axis=1)
    vector = np.zeros(matrix.shape[1])
    vector[: len(own)] = weight[own]
    return ArmDesign(y, matrix, vector, strata, arm_names=arm_names)


def interacted_design(
    outcome: npt.ArrayLike,
    arm: npt.ArrayLike,
    contrast: npt.ArrayLike,
    *,
    covariates: npt.ArrayLike | None = None,
    strata: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    centre: npt.ArrayLike | None = None,
    arm_names: Sequence[str] | None = None,
) -> ArmDesign:
    """A regression on centred covariates and stratum indicators for each arm.

    Args:
        outcome, arm, contrast, covariates, arm_names: as in `additive_design`.
        strata: (n,) labels, entered as centred indicators.
        weights: (n,) above 0, by which the means for centring are weighted.
        centre: (p,) means of the covariates at which arms are compared; left out, those of the rows given.
    Raises:
        DesignError: an arm compared has nobody, or nobody in a stratum, or sizes differ.
    """
    y, codes, weight = _checked(outcome, arm, contrast, arm_names)
    present = _arms_present(codes, len(weight))
    mass = None if weights is None else finite(weights, "weights")
    same_length(len(y), weights=mass)
    columns = np.concatenate(
        (
            _centred_covariates(len(y), covariates, centre, mass),
            _centred_strata(codes, arms_compared(weight), strata, mass, arm_names),
        ),
        axis=1,
    )
    arms = (codes[:, None] == present).astype(np.float64)
    matrix = np.concatenate((arms, *(arms * column[:, None] for column in columns.T)), axis=1)
    vector = np.zeros(matrix.shape[1])
    vector[: len(present)] = weight[present]
    return ArmDesign(y, matrix, vector, None, present, arm_names)


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


def _centred_covariates(
    rows: int, covariates: npt.ArrayLike | None, centre: npt.ArrayLike | None, mass: Floats | None
) -> Floats:
    if covariates is None:
        return np.empty((rows, 0))
    columns = finite_columns(covariates, "covariates")
    same_length(rows, covariates=columns)
    at = _means(columns, mass) if centre is None else finite(centre, "centre")
    if len(at) != columns.shape[1]:
        raise refuse("centre", f"has {len(at)} means; expected {columns.shape[1]}, one a covariate.")
    return np.asarray(columns - at)


def _centred_strata(
    codes: Ints,
    compared: list[int],
    strata: npt.ArrayLike | None,
    mass: Floats | None,
    arm_names: Sequence[str] | None,
) -> Floats:
    if strata is None:
        return np.empty((len(codes), 0))
    stratum, labels = codes_of(strata, "strata")
    same_length(len(codes), strata=stratum)
    for code in compared:
        held = np.bincount(stratum[codes == code], minlength=len(labels))
        if not held.all():
            empty = str(labels[int(np.flatnonzero(held == 0)[0])])
            raise refuse("strata", f'stratum "{empty}" has nobody in {name_of(code, arm_names, "arm")}.')
    indicators = (stratum[:, None] == np.arange(1, len(labels))).astype(np.float64)
    return np.asarray(indicators - _means(indicators, mass))


def _means(columns: Floats, mass: Floats | None) -> Floats:
    """Of each column, of which there may be none: where everybody is of one stratum, say."""
    return np.asarray(columns.mean(axis=0) if mass is None else mass @ columns / mass.sum())


def _no_regression(arm: int, arm_names: Sequence[str] | None) -> DesignError:
    return refuse(
        "covariates",
        f"{name_of(arm, arm_names, 'arm')} has too few people, or a covariate that does not vary among them, "
        "for a regression of its own; use fewer covariates or the linear model.",
    )
