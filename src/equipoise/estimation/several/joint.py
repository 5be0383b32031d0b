"""One test that arms differ in none of several outcomes."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from equipoise.estimation.arrays import (
    Floats,
    Ints,
    Labels,
    arms_compared,
    contrast_weights,
    finite_columns,
    name_of,
    refuse,
    same_length,
)
from equipoise.estimation.inference import JointTest
from equipoise.estimation.least_squares.linear import fit_linear

__all__ = ["joint_test_of_outcomes"]


def joint_test_of_outcomes(
    outcomes: npt.ArrayLike,
    arm: npt.ArrayLike,
    contrasts: npt.ArrayLike,
    *,
    covariates: npt.ArrayLike | None = None,
    strata: npt.ArrayLike | None = None,
    cluster: npt.ArrayLike | None = None,
    outcome_names: Sequence[str] | None = None,
) -> JointTest:
    """Tests that every contrast of arms is 0 in every outcome.

    Args:
        outcomes: (n, k), each in its own unit; NaN where a person did not answer that one.
        arm: (n,) codes from 0; allocation as randomised.
        contrasts: (arms,) or (c, arms) weights, each row adding up to 0, rows not repeating each other.
        covariates: (n, p) measured before allocation; every outcome has its own coefficients.
        strata: (n,) labels; every outcome has its own intercepts.
        cluster: (n,) labels where clusters were randomised; people otherwise.
        outcome_names: for messages.
    Returns:
        The test of c k contrasts. Outcomes are stacked, a row for each answer, with errors by person (or
        cluster) CR2, so that how outcomes go together needs no assumption.
    Raises:
        DesignError: an outcome that does not vary, or an arm in which nobody has an outcome.

    The approximate Hotelling test of Pustejovsky & Tipton (2018), J. Bus. Econ. Stat. 36:672, section 3.2.
    """
    y, codes = _answers(outcomes, outcome_names), np.asarray(arm, dtype=np.int64)
    same_length(len(y), arm=codes)
    rows = np.atleast_2d(np.asarray(contrasts, dtype=np.float64))
    rows = np.array([contrast_weights(row, codes, "contrasts") for row in rows])
    person, which = np.nonzero(~np.isnan(y))
    _everywhere(codes[person], which, rows, outcome_names)
    arms = np.unique(codes[person])[1:]  # the first arm is the one that the outcomes' own intercepts hold
    columns = _columns(codes, arms, covariates)
    design = np.zeros((len(person), y.shape[1], columns.shape[1]))
    design[np.arange(len(person)), which] = columns[person]
    group = np.arange(len(y)) if cluster is None else np.asarray(cluster)
    fit = fit_linear(
        y[person, which],
        design.reshape(len(person), -1),
        variance="CR2",
        cluster=group[person],
        strata=which if strata is None else _by_outcome(np.asarray(strata)[person], which),
    )
    return fit.joint_test(_vectors(rows[:, arms], y.shape[1], columns.shape[1]))


def _answers(outcomes: npt.ArrayLike, names: Sequence[str] | None) -> Floats:
    """Outcomes in standard deviations, so that no unit outweighs another in rounding."""
    y = np.asarray(outcomes, dtype=np.float64)
    if y.ndim != 2 or np.isinf(y).any():
        raise refuse("outcomes", "expected people by outcomes, each value a number or missing.")
    for number, column in enumerate(y.T):
        known = column[~np.isnan(column)]
        if len(known) < 2 or np.ptp(known) == 0:
            raise refuse("outcomes", f"{name_of(number, names, 'outcome')} does not vary; leave it out.")
    return np.asarray((y - np.nanmean(y, axis=0)) / np.nanstd(y, axis=0))


def _everywhere(arm: Ints, which: Ints, rows: Floats, names: Sequence[str] | None) -> None:
    """Every arm compared has somebody with every outcome."""
    for code in arms_compared(np.abs(rows).sum(axis=0)):
        held = np.bincount(which[arm == code], minlength=int(which.max()) + 1)
        if not held.all():
            lacking = name_of(int(np.flatnonzero(held == 0)[0]), names, "outcome")
            raise refuse("arm", f"nobody in arm {code} has {lacking}; leave that outcome or arm out.")


def _columns(codes: Ints, arms: Ints, covariates: npt.ArrayLike | None) -> Floats:
    own: Floats = (codes[:, None] == arms).astype(np.float64)
    if covariates is None:
        return own
    extra = finite_columns(covariates, "covariates")
    same_length(len(codes), covariates=extra)
    return np.concatenate((own, extra - extra.mean(axis=0)), axis=1)


def _by_outcome(strata: Labels, which: Ints) -> Labels:
    """A label for each stratum of each outcome."""
    codes = np.unique(strata, return_inverse=True)[1].ravel()
    return np.asarray(codes * (int(which.max()) + 1) + which)


def _vectors(rows: Floats, outcomes: int, width: int) -> Floats:
    vectors = np.zeros((outcomes, len(rows), outcomes, width))
    for number in range(outcomes):
        vectors[number, :, number, : rows.shape[1]] = rows
    return np.asarray(vectors.reshape(outcomes * len(rows), outcomes * width))
