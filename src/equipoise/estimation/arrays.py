"""Arrays as they come in: their types, and the checks that every estimator makes before it computes."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from equipoise.errors import DesignError, Problem

__all__ = [
    "Bools",
    "Dof",
    "Floats",
    "Ints",
    "Labels",
    "arms_compared",
    "codes_of",
    "contrast_weights",
    "finite",
    "finite_columns",
    "name_of",
    "refuse",
    "same_length",
]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Labels = npt.NDArray[Any]
"""One label a row, numbers or text: only which rows share one matters."""

_DENSE = 4
"""Whole numbers that span at most so many times the rows are coded by counting."""

Dof = Literal["satterthwaite", "residual"]


def refuse(where: str, message: str) -> DesignError:
    """The error for a design that does not fit; `where` names the argument or the part of the design."""
    return DesignError(Problem("", where, message))


def finite(values: npt.ArrayLike, where: str) -> Floats:
    """One finite number a row, as float64; missing values are refused, because dropping is a decision.

    Raises:
        DesignError: not one column, empty, or not finite; the first offending row is named, counted from 0.
    """
    column = np.asarray(values, dtype=np.float64)
    if column.ndim != 1:
        raise refuse(where, f"has {column.ndim} dimensions; expected one column, one value a row.")
    return _checked(column, where)


def finite_columns(values: npt.ArrayLike, where: str) -> Floats:
    """Finite numbers, rows by columns, as float64; a single column may come flat."""
    columns = np.asarray(values, dtype=np.float64)
    if columns.ndim == 1:
        columns = columns[:, None]
    if columns.ndim != 2:
        raise refuse(where, f"has {columns.ndim} dimensions; expected rows by columns.")
    return _checked(columns, where)


def _checked(values: Floats, where: str) -> Floats:
    if not values.shape[0]:
        raise refuse(where, "holds no rows; expected at least one person.")
    bad = ~np.isfinite(values)
    if bad.any():
        rows = np.unique(np.nonzero(bad)[0])
        raise refuse(
            where,
            f"is missing or infinite in {len(rows)} of {len(values)} rows (first: row {rows[0]}); leave "
            "out or fill in such rows before the analysis, so that the choice is visible.",
        )
    return values


def same_length(rows: int, **columns: npt.NDArray[Any] | None) -> None:
    """Refuses a column whose number of rows is not `rows`; None passes."""
    for where, column in columns.items():
        if column is not None and len(column) != rows:
            raise refuse(where, f"has {len(column)} rows, the outcome has {rows}; expected one row a person.")


def codes_of(labels: npt.ArrayLike, where: str) -> tuple[Ints, Labels]:
    """Codes 0, 1, ... in the sorted order of the labels, and the labels themselves.

    Raises:
        DesignError: a label is missing (None or NaN).
    """
    column = np.asarray(labels)
    if column.dtype.kind in "iu" and column.size and np.ptp(column) <= _DENSE * column.size:
        return _counted(column)
    missing = (
        np.array([entry is None or entry != entry for entry in column]) if column.dtype.kind in "Of" else None
    )
    if missing is not None and missing.any():
        raise refuse(where, f"is missing in {int(missing.sum())} of {len(column)} rows; every row needs one.")
    names, codes = np.unique(column, return_inverse=True)
    return codes.astype(np.int64).ravel(), names


def _counted(column: npt.NDArray[np.integer[Any]]) -> tuple[Ints, Labels]:
    """Codes of whole numbers close together, by counting them: sorting a million takes ten times as long."""
    first = column.min()
    places = (column - first).astype(np.int64).ravel()
    found = np.flatnonzero(np.bincount(places))
    place = np.zeros(int(found[-1]) + 1, dtype=np.int64)
    place[found] = np.arange(len(found))
    return place[places], found.astype(column.dtype) + first


def contrast_weights(contrast: npt.ArrayLike, arm: Ints, where: str = "contrast") -> Floats:
    """A contrast of arms: one weight an arm, adding up to zero, not all zero.

    Raises:
        DesignError: an arm without a weight, weights that do not add up to zero, or nothing compared.
    """
    weights = finite(contrast, where)
    if arm.size and (arm.min() < 0 or arm.max() >= len(weights)):
        raise refuse(
            "arm",
            f"has codes {arm.min()} to {arm.max()}; the contrast has weights for 0 to {len(weights) - 1}.",
        )
    if not weights.any():
        raise refuse(where, "gives every arm the weight 0, so it compares nothing.")
    if abs(weights.sum()) > 1e-9 * np.abs(weights).sum():
        raise refuse(
            where, f"weights add up to {weights.sum():g}; the weights of a comparison of arms add up to 0."
        )
    return weights


def arms_compared(contrast: Floats) -> list[int]:
    """The codes of the arms to which a contrast gives weight."""
    return [int(arm) for arm in np.flatnonzero(contrast)]


def name_of(code: int, names: Sequence[str] | None, noun: str) -> str:
    """How a message names an arm or a stratum: by its name where one was given, else by its code."""
    return f'{noun} "{names[code]}"' if names is not None and code < len(names) else f"{noun} {code}"
