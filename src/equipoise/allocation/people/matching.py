"""Pairs whose distances add up to the least that is possible: optimal matching among all, without two sides.

The matching is that of Greevy, Lu, Silber and Rosenbaum (2004), Biostatistics 5:263. It is found by linear
programming: x(i, j) in [0, 1] says whether i and j are a pair, each unit is in one, and a set of an odd
number of units holds at most (its number - 1) / 2 pairs (Edmonds 1965, J. Res. NBS 69B:125). Near pairs
enter first and others when their reduced cost asks for them, so that no pair is left out that could help;
sets enter when a solution breaks their rule. Should a fraction remain, branching settles it over every pair
whose reduced cost is within what is still open, which again leaves out none that could help.

Units at the same place are paired first: by the triangle inequality no better sum is lost. Other ties are
broken by adding to each distance less than 10**-7 of the largest one, the same for the same places.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from equipoise.errors import DesignError

__all__ = ["optimal_pairs"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_NEAREST = 8  # neighbours of each unit among the first pairs looked at
_NOTHING = 1e-9  # relative to the largest distance, or of a share
_TIE = 1e-7


@dataclass(frozen=True, eq=False)
class _Solution:
    """Shares of the pairs looked at, what they cost, and what each other pair would cost beyond its use."""

    shares: Floats
    cost: float
    reduced: Floats


def optimal_pairs(distance: Floats) -> Ints:
    """Pair units so that the sum of the pairs' distances is as small as it can be.

    Args:
        distance: shape (n, n), symmetric, none below 0; n even.
    Returns:
        Shape (n / 2, 2): pairs of places, the smaller first, in the order of the smaller.
    """
    same = _at_one_place(distance)
    left = np.setdiff1d(np.arange(len(distance)), same.ravel())
    pairs = [same, left[_matched(distance[np.ix_(left, left)])]] if len(left) else [same]
    found = np.sort(np.concatenate(pairs), axis=1)
    return np.asarray(found[np.argsort(found[:, 0])])


def _at_one_place(distance: Floats) -> Ints:
    """Pairs of units that have the same distances to all."""
    first: dict[bytes, int] = {}
    pairs = []
    for unit, row in enumerate(distance):
        other = first.pop(row.tobytes(), None)
        if other is not None and distance[other, unit] == 0:
            pairs.append((other, unit))
        else:
            first[row.tobytes()] = unit
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def _matched(distance: Floats) -> Ints:
    from scipy.sparse.csgraph import connected_components

    n = len(distance)
    upper = np.triu(np.ones((n, n), dtype=bool), 1)
    cost = distance / (float(distance.max()) or 1.0) + _TIE * np.random.default_rng(0).random((n, n))
    cost = np.triu(cost, 1) + np.triu(cost, 1).T
    looked, sets = _near(cost) & upper, list[Ints]()
    while True:
        found = _relaxed(cost, looked, sets)
        wanted = upper & ~looked & (found.reduced < -_NOTHING)
        if wanted.any():
            looked |= _most_wanted(found.reduced, wanted, 4 * n)
            continue
        used = np.zeros((n, n))
        used[looked] = found.shares
        count, part = connected_components(used > _NOTHING, directed=False)
        odd = [np.flatnonzero(part == number) for number in range(count)]
        known = {tuple(members) for members in sets}
        broken = [members for members in odd if len(members) % 2 and tuple(members) not in known]
        if not broken:
            break
        sets += broken
    if (np.abs(found.shares - np.round(found.shares)) > 1e-6).any():
        used = _whole(cost, looked, upper, found, sets)
    return np.stack(np.nonzero(used > 0.5), axis=1)


def _near(distance: Floats) -> Bools:
    """The nearest neighbours of each unit, and pairs of those side by side so that all can be in one."""
    n = len(distance)
    apart = distance + np.diag(np.full(n, np.inf))
    near = np.zeros((n, n), dtype=bool)
    nearest = np.argsort(apart, axis=1, kind="stable")[:, : min(_NEAREST, n - 1)]
    np.put_along_axis(near, nearest, values=True, axis=1)
    even = np.arange(0, n, 2)
    near[even, even + 1] = True
    return near | near.T


def _most_wanted(reduced: Floats, wanted: Bools, most: int) -> Bools:
    """Those that promise most; of equal ones those that come first."""
    places = np.flatnonzero(wanted)
    best = places[np.argsort(reduced.ravel()[places], kind="stable")[:most]]
    chosen = np.zeros(wanted.size, dtype=bool)
    chosen[best] = True
    return chosen.reshape(wanted.shape)


def _relaxed(distance: Floats, looked: Bools, sets: list[Ints]) -> _Solution:
    """The linear programme over the pairs looked at and the sets so far."""
    from scipy.optimize import linprog

    each, within, rooms = _rows(looked, sets)
    found = linprog(
        distance[looked],
        A_eq=each,
        b_eq=np.ones(len(distance)),
        A_ub=within,
        b_ub=rooms,
        bounds=(0, None),
        method="highs",
    )
    if found.status != 0:
        raise DesignError(f"pairs could not be made of {len(distance)} units: {found.message}")
    price = found.eqlin.marginals
    reduced = distance - price[:, None] - price[None, :]
    for members, less in zip(sets, found.ineqlin.marginals if sets else (), strict=True):
        reduced[np.ix_(members, members)] -= less
    return _Solution(found.x, float(found.fun), reduced)


def _whole(distance: Floats, looked: Bools, upper: Bools, found: _Solution, sets: list[Ints]) -> Floats:
    """Whole pairs by branching: first over the pairs looked at, then over all that could still help."""
    bound = _branched(distance, looked, sets)
    open_gap = float(distance[bound > 0.5].sum()) - found.cost
    return _branched(distance, upper & (looked | (found.reduced <= open_gap + _NOTHING)), sets)


def _branched(distance: Floats, looked: Bools, sets: list[Ints]) -> Floats:
    from scipy.optimize import LinearConstraint, milp

    each, within, rooms = _rows(looked, sets)
    rules = [LinearConstraint(each, 1, 1)]
    if within is not None:
        rules.append(LinearConstraint(within, -np.inf, rooms))
    found = milp(distance[looked], constraints=rules, integrality=1, options={"mip_rel_gap": 0.0})
    if found.x is None:
        raise DesignError(f"pairs could not be made of {len(distance)} units: {found.message}")
    used = np.zeros(distance.shape)
    used[looked] = np.round(found.x)
    return used


def _rows(looked: Bools, sets: list[Ints]) -> tuple[object, object | None, Floats | None]:
    """What holds for the pairs looked at: each unit is in one; a set has room for so many."""
    from scipy.sparse import csr_array

    first, second = np.nonzero(looked)
    pairs = np.arange(len(first))
    ones = np.ones(2 * len(pairs))
    each = csr_array((ones, (np.concatenate([first, second]), np.tile(pairs, 2))), (len(looked), len(pairs)))
    if not sets:
        return each, None, None
    inside = np.array(list(_inside(first, second, sets, len(looked))), dtype=np.float64)
    return each, csr_array(inside), np.array([(len(members) - 1) / 2 for members in sets])


def _inside(first: Ints, second: Ints, sets: list[Ints], n: int) -> Iterator[Bools]:
    for members in sets:
        held = np.zeros(n, dtype=bool)
        held[members] = True
        yield held[first] & held[second]
