"""Several outcomes in one number: their standardised average, or weighted by how little they repeat."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from equipoise.estimation.arrays import Bools, Floats, name_of, refuse, same_length

__all__ = ["Index", "inverse_covariance_index", "standardised_average"]

AVAILABLE = "components answered; weights of those missing shared among them in proportion"
"""The rule for missing components, as an index names it."""


@dataclass(frozen=True, eq=False)
class Index:
    """One number a person: `values` (n,) in SDs of the reference people, NaN where no component is known.

    `weights` (k,) add up to 1; `partial` people have some components and not all; `missing` names the rule.
    """

    values: Floats
    weights: Floats
    partial: int
    missing: str


def standardised_average(
    outcomes: npt.ArrayLike,
    reference: npt.ArrayLike,
    good: Sequence[str],
    *,
    outcome_names: Sequence[str] | None = None,
) -> Index:
    """The mean of the outcomes, each in standard deviations of the reference people.

    Args:
        outcomes: (n, k), each in its own unit; NaN where missing.
        reference: (n,) who standardises: the control arm.
        good: (k,) `high` or `low`; those whose low end is good are turned.
        outcome_names: for messages.
    Returns:
        The index; higher is better.
    Raises:
        DesignError: fewer than two reference people have an outcome, or it does not vary among them.

    Kling, Liebman & Katz (2007), Econometrica 75:83, section 3.1.
    """
    z = _standardised(outcomes, reference, good, outcome_names)
    return _weighted(z, np.full(z.shape[1], 1 / z.shape[1]))


def inverse_covariance_index(
    outcomes: npt.ArrayLike,
    reference: npt.ArrayLike,
    good: Sequence[str],
    *,
    outcome_names: Sequence[str] | None = None,
) -> Index:
    """The outcomes weighted by the row sums of the inverse of their covariance.

    Args:
        outcomes: (n, k), each in its own unit; NaN where missing.
        reference: (n,) who standardises: the control arm.
        good: (k,) `high` or `low`.
        outcome_names: for messages.
    Returns:
        The index; higher is better. The covariance, in reference SDs, is that of everybody with all
        components. A weight can be negative where an outcome says little that others do not.
    Raises:
        DesignError: an outcome does not vary, or they determine each other.

    Anderson (2008), JASA 103:1481, section 3.2.1.
    """
    z = _standardised(outcomes, reference, good, outcome_names)
    whole = z[~np.isnan(z).any(axis=1)]
    if len(whole) <= z.shape[1]:
        raise refuse(
            "outcomes", f"are complete for {len(whole)} people; {z.shape[1] + 1} are needed at least."
        )
    covariance = np.atleast_2d(np.cov(whole, rowvar=False))
    if np.linalg.matrix_rank(covariance, hermitian=True) < z.shape[1]:
        raise refuse("outcomes", "determine each other, so they cannot be weighted; leave one out.")
    weights = np.linalg.solve(covariance, np.ones(z.shape[1]))
    return _weighted(z, weights / weights.sum())


def _standardised(
    outcomes: npt.ArrayLike, reference: npt.ArrayLike, good: Sequence[str], names: Sequence[str] | None
) -> Floats:
    y, chosen = np.asarray(outcomes, dtype=np.float64), np.asarray(reference, dtype=np.bool_)
    if y.ndim != 2 or np.isinf(y).any():
        raise refuse("outcomes", "expected people by outcomes, each value a number or missing.")
    same_length(len(y), reference=chosen)
    if len(good) != y.shape[1] or not set(good) <= {"high", "low"}:
        raise refuse("good", f"expected high or low for each of {y.shape[1]} outcomes.")
    return np.stack(
        [
            (1 if good[number] == "high" else -1) * _in_sds(y[:, number], chosen, number, names)
            for number in range(y.shape[1])
        ],
        axis=1,
    )


def _in_sds(column: Floats, chosen: Bools, number: int, names: Sequence[str] | None) -> Floats:
    known = column[chosen & ~np.isnan(column)]
    if len(known) < 2 or np.ptp(known) == 0:
        which = name_of(number, names, "outcome")
        raise refuse(
            "reference",
            f"{which} has {len(known)} values that do not vary among those who standardise it; leave it out.",
        )
    return np.asarray((column - known.mean()) / known.std(ddof=1))


def _weighted(z: Floats, weights: Floats) -> Index:
    known = ~np.isnan(z)
    mass = known @ weights
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.where(known.any(axis=1), (np.where(known, z, 0.0) @ weights) / mass, np.nan)
    partial = int((known.any(axis=1) & ~known.all(axis=1)).sum())
    return Index(values, weights, partial, AVAILABLE)
