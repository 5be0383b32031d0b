"""`permuted-blocks`: blocks of random sizes within each stratum, in keyed order or in order of arrival.

A block of k times R units has the stratum's slots (see `blocked`) k times over; the j-th of a block takes the
arm of its j-th slot in keyed order. A last block that is not filled leaves its later slots unused, and any
place in a block is arm a with chance r_a / R.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from equipoise.allocation.chance.keyed import Key
from equipoise.allocation.design import Codes, Counts, Design
from equipoise.allocation.methods.blocked import keyed_order
from equipoise.allocation.methods.contract import Arrival, ArrivalPlan
from equipoise.allocation.methods.shuffling import Whole, drawn_slots, in_place, shuffled

__all__ = ["arrive_permuted_blocks", "draw_permuted_blocks", "simulate_permuted_blocks"]

_ONE = 2**256


def draw_permuted_blocks(plan: Design, units: Sequence[str], key: Key) -> Codes:
    """Blocks of random sizes within each stratum, in keyed order or in order of arrival."""
    order = np.argsort(plan.stratum, kind="stable") if plan.arrival else keyed_order(plan, units, key)
    arms = np.empty(len(units), dtype=np.int8)
    starts = np.concatenate(([0], np.cumsum(plan.sizes)))
    for place, label in enumerate(plan.labels):
        members = order[starts[place] : starts[place + 1]]
        arms[members] = _block_arms(key, label, plan.slots[place], plan.blocks, len(members))
    return arms


def simulate_permuted_blocks(plan: Design, trials: int, rng: np.random.Generator) -> Codes:
    """Shape (trials, units): blocks of random sizes; in order of arrival, or of chance within strata."""
    total, sizes = plan.shares.sum(axis=1), plan.sizes
    most = -(-sizes // (total * min(plan.blocks)))  # blocks that a stratum can need
    stratum = np.repeat(np.arange(len(sizes)), most)
    multiple = rng.choice(np.array(plan.blocks), size=(trials, len(stratum)))
    full = multiple * total[stratum]
    ends = np.cumsum(full, axis=1)
    first = np.repeat(np.cumsum(most) - most, most)
    starts = ends - full
    starts = starts - starts[:, first]
    taken = np.clip(sizes[stratum] - starts, 0, full)
    counts = multiple[:, :, None] * plan.shares[stratum]
    counts[taken < full] = 0
    cut = np.where(taken < full, taken, 0)
    counts += drawn_slots(plan, np.where(cut > 0, full, 0), cut, rng, stratum)
    if not plan.arrival:
        return in_place(plan, shuffled(plan, _by_stratum(counts, most), sizes, rng))
    return in_place(plan, shuffled(plan, counts, taken, rng))


def arrive_permuted_blocks(plan: ArrivalPlan, key: Key, arrival: Arrival) -> int:
    """The code of the arm by permuted blocks: the block is sought by the sizes of those before it."""
    slots = plan.slots_in(arrival.stratum)
    place, block = arrival.number, 1
    while place > (size := _block_multiple(key, arrival.stratum, block, plan.blocks) * len(slots)):
        place -= size
        block += 1
    full = np.tile(slots, size // len(slots))
    order = key.slots(size, "slot", arrival.stratum, block)
    return int(full[order[place - 1]])


def _block_arms(
    key: Key, label: str, slots: npt.NDArray[np.int64], blocks: Sequence[int], members: int
) -> npt.NDArray[np.int64]:
    """The arms of a stratum's first `members` places, block by block."""
    places: list[npt.NDArray[np.int64]] = [slots[:0]]
    filled = 0
    for block in range(1, members + 1):
        if filled >= members:
            break
        full = np.tile(slots, _block_multiple(key, label, block, blocks))
        places.append(full[key.slots(len(full), "slot", label, block)])
        filled += len(full)
    return np.asarray(np.concatenate(places)[:members])


def _block_multiple(key: Key, label: str, block: int, blocks: Sequence[int]) -> int:
    """The size of a stratum's block, in multiples of the ratio's sum; blocks are counted from 1."""
    return blocks[int.from_bytes(key.number("size", label, block), "big") * len(blocks) // _ONE]


def _by_stratum(counts: Counts, most: Whole) -> Counts:
    """Sum the blocks of each stratum; every stratum has at least one."""
    return np.add.reduceat(counts, np.cumsum(most) - most, axis=1)
