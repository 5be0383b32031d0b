"""Covariates of the units of a draw as numbers, and how far apart units are in them.

Numbers stand as they are; a category has a column for each of its levels but the first in order. Distances
are Mahalanobis's, on the covariance within strata: a draw within strata balances the strata's means anyway.
"""

from collections.abc import Collection, Mapping, Sequence
from math import isfinite

import numpy as np
import numpy.typing as npt

from equipoise.errors import DesignError, Problem

__all__ = ["standard_columns"]

Floats = npt.NDArray[np.float64]

_NOTHING_LEFT = 1e-8
"""The share of a column's variance below which the columns before it tell it."""


def standard_columns(
    columns: Mapping[str, Sequence[str]], numbers: Collection[str], stratum: npt.NDArray[np.intp], where: str
) -> Floats:
    """The covariates turned and scaled so that plain distances are Mahalanobis distances.

    Args:
        columns: each unit's value of each covariate, as text.
        numbers: those of the covariates that are numbers; the others are categories.
        stratum: shape (n,), each unit's stratum, as codes from 0.
        where: what to call the place in messages.
    Returns:
        Shape (n, columns): mean 0 in each stratum, and over all of them uncorrelated, with variance 1 on
        n - strata degrees of freedom.
    Raises:
        DesignError: a value that is no number, a covariate that is the same for all units of a stratum, one
            that others tell, or more columns than the units can tell apart; all are named.

    Mahalanobis (1936), Proc. Nat. Inst. Sci. India 2:49; Morgan & Rubin (2012), Ann. Stat. 40:1263, eq. 1.
    """
    names, wide = _wide(columns, numbers, where)
    strata = int(stratum.max()) + 1
    freedom = len(wide) - strata
    if freedom <= len(names):
        found = f"{len(names)} columns ({', '.join(names)}) for {len(wide)} units in {_strata(strata)}"
        remedy = f"with so many columns {strata + len(names) + 1} units are needed; name fewer covariates"
        raise DesignError(Problem("", where, f"{found} cannot be told apart; {remedy}"))
    centred = wide - _means(wide, stratum, strata)[stratum]
    spread = np.sqrt((centred**2).sum(axis=0))
    _refuse_constant(names, spread, np.abs(wide).max(axis=0), strata, where)
    turned, triangle = np.linalg.qr(centred / spread)
    _refuse_told(names, np.diag(triangle) ** 2, where)
    return np.asarray(turned * np.sqrt(freedom))


def _wide(
    columns: Mapping[str, Sequence[str]], numbers: Collection[str], where: str
) -> tuple[list[str], Floats]:
    """A name and a column of numbers for each number and each level but the first."""
    names: list[str] = []
    wide: list[Floats] = []
    for name, values in columns.items():
        if name in numbers:
            names.append(name)
            wide.append(_numbers(name, values, where))
            continue
        for level in sorted(set(values))[1:]:
            names.append(f'{name} "{level}"')
            wide.append(np.array([value == level for value in values], dtype=np.float64))
        if len(set(values)) == 1:
            names.append(name)
            wide.append(np.zeros(len(values)))
    return names, np.stack(wide, axis=1)


def _numbers(name: str, values: Sequence[str], where: str) -> Floats:
    found = []
    for row, value in enumerate(values, start=1):
        try:
            found.append(float(value))
        except ValueError:
            found.append(float("nan"))
        if not isfinite(found[-1]):
            message = f'row {row} of those drawn: {name} is "{value}", expected a number'
            raise DesignError(Problem("", where, message))
    return np.array(found)


def _means(wide: Floats, stratum: npt.NDArray[np.intp], strata: int) -> Floats:
    sums = np.zeros((strata, wide.shape[1]))
    np.add.at(sums, stratum, wide)
    return np.asarray(sums / np.bincount(stratum, minlength=strata)[:, None])


def _refuse_constant(names: Sequence[str], spread: Floats, largest: Floats, strata: int, where: str) -> None:
    still = [name for name, sd, top in zip(names, spread, largest, strict=True) if sd <= 1e-12 * max(top, 1)]
    if still:
        same = "is the same for all units" if strata == 1 else "is the same for all units of each stratum"
        message = f"{', '.join(still)} {same}, so every draw balances it; take it out of the covariates"
        raise DesignError(Problem("", where, message))


def _refuse_told(names: Sequence[str], left: Floats, where: str) -> None:
    told = [name for name, share in zip(names, left, strict=True) if share < _NOTHING_LEFT]
    if told:
        message = f"{', '.join(told)} can be worked out from the other covariates; take it out of them"
        raise DesignError(Problem("", where, message))


def _strata(count: int) -> str:
    return "one stratum" if count == 1 else f"{count} strata"
