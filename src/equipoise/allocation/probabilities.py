"""Exact probabilities of allocation, and every allocation that a small design can give.

For simple, complete, blocked and permuted-blocks allocation each unit's chance of an arm is its share of the
ratio in the unit's stratum, whatever the stratum's size (see `draw` for why).
"""

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations, permutations, product
from math import comb

import numpy as np
import numpy.typing as npt

from equipoise.allocation.design import Design
from equipoise.errors import DesignError, NotSupportedError

__all__ = ["every_allocation", "exact_probabilities", "unit_probabilities"]

MOST_ALLOCATIONS = 1_000_000
_SMALL = 24  # units, above which nobody should list every allocation


def exact_probabilities(plan: Design) -> dict[str, dict[str, Fraction]]:
    """Chance of each arm in each stratum."""
    return {
        label: {arm: Fraction(int(share), int(row.sum())) for arm, share in zip(plan.arms, row, strict=True)}
        for label, row in zip(plan.labels, plan.shares, strict=True)
    }


def unit_probabilities(plan: Design) -> npt.NDArray[np.float64]:
    """Each unit's chance of each arm, shape (units, arms), as floating numbers."""
    return np.asarray((plan.shares / plan.shares.sum(axis=1, keepdims=True))[plan.stratum])


def every_allocation(plan: Design) -> Iterator[tuple[tuple[int, ...], Fraction]]:
    """Each allocation that the design can give, with its probability; the probabilities sum to one.

    Raises:
        DesignError: too many to list; draw from them instead.
        NotSupportedError: permuted blocks, whose random sizes give one allocation in many ways.
    """
    if plan.method == "permuted-blocks":
        raise NotSupportedError(
            "allocations by permuted blocks cannot be listed yet: draw from them instead."
        )
    if len(plan.stratum) > _SMALL:
        raise DesignError(
            f"{len(plan.stratum)} units: allocations are listed for at most {_SMALL}; draw from them instead."
        )
    if plan.method == "complete":
        plan = plan.pooled()
    within = [
        _simple(plan, place) if plan.method == "simple" else _fixed(plan, place)
        for place in range(len(plan.labels))
    ]
    count = np.prod([float(len(cell)) for cell in within])
    if count > MOST_ALLOCATIONS:
        raise DesignError(
            f"{count:.3g} allocations: at most {MOST_ALLOCATIONS:,} can be listed; draw from them instead."
        )
    return _joined(plan, within)


def _joined(
    plan: Design, within: list[dict[tuple[int, ...], Fraction]]
) -> Iterator[tuple[tuple[int, ...], Fraction]]:
    members = np.concatenate([np.flatnonzero(plan.stratum == place) for place in range(len(plan.labels))])
    back = np.argsort(members)
    for parts in product(*(cell.items() for cell in within)):
        arms = [code for codes, _ in parts for code in codes]
        chance = Fraction(1)
        for _, part in parts:
            chance *= part
        yield tuple(arms[place] for place in back), chance


def _simple(plan: Design, place: int) -> dict[tuple[int, ...], Fraction]:
    shares, units = plan.shares[place], int(plan.sizes[place])
    _listable(len(shares) ** units)
    total = int(shares.sum()) ** units
    return {
        arms: Fraction(int(np.prod([int(shares[arm]) for arm in arms], dtype=object)), total)
        for arms in product(range(len(shares)), repeat=units)
    }


def _fixed(plan: Design, place: int) -> dict[tuple[int, ...], Fraction]:
    """Every choice of leftover slots is as likely as any other, and so is every order of its arms."""
    slots, units = plan.slots[place].tolist(), int(plan.sizes[place])
    sets, left = divmod(units, len(slots))
    _listable(comb(len(slots), left))
    chosen = Counter(tuple(sorted(slots * sets + list(more))) for more in combinations(slots, left))
    chances: dict[tuple[int, ...], Fraction] = {}
    for arms, ways in chosen.items():
        orders = _orders(arms)
        chances |= dict.fromkeys(orders, Fraction(ways, comb(len(slots), left) * len(orders)))
    return chances


def _orders(arms: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The different orders of arms of which some are alike."""
    if len(set(arms)) == len(arms):
        return list(permutations(arms))
    built: list[tuple[tuple[int, ...], Counter[int]]] = [((), Counter(arms))]
    for _ in arms:
        built = [((*start, arm), left - Counter([arm])) for start, left in built for arm in sorted(left)]
        _listable(len(built))
    return [order for order, _ in built]


def _listable(count: int) -> None:
    if count > MOST_ALLOCATIONS:
        raise DesignError(
            f"{count:.3g} allocations in a stratum: at most {MOST_ALLOCATIONS:,} can be listed; draw instead."
        )
