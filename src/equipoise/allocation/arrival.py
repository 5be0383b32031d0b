"""Rolling enrolment: the arm of one person at the moment of arrival, without drawing anybody else's.

The arm hangs on the seed, the stage, the stratum and the place in the stratum's queue, and on nothing that
comes later. So it is the same whether people are drawn one by one as they come or, when enrolment has
closed, all at once (`allocate` with `arrival`), as anybody does who verifies the draw.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from equipoise.allocation.design import Ratio, design
from equipoise.allocation.draw import block_multiple
from equipoise.allocation.keyed import Key
from equipoise.allocation.text import normalised
from equipoise.errors import DesignError, Problem, nearest

__all__ = ["Arrival", "ArrivalPlan", "arrival_plan", "arrive_permuted_blocks", "arrive_simple"]

_BITS = 256


@dataclass(frozen=True)
class Arrival:
    """One person who arrives: the stratum, and the place in its queue, counted from 1.

    All that a method may know of the person. One that looks back at earlier arrivals, as minimisation does,
    adds here what it looks at.
    """

    stratum: str
    number: int


@dataclass(frozen=True)
class ArrivalPlan:
    """How people are allocated as they come, settled before the first of them.

    Attributes:
        method: one that can allocate in order of arrival.
        arms: names, sorted; the code of an arm is its place here.
        shares: by stratum, the arms' shares in lowest terms.
        elsewhere: the shares in every other stratum; None where no other is possible.
        blocks: sizes of permuted blocks, as multiples of the ratio's sum.
    """

    method: str
    arms: tuple[str, ...]
    shares: Mapping[str, tuple[int, ...]]
    elsewhere: tuple[int, ...] | None
    blocks: tuple[int, ...]

    def shares_in(self, stratum: str) -> tuple[int, ...]:
        """The arms' shares in a stratum.

        Raises:
            DesignError: a stratum that the declared levels do not permit.
        """
        found = self.shares.get(stratum, self.elsewhere)
        if found is None:
            message = (
                f'"{stratum}" is no stratum of this study. Strata: {nearest(stratum, list(self.shares))}'
            )
            raise DesignError(Problem("", "allocation.strata", message))
        return found

    def slots_in(self, stratum: str) -> list[int]:
        """The code of each arm as often as its share."""
        return [code for code, share in enumerate(self.shares_in(stratum)) for _ in range(share)]


def arrival_plan(
    ratio: Ratio,
    *,
    method: str,
    strata: Iterable[str] | None = None,
    blocks: tuple[int, ...] | None = None,
) -> ArrivalPlan:
    """Settle how people will be allocated as they come.

    Args:
        ratio: `{arm: share}`, or `{stratum: {arm: share}}` where ratios differ.
        method: simple or permuted-blocks.
        strata: every stratum in which somebody may arrive; None where they are not known beforehand, which
            takes one ratio for all.
        blocks: sizes of permuted blocks as multiples of the ratio's sum; 1, 2 and 3 unless given.
    Raises:
        DesignError: strata, ratio and method do not fit, or the method needs everybody before the draw.
        NotSupportedError: a method that this version cannot draw.
    """
    by_stratum = bool(ratio) and all(isinstance(value, Mapping) for value in ratio.values())
    possible = list(ratio) if strata is None and by_stratum else strata
    labels = [""] if possible is None else list(normalised(list(possible), "stratum", empty=True))
    plan = design(labels, ratio, method=method, blocks=blocks, arrival=True)
    shares = {label: tuple(row) for label, row in zip(plan.labels, plan.shares.tolist(), strict=True)}
    if possible is None:
        return ArrivalPlan(method, plan.arms, {}, shares[""], plan.blocks)
    return ArrivalPlan(method, plan.arms, shares, None, plan.blocks)


def arrive_simple(plan: ArrivalPlan, key: Key, arrival: Arrival) -> int:
    """The code of the arm by simple allocation; see `draw`."""
    slots = plan.slots_in(arrival.stratum)
    number = int.from_bytes(key.number("arrival", arrival.stratum, arrival.number), "big")
    return slots[number * len(slots) >> _BITS]


def arrive_permuted_blocks(plan: ArrivalPlan, key: Key, arrival: Arrival) -> int:
    """The code of the arm by permuted blocks: the block is sought by the sizes of those before it."""
    slots = plan.slots_in(arrival.stratum)
    place, block = arrival.number, 1
    while place > (size := block_multiple(key, arrival.stratum, block, plan.blocks) * len(slots)):
        place -= size
        block += 1
    full = np.tile(slots, size // len(slots))
    order = key.slots(size, "slot", arrival.stratum, block)
    return int(full[order[place - 1]])
