"""Whether the arm moves who answers, and whether it moves some kinds of people more than others."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from equipoise.estimation.arrays import (
    Bools,
    Floats,
    Ints,
    arms_compared,
    contrast_weights,
    finite_columns,
    refuse,
    same_length,
)
from equipoise.estimation.effects.adjusted import linear_effect
from equipoise.estimation.effects.proportions import rate_contrast
from equipoise.estimation.inference import Interval, JointTest
from equipoise.estimation.least_squares.covariance import Variance
from equipoise.estimation.least_squares.linear import fit_linear
from equipoise.estimation.missing.attrition import response_differs

__all__ = ["ResponseContrast", "arm_by_characteristic", "response_contrast"]


@dataclass(frozen=True)
class ResponseContrast:
    """A contrast of the shares that answered, in shares and not in percentage points.

    `interval` and `p_value` are by the method that `method` names; None where they cannot be had.
    """

    estimate: float
    interval: Interval | None
    p_value: float | None
    method: str


def response_contrast(
    answered: npt.ArrayLike,
    arm: npt.ArrayLike,
    contrast: npt.ArrayLike,
    *,
    cluster: npt.ArrayLike | None = None,
    level: float = 0.95,
    arm_names: Sequence[str] | None = None,
) -> ResponseContrast:
    """How much response differs between arms.

    Args:
        answered: (n,) true or false, of all randomised.
        arm: (n,) codes from 0.
        contrast: one weight an arm, adding up to 0.
        cluster: (n,) labels, where clusters were allocated.
        level: coverage of the interval.
        arm_names: for messages.
    Returns:
        For people allocated one by one Newcombe's interval (`rate_contrast`) and, where two arms are
        compared, Pearson's chi-squared test of them; for other contrasts and for clusters least squares with
        HC2 or CR2.
    Raises:
        DesignError: an arm compared to which nobody was randomised, or one cluster in an arm.
    """
    held, codes = np.asarray(answered, dtype=bool), np.asarray(arm, dtype=np.int64)
    same_length(len(held), arm=codes)
    weights = contrast_weights(contrast, codes)
    if cluster is not None and held.min() < held.max():
        fit = linear_effect(
            held.astype(np.float64), codes, weights, cluster=cluster, variance="CR2", level=level,
            arm_names=arm_names,
        )  # fmt: skip
        return ResponseContrast(fit.estimate, fit.interval, fit.p_value, "least squares, CR2")
    totals = np.bincount(codes, minlength=len(weights))
    counts = np.bincount(codes[held], minlength=len(weights))
    found = rate_contrast(counts, totals, weights, level)
    p_value, test = _test(held, codes, weights, level)
    return ResponseContrast(found.estimate, found.interval, p_value, f"Newcombe's interval, {test}")


def _test(held: Bools, codes: Ints, weights: Floats, level: float) -> tuple[float | None, str]:
    compared = arms_compared(weights)
    if len(compared) == 2:
        inside = np.isin(codes, compared)
        return response_differs(held[inside], codes[inside]), "chi-squared test"
    if held.all() or not held.any():
        return 1.0, "nothing to test"
    fit = linear_effect(held.astype(np.float64), codes, weights, level=level)
    return fit.p_value, "t test with HC2"


def arm_by_characteristic(
    answered: npt.ArrayLike,
    arm: npt.ArrayLike,
    columns: npt.ArrayLike,
    *,
    cluster: npt.ArrayLike | None = None,
) -> JointTest:
    """Whether a characteristic tells who answers in one arm otherwise than in another.

    Args:
        answered: (n,) true or false, of all randomised.
        arm: (n,) codes from 0.
        columns: (n, p) the characteristic before allocation, without gaps: numbers, or a column a level.
        cluster: (n,) labels, where clusters were allocated.
    Returns:
        The joint test that every product of arm and column has the coefficient 0 in a regression of answering
        on arms, columns and products; HC2, or CR2 with clusters, and the degrees of freedom of Pustejovsky &
        Tipton (2018), J. Bus. Econ. Stat. 36:672.
    Raises:
        DesignError: response does not vary, or no product can be told apart.
    """
    held, codes = np.asarray(answered, dtype=np.float64), np.asarray(arm, dtype=np.int64)
    given = finite_columns(columns, "columns")
    same_length(len(held), arm=codes, columns=given)
    if held.min() == held.max():
        raise refuse("answered", "is the same for everybody, so nothing can tell who answered.")
    centred = given - given.mean(axis=0)
    arms = (codes[:, None] == np.unique(codes)).astype(np.float64)
    products = [centred * arms[:, [at]] for at in range(1, arms.shape[1])]
    design = np.concatenate((arms, centred, *products), axis=1)
    kind: Variance = "HC2" if cluster is None else "CR2"
    fit = fit_linear(held, design, variance=kind, cluster=cluster)
    first = arms.shape[1] + centred.shape[1]
    tested = [at for at in range(first, design.shape[1]) if at not in fit.dropped]
    if not tested:
        raise refuse("columns", "do not vary within the arms, so no difference between arms can be tested.")
    return fit.joint_test(np.eye(design.shape[1])[tested])
