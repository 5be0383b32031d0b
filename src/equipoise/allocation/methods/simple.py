"""`simple`: every unit by itself, with the chances of its ratio.

The unit's number, as a fraction of 2**256, is below the cumulative share of its arm and not of the arm
before. Exact to one part in 2**256. With rolling enrolment the number is that of the place in the queue.
"""

from collections.abc import Sequence
from fractions import Fraction
from itertools import product

import numpy as np
import numpy.typing as npt

from equipoise.allocation.chance.keyed import Key
from equipoise.allocation.design import Codes, Design
from equipoise.allocation.methods.contract import Arrival, ArrivalPlan, Chances, Together
from equipoise.allocation.methods.listing import listable

__all__ = ["arrive_simple", "chances_simple", "draw_simple", "simulate_simple", "together_simple"]

_ONE = 2**256
_PREFIX = 2**192  # what the first eight bytes of a number leave open
_BITS = 256


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


def simulate_simple(plan: Design, trials: int, rng: np.random.Generator) -> Codes:
    """Shape (trials, units): every unit by itself."""
    total = plan.shares.sum(axis=1)
    if len(set(total.tolist())) == 1:
        slot = rng.integers(0, total[0], size=(trials, len(plan.stratum)))
    else:
        slot = rng.integers(0, total[plan.stratum], size=(trials, len(plan.stratum)))
    arms = np.zeros(slot.shape, dtype=np.int8)
    for bound in np.cumsum(plan.shares, axis=1).T[:-1]:
        arms += slot >= bound[plan.stratum]
    return arms


def arrive_simple(plan: ArrivalPlan, key: Key, arrival: Arrival) -> int:
    """The code of the arm by the number of the place in the queue."""
    slots = plan.slots_in(arrival.stratum)
    number = int.from_bytes(key.number("arrival", arrival.stratum, arrival.number), "big")
    return slots[number * len(slots) >> _BITS]


def chances_simple(plan: Design, place: int) -> Chances:
    """Every allocation of a stratum, with its chance."""
    shares, units = plan.shares[place], int(plan.sizes[place])
    listable(len(shares) ** units)
    total = int(shares.sum()) ** units
    return {
        arms: Fraction(int(np.prod([int(shares[arm]) for arm in arms], dtype=object)), total)
        for arms in product(range(len(shares)), repeat=units)
    }


def together_simple(plan: Design) -> Together:
    """The exact chance of each pair of units: they are drawn independently."""
    chance = (plan.shares / plan.shares.sum(axis=1, keepdims=True))[plan.stratum]
    joint = np.einsum("ia,jb->iajb", chance, chance)
    each = np.arange(len(chance))
    joint[each, :, each, :] = chance[:, :, None] * np.eye(len(plan.arms))
    return np.asarray(joint)


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
