"""The verifiable draw: how keyed numbers become arms.

Slots. A stratum with shares r (sum R) has R slots: arms sorted by name, each as often as its share. A block
of k times R units has this list k times over.

- `blocked`: the stratum's n units in keyed order. Each arm gets n // R times its share. The n mod R units
  left over draw as many different slots: the R slots are put in keyed order and the first n mod R give their
  arms. The first units in order go to the first arm, up to its count, the next to the second arm, and so on.
  A unit's chance of arm a is exactly r_a / R: it is in any place with equal chance, and each leftover slot
  is a with chance r_a / R. Over many small strata the arms' totals therefore vary a little.
- `complete`: the same with all units as one stratum, whose label is empty.
- `permuted-blocks`: each stratum's units in keyed order, or in order of arrival; blocks of random sizes; the
  j-th of a block takes the arm of its j-th slot in keyed order. A last block that is not filled leaves its
  later slots unused, and any place in a block is arm a with chance r_a / R.
- `simple`: the unit's number, as a fraction of 2**256, is below the cumulative share of its arm and not of
  the arm before. Exact to one part in 2**256.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from equipoise.allocation.design import Codes, Counts, Design
from equipoise.allocation.keyed import Key, order_within

__all__ = [
    "arm_counts",
    "arrange",
    "block_multiple",
    "draw_blocked",
    "draw_complete",
    "draw_permuted_blocks",
    "draw_simple",
]

_ONE = 2**256
_PREFIX = 2**192  # what the first eight bytes of a number leave open


def draw_blocked(plan: Design, units: Sequence[str], key: Key) -> Codes:
    """Fixed counts within each stratum."""
    leftover = plan.sizes % plan.shares.sum(axis=1)
    drawn = [
        slots[key.slots(len(slots), "leftover", label)[:count]] if count else slots[:0]
        for label, slots, count in zip(plan.labels, plan.slots, leftover, strict=True)
    ]
    return arrange(plan, _keyed_order(plan, units, key), arm_counts(plan, drawn))


def draw_complete(plan: Design, units: Sequence[str], key: Key) -> Codes:
    """Fixed counts within the whole trial."""
    return draw_blocked(plan.pooled(), units, key)


def draw_permuted_blocks(plan: Design, units: Sequence[str], key: Key) -> Codes:
    """Blocks of random sizes within each stratum, in keyed order or in order of arrival."""
    order = np.argsort(plan.stratum, kind="stable") if plan.arrival else _keyed_order(plan, units, key)
    arms = np.empty(len(units), dtype=np.int8)
    starts = np.concatenate(([0], np.cumsum(plan.sizes)))
    for place, label in enumerate(plan.labels):
        members = order[starts[place] : starts[place + 1]]
        arms[members] = _block_arms(key, label, plan.slots[place], plan.blocks, len(members))
    return arms


def draw_simple(plan: Design, units: Sequence[str], key: Key) -> Codes:
    """Each unit by itself, with the chances of its ratio."""
    endings = _arrivals(plan) if plan.arrival else [unit.encode() for unit in units]
    digests = key.digests(endings)
    first = np.frombuffer(digests, dtype=">u8")[::4].astype(np.uint64)
    arms = np.zeros(len(units), dtype=np.int8)
    for place, shares in enumerate(plan.shares):
        members = np.flatnonzero(plan.stratum == place) if len(plan.labels) > 1 else np.arange(len(units))
        for bound in np.cumsum(shares)[:-1]:
            arms[members] += _reaches(first[members], members, digests, int(bound), int(shares.sum()))
    return arms


def block_multiple(key: Key, label: str, block: int, blocks: Sequence[int]) -> int:
    """The size of a stratum's block, in multiples of the ratio's sum; blocks are counted from 1."""
    return blocks[int.from_bytes(key.number("size", label, block), "big") * len(blocks) // _ONE]


def arm_counts(plan: Design, drawn: Sequence[npt.NDArray[np.int64]]) -> Counts:
    """Units of each stratum for each arm, shape (strata, arms): whole sets, and one for each slot drawn."""
    counts: Counts = plan.shares * (plan.sizes // plan.shares.sum(axis=1))[:, None]
    for row, slots in zip(counts, drawn, strict=True):
        np.add.at(row, slots, 1)
    return counts


def arrange(plan: Design, order: npt.NDArray[np.intp], counts: Counts) -> Codes:
    """Cut each stratum's units, as ordered, into its arms.

    Args:
        order: the units by stratum and, within it, as drawn.
        counts: shape (strata, arms).
    """
    arms: Codes = np.empty(len(order), dtype=np.int8)
    arms[order] = np.repeat(np.tile(np.arange(len(plan.arms), dtype=np.int8), len(counts)), counts.ravel())
    return arms


def _keyed_order(plan: Design, units: Sequence[str], key: Key) -> npt.NDArray[np.intp]:
    return order_within(plan.stratum, key.digests([unit.encode() for unit in units]))


def _block_arms(
    key: Key, label: str, slots: npt.NDArray[np.int64], blocks: Sequence[int], members: int
) -> npt.NDArray[np.int64]:
    """The arms of a stratum's first `members` places, block by block."""
    places: list[npt.NDArray[np.int64]] = [slots[:0]]
    filled = 0
    for block in range(1, members + 1):
        if filled >= members:
            break
        full = np.tile(slots, block_multiple(key, label, block, blocks))
        places.append(full[key.slots(len(full), "slot", label, block)])
        filled += len(full)
    return np.asarray(np.concatenate(places)[:members])


def _arrivals(plan: Design) -> list[bytes]:
    """For each unit, in order of arrival, which number it is in its stratum, as a message's ending."""
    arrived = [0] * len(plan.labels)
    endings = []
    for place in plan.stratum:
        arrived[place] += 1
        endings.append(f"\0arrival\0{plan.labels[place]}\0{arrived[place]}".encode())
    return endings


def _reaches(
    first: npt.NDArray[np.uint64], members: npt.NDArray[np.intp], digests: bytes, bound: int, total: int
) -> npt.NDArray[np.bool_]:
    """Whether each number is at least bound / total of 2**256, without rounding."""
    edge = bound * _ONE // (total * _PREFIX)  # the whole part; numbers that begin so need all their bytes
    reached = first > np.uint64(edge)
    for place in np.flatnonzero(first == np.uint64(edge)):
        unit = members[place]
        reached[place] = int.from_bytes(digests[32 * unit : 32 * (unit + 1)], "big") * total >= bound * _ONE
    return np.asarray(reached)
