"""Pairs and threesomes of units that are alike: the column within which they are then drawn.

Distances are Mahalanobis's within strata (see `covariates`). Pairs are optimal: the sum of their distances is
the least possible (see `matching`), and who is left over in a stratum of an odd number is chosen so too. For
threesomes and more no method is known that finds the best in reasonable time: they are gathered from the
outermost unit inwards, then improved by exchanges until none helps.
"""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from equipoise.allocation.people.covariates import standard_columns
from equipoise.allocation.people.matching import optimal_pairs
from equipoise.errors import DesignError, Problem

__all__ = ["LEFT_OVER", "alike"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LEFT_OVER = "left over"
MOST_UNITS = 2_000  # in a stratum: their pairs take some seconds, and four times as many a minute or more


def alike(
    units: Sequence[str],
    columns: Mapping[str, Sequence[str]],
    numbers: Collection[str],
    strata: Sequence[str] | None,
    of: int,
    where: str,
) -> list[str]:
    """Put units that are alike together, within strata.

    Args:
        units: identifiers; their order is of no account.
        columns: each unit's value of each covariate, as text.
        numbers: those of the covariates that are numbers.
        strata: each unit's stratum, or None.
        of: how many units belong together.
        where: what to call the place in messages.
    Returns:
        Of each unit the number of its pair, as text, counted by each pair's first identifier; `left over`
        where a stratum's units do not come out even.
    Raises:
        DesignError: covariates in which nothing can be measured, or a stratum too large.
    """
    order = sorted(range(len(units)), key=units.__getitem__)
    sorted_columns = {name: [values[row] for row in order] for name, values in columns.items()}
    labels = [""] * len(units) if strata is None else [strata[row] for row in order]
    stratum = np.unique(labels, return_inverse=True)[1].astype(np.intp)
    standard = standard_columns(sorted_columns, numbers, stratum, where)
    together: list[Ints] = []
    for place in range(int(stratum.max()) + 1):
        members = np.flatnonzero(stratum == place)
        _refuse_many(len(members), labels[int(members[0])], where)
        together += [members[group] for group in _groups(standard[members], of)]
    found = [LEFT_OVER] * len(units)
    for number, group in enumerate(sorted(together, key=min), start=1):
        for place in group.tolist():
            found[order[place]] = str(number)
    return found


def _groups(standard: Floats, of: int) -> list[Ints]:
    """Places that belong together; who is left over is in none."""
    from scipy.spatial.distance import cdist

    if len(standard) < of:
        return []
    distance = np.asarray(cdist(standard, standard), dtype=np.float64)
    if of > 2:
        return list(_exchanged(distance, _gathered(distance, of), of))
    if len(standard) % 2 == 0:
        return list(optimal_pairs(distance))
    nobody = np.pad(distance, (0, 1))  # who is paired with nobody, at no cost, is left over
    return [pair for pair in optimal_pairs(nobody) if pair[1] < len(standard)]


def _gathered(distance: Floats, of: int) -> Ints:
    """Each unit's group: the outermost unit takes its nearest, again and again; -1 who is left over."""
    group = np.full(len(distance), -1, dtype=np.int64)
    outermost = np.argsort(-distance.sum(axis=1), kind="stable")
    for number in range(len(distance) // of):
        unit = next(place for place in outermost if group[place] < 0)
        apart = np.where(group < 0, distance[unit], np.inf)
        apart[unit] = -1.0
        group[np.argsort(apart, kind="stable")[:of]] = number
    return group


def _exchanged(distance: Floats, group: Ints, of: int) -> list[Ints]:
    """Let units change places while that brings groups nearer together."""
    groups = int(group.max()) + 1
    while True:
        gain = _gains(distance, group, groups)
        best = gain.argmax(axis=1)
        promising = np.argsort(-gain.max(axis=1), kind="stable")
        touched: set[int] = set()
        for unit in promising.tolist():
            other = int(best[unit])
            if gain[unit, other] <= 1e-9 or touched & {int(group[unit]), int(group[other])}:
                continue
            touched |= {int(group[unit]), int(group[other])}
            group[unit], group[other] = group[other], group[unit]
        if not touched:
            return [np.flatnonzero(group == number) for number in range(groups)]


def _gains(distance: Floats, group: Ints, groups: int) -> Floats:
    """By how much the sum within groups falls when two units change places; those left over cost nothing."""
    kept = (group >= 0).astype(np.float64)
    member = np.zeros((len(group), groups))
    member[group >= 0, group[group >= 0]] = 1.0
    to_group = distance @ member
    there = np.where(group >= 0, to_group[:, group], 0.0)
    own = np.where(group >= 0, to_group[np.arange(len(group)), group], 0.0)
    after = there + there.T - distance * (kept[:, None] + kept)
    gain = own[:, None] + own - after
    gain[group[:, None] == group] = 0.0
    return np.asarray(gain)


def _refuse_many(units: int, label: str, where: str) -> None:
    if units > MOST_UNITS:
        found = f'{units:,} units in stratum "{label}"' if label else f"{units:,} units"
        message = f"{found}: at most {MOST_UNITS:,} can be matched at a time; name `strata` to match within"
        raise DesignError(Problem("", where, message))
