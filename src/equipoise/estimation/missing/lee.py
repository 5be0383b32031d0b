"""Lee's bounds: the effect on people who would answer under either arm.

The arm with the higher response holds answers that the other arm would not have brought. If the arm moves
response one way only, as many of its answers as that are trimmed, first from the top and then from the
bottom, and what is left is compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from equipoise.estimation.arrays import (
    Bools,
    Floats,
    Ints,
    arms_compared,
    codes_of,
    contrast_weights,
    finite,
    name_of,
    refuse,
    same_length,
)
from equipoise.estimation.inference import Interval
from equipoise.estimation.missing.partly_identified import effect_interval
from equipoise.estimation.missing.trimming import trimmed_mean

__all__ = ["LeeBounds", "lee_bounds"]


@dataclass(frozen=True)
class LeeBounds:
    """The least and greatest effect on people who would answer under either arm.

    Attributes:
        low: the least effect, in the outcome's unit.
        high: the greatest.
        low_error: standard error of `low`.
        high_error: standard error of `high`.
        interval: for the effect (Imbens & Manski 2004); None where nothing varies.
        trimmed_arm: the code of the arm whose answers are trimmed; None where response is the same.
        trimmed_share: the share of that arm's answers that is trimmed, over all cells.
        response_difference: the share that answered in the arm of positive weight, less that of the other.
        cells: how many cells were trimmed apart.
    """

    low: float
    high: float
    low_error: float
    high_error: float
    interval: Interval | None
    trimmed_arm: int | None
    trimmed_share: float
    response_difference: float
    cells: int


@dataclass(frozen=True)
class _Rows:
    """People of the two arms compared.

    `first` says who is in the arm of positive weight, `known` whose outcome is known of those held.
    """

    y: Floats
    held: Bools
    known: Bools
    first: Bools
    cell: Ints
    cluster: Ints

    def of(self, rows: Bools) -> "_Rows":
        held, known = self.held[rows], self.known[rows]
        return _Rows(self.y[rows], held, known, self.first[rows], self.cell[rows], self.cluster[rows])

    def response(self, *, first: bool) -> float:
        return float(self.held[self.first == first].mean())


@dataclass(frozen=True)
class _Ends:
    """Both bounds of one cell.

    `values` has shape (2,); `influence` (2, n) is what each person moves them by, times the people of the
    person's arm; `mass` is the number of people who would answer under either arm.
    """

    values: Floats
    influence: Floats
    mass: float


def lee_bounds(
    outcome: npt.ArrayLike,
    answered: npt.ArrayLike,
    arm: npt.ArrayLike,
    contrast: npt.ArrayLike,
    *,
    known: npt.ArrayLike | None = None,
    cells: npt.ArrayLike | None = None,
    cluster: npt.ArrayLike | None = None,
    level: float = 0.95,
    arm_names: Sequence[str] | None = None,
) -> LeeBounds:
    """Bounds on a difference of two arms for people who would answer under either.

    They assume that the arms differ by lot, and that the arm moves everybody's answering in one direction.
    Where the share to trim is part of a person, that person counts by the part that is left. So ties, and
    outcomes of yes or no, need no rule of their own.

    Args:
        outcome: (n,) of all randomised; not looked at where `answered` is false.
        answered: (n,) true or false.
        arm: (n,) codes from 0.
        contrast: one weight an arm; two of them not 0.
        known: (n,) whose outcome is known, among those who `answered`; left out, everybody's. The others
            count in the shares that are compared, and are taken to be like those of their arm and cell whose
            outcome is known. So the bounds serve whatever else keeps people from being compared, such as
            death (Zhang & Rubin 2003, J. Educ. Behav. Stat. 28:353), with some answers missing besides.
        cells: (n,) labels known before allocation, such as strata. Each cell is trimmed by its own response,
            and cells weigh by their people who would answer under either arm: in large samples never wider.
        cluster: (n,) labels, where clusters were allocated.
        level: coverage of the interval.
        arm_names: for messages.
    Returns:
        The bounds with the errors of Lee (2009), proposition 3, written as a mean of influences: of the
        trimmed mean, of the two shares that answered, and of the cells' weights, given the people randomised
        in each cell. With clusters the influences are added up within them. With everybody answering they
        are Neyman's difference and standard error.
    Raises:
        DesignError: more than two arms, an arm or a cell in which nobody answered, or fewer than two people
            or clusters; cells in which response differs in opposite directions.

    Lee (2009), Review of Economic Studies 76:1071, propositions 1 and 3, section 4 for cells.
    """
    rows, weight, codes = _rows(outcome, answered, known, arm, contrast, cells, cluster, arm_names)
    found = [rows.of(rows.cell == cell) for cell in np.unique(rows.cell)]
    for one in found:
        _check_cell(one, codes, arm_names)
    gaps = [one.response(first=True) - one.response(first=False) for one in found]
    if min(gaps) < 0 < max(gaps):
        raise refuse(
            "cells",
            "response is higher in an arm in some strata and lower in others, so no single direction can be "
            "assumed; leave the strata out.",
        )
    first = max(gaps) > 0 or min(gaps) == 0
    ends = [_ends_of_cell(one, first=first) for one in found]
    low, high = _mean_of_cells(ends) * weight
    low_error, high_error = (weight * _error(end, found, ends, first=first) for end in (0, 1))
    masses = sum(one.mass for one in ends)
    trimmable = sum(len(one.held) * one.response(first=first) for one in found)
    return LeeBounds(
        float(low),
        float(high),
        low_error,
        high_error,
        effect_interval((float(low), float(high)), (low_error, high_error), level),
        codes[0 if first else 1] if any(gaps) else None,
        float(1 - masses / trimmable),
        rows.response(first=True) - rows.response(first=False),
        len(found),
    )


def _rows(
    outcome: npt.ArrayLike,
    answered: npt.ArrayLike,
    known: npt.ArrayLike | None,
    arm: npt.ArrayLike,
    contrast: npt.ArrayLike,
    cells: npt.ArrayLike | None,
    cluster: npt.ArrayLike | None,
    names: Sequence[str] | None,
) -> tuple[_Rows, float, tuple[int, int]]:
    """The people of the two arms, the contrast's scale, and the arms' codes: positive weight first."""
    held, codes = np.asarray(answered, dtype=bool), np.asarray(arm, dtype=np.int64)
    values = np.asarray(outcome, dtype=np.float64)
    seen = held if known is None else held & np.asarray(known, dtype=bool)
    cell = np.zeros(len(held), dtype=np.int64) if cells is None else codes_of(cells, "cells")[0]
    block = np.arange(len(held)) if cluster is None else codes_of(cluster, "cluster")[0]
    same_length(len(held), arm=codes, outcome=values, known=seen, cells=cell, cluster=block)
    weights = contrast_weights(contrast, codes)
    compared = arms_compared(weights)
    if len(compared) != 2:
        raise refuse("contrast", f"compares {len(compared)} arms; Lee's bounds compare two.")
    positive, other = sorted(compared, key=lambda code: -weights[code])
    inside = np.isin(codes, compared)
    rows = _Rows(np.where(seen, values, 0.0), held, seen, codes == positive, cell, block).of(inside)
    finite(rows.y, "outcome")
    for code in (positive, other):
        if not (seen & (codes == code)).any():
            raise refuse("answered", f"nobody in {name_of(code, names, 'arm')} answered.")
    return rows, float(weights[positive]), (positive, other)


def _check_cell(one: _Rows, codes: tuple[int, int], names: Sequence[str] | None) -> None:
    for first, code in ((True, codes[0]), (False, codes[1])):
        members = one.first == first
        if not (members & one.known).any():
            raise refuse("cells", f"a stratum has nobody who answered in {name_of(code, names, 'arm')}.")
        if len(np.unique(one.cluster[members])) < 2:
            raise refuse(
                "cells", f"a stratum has fewer than two units randomised to {name_of(code, names, 'arm')}."
            )


def _ends_of_cell(one: _Rows, *, first: bool) -> _Ends:
    """Both bounds of a cell; `first` says which arm is trimmed, the one that answered more."""
    trimmed, other = one.first == first, one.first != first
    more, less = one.held[trimmed].mean(), one.held[other].mean()
    values, rest = one.y[trimmed & one.known], one.y[other & one.known]
    # of the trimmed arm's answers: as many as the other arm's response, of those that are known
    kept = float(trimmed.sum() * less) * (len(values) / (trimmed & one.held).sum())
    # where the trimmed arm is subtracted, its highest answers make the difference least
    tails = (trimmed_mean(values, kept, lowest=first), trimmed_mean(values, kept, lowest=not first))
    influence = np.zeros((2, len(one.y)))
    for end, tail in enumerate(tails):
        influence[end, trimmed & one.known] = tail.influence / one.known[trimmed].mean()
        influence[end, trimmed] -= tail.slope / more * (one.held[trimmed] - more)
        influence[end, other & one.known] = (rest.mean() - rest) / one.known[other].mean()
        influence[end, other] += tail.slope / less * (one.held[other] - less)
    sign = 1.0 if first else -1.0
    ends = np.array([sign * (tail.mean - rest.mean()) for tail in tails])
    return _Ends(ends, sign * influence, len(one.y) * less)


def _mean_of_cells(ends: list[_Ends]) -> Floats:
    masses = np.array([one.mass for one in ends])
    return np.asarray(np.stack([one.values for one in ends], axis=1) @ masses / masses.sum())


def _error(end: int, found: list[_Rows], ends: list[_Ends], *, first: bool) -> float:
    """Standard error of one bound: influences added up by cluster, arm by arm and cell by cell."""
    mean, total = _mean_of_cells(ends)[end], sum(one.mass for one in ends)
    variance = 0.0
    for rows, one in zip(found, ends, strict=True):
        # the cell weighs by its people times the lower response, which is an estimate too
        pull = len(rows.y) * (one.values[end] - mean) / total
        lower = np.where(rows.first != first, rows.held - rows.response(first=not first), 0.0)
        influence = one.influence[end] * one.mass / total + pull * lower
        variance += sum(_variance(influence, rows, rows.first == side) for side in (True, False))
    return float(np.sqrt(variance))


def _variance(influence: Floats, rows: _Rows, members: Bools) -> float:
    _, block = np.unique(rows.cluster[members], return_inverse=True)
    sums = np.bincount(block, influence[members])
    units = len(sums)
    return float(units / (units - 1) * (sums**2).sum() / members.sum() ** 2)
