"""Exact probabilities of allocation, and every allocation that a small design can give.

For simple, complete, blocked and permuted-blocks allocation each unit's chance of an arm is its share of the
ratio in the unit's stratum, whatever the stratum's size (see `methods.blocked` for why).
"""

from collections.abc import Iterator
from fractions import Fraction
from itertools import product

import numpy as np
import numpy.typing as npt

from equipoise.allocation.design import Design
from equipoise.allocation.methods import METHODS
from equipoise.allocation.methods.contract import Chances
from equipoise.allocation.methods.listing import MOST_ALLOCATIONS
from equipoise.errors import DesignError, NotSupportedError

__all__ = ["every_allocation", "exact_probabilities", "unit_probabilities"]

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
        NotSupportedError: a method whose allocations cannot be listed, such as permuted blocks, whose random
            sizes give one allocation in many ways.
    """
    chances = METHODS[plan.method].chances
    if chances is None:
        raise NotSupportedError(f"allocations by {plan.method} cannot be listed: draw from them instead.")
    if len(plan.stratum) > _SMALL:
        raise DesignError(
            f"{len(plan.stratum)} units: allocations are listed for at most {_SMALL}; draw from them instead."
        )
    if plan.method == "complete":
        plan = plan.pooled()
    within = [chances(plan, place) for place in range(len(plan.labels))]
    count = np.prod([float(len(cell)) for cell in within])
    if count > MOST_ALLOCATIONS:
        raise DesignError(
            f"{count:.3g} allocations: at most {MOST_ALLOCATIONS:,} can be listed; draw from them instead."
        )
    return _joined(plan, within)


def _joined(plan: Design, within: list[Chances]) -> Iterator[tuple[tuple[int, ...], Fraction]]:
    members = np.concatenate([np.flatnonzero(plan.stratum == place) for place in range(len(plan.labels))])
    back = np.argsort(members)
    for parts in product(*(cell.items() for cell in within)):
        arms = [code for codes, _ in parts for code in codes]
        chance = Fraction(1)
        for _, part in parts:
            chance *= part
        yield tuple(arms[place] for place in back), chance
