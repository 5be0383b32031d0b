"""How alike the arms are in what was measured before allocation: described, never tested.

A test of balance would ask whether chance did the draw, which is known. What matters is how far apart the
arms are, in units that compare across covariates: the standardised difference.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan, sqrt

import numpy as np
import numpy.typing as npt

from equipoise.errors import DesignError, Problem

__all__ = ["BalanceRow", "balance_table"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class BalanceRow:
    """One covariate, or one level of it, in one arm.

    Attributes:
        covariate: its name.
        level: of a category; None for a number.
        arm: the arm described.
        n: people with a value.
        missing: people without.
        mean: of a number; NaN for a category or an empty arm.
        sd: with n - 1; NaN likewise.
        share: of those with a value who are at this level; NaN for a number.
        difference: standardised difference from the reference arm; NaN in that arm, and where nothing varies.
    """

    covariate: str
    level: str | None
    arm: str
    n: int
    missing: int
    mean: float
    sd: float
    share: float
    difference: float


def balance_table(
    arms: Sequence[str],
    covariates: Mapping[str, Floats | Sequence[str | None]],
    *,
    reference: str,
    weights: Floats | None = None,
) -> tuple[BalanceRow, ...]:
    """Describe covariates by arm.

    Args:
        arms: each person's arm.
        covariates: numbers as floating arrays (NaN is missing), categories as texts (None is missing).
        reference: the arm that others are compared with.
        weights: one over each person's chance of the arm received, where ratios differ between strata;
            without them arms would differ by design. Means, SDs and shares are then weighted; n and missing
            are counts.
    Returns:
        Rows by covariate, level, then arm, the reference first.
    Raises:
        DesignError: a length that differs, or a reference arm in which nobody is.

    Differences: (mean - mean of reference) / sqrt((variance + variance of reference) / 2), a level counted
        as 0 or 1 with
    variance p (1 - p). Austin (2009), Statistics in Medicine 28:3083, section 3.
    """
    names = [reference, *sorted(set(arms) - {reference})]
    _check(arms, covariates, reference, weights)
    where = {arm: np.array([found == arm for found in arms]) for arm in names}
    weight = np.ones(len(arms)) if weights is None else weights
    rows: list[BalanceRow] = []
    for name, values in covariates.items():
        if isinstance(values, np.ndarray) and values.dtype.kind == "f":
            rows += _number_rows(name, values, where, weight)
        else:
            rows += _category_rows(name, list(values), where, weight)
    return tuple(rows)


def _number_rows(
    name: str, values: Floats, where: Mapping[str, npt.NDArray[np.bool_]], weight: Floats
) -> list[BalanceRow]:
    rows: list[BalanceRow] = []
    known = ~np.isnan(values)
    reference = (nan, nan)
    for place, (arm, members) in enumerate(where.items()):
        mean, variance = _moments(values[members & known], weight[members & known])
        reference = (mean, variance) if place == 0 else reference
        counts = int((members & known).sum()), int((members & ~known).sum())
        apart = nan if place == 0 else _standardised(mean - reference[0], variance, reference[1])
        rows.append(BalanceRow(name, None, arm, *counts, mean, sqrt(variance), nan, apart))
    return rows


def _category_rows(
    name: str, values: Sequence[str | None], where: Mapping[str, npt.NDArray[np.bool_]], weight: Floats
) -> list[BalanceRow]:
    rows: list[BalanceRow] = []
    known = np.array([value is not None for value in values])
    for level in sorted({value for value in values if value is not None}):
        at_level = np.array([value == level for value in values])
        reference = nan
        for place, (arm, members) in enumerate(where.items()):
            share = _mean(at_level[members & known].astype(float), weight[members & known])
            reference = share if place == 0 else reference
            counts = int((members & known).sum()), int((members & ~known).sum())
            apart = share - reference
            apart = (
                nan if place == 0 else _standardised(apart, share * (1 - share), reference * (1 - reference))
            )
            rows.append(BalanceRow(name, level, arm, *counts, nan, nan, share, apart))
    return rows


def _mean(values: Floats, weight: Floats) -> float:
    return float(np.average(values, weights=weight)) if len(values) else nan


def _moments(values: Floats, weight: Floats) -> tuple[float, float]:
    """Mean and variance; the variance with n - 1 when all weights are alike."""
    if len(values) < 2:
        return _mean(values, weight), nan
    mean = _mean(values, weight)
    spread = float(np.average((values - mean) ** 2, weights=weight))
    return mean, spread * len(values) / (len(values) - 1)


def _standardised(apart: float, variance: float, reference_variance: float) -> float:
    pooled = (variance + reference_variance) / 2
    if pooled > 0:
        return apart / sqrt(pooled)
    return 0.0 if apart == 0 else nan


def _check(
    arms: Sequence[str],
    covariates: Mapping[str, Floats | Sequence[str | None]],
    reference: str,
    weights: Floats | None,
) -> None:
    columns = {**covariates, **({} if weights is None else {"weights": weights})}
    problems = [
        Problem("", name, f"{len(values)} values for {len(arms)} people; each needs one, even if missing.")
        for name, values in columns.items()
        if len(values) != len(arms)
    ]
    if reference not in arms:
        found = ", ".join(sorted(set(arms))) or "none"
        problems.append(Problem("", "reference", f'nobody is in arm "{reference}". Arms: {found}.'))
    if problems:
        raise DesignError(problems)
