"""`blocked`: fixed counts within each stratum; `complete`: the same with all units as one stratum.

A stratum with shares r (sum R) has R slots: arms sorted by name, each as often as its share. The stratum's n
units are put in keyed order. Each arm gets n // R times its share. The n mod R units left over draw as many
different slots: the R slots are put in keyed order and the first n mod R give their arms. The first units in
order go to the first arm, up to its count, the next to the second arm, and so on. A unit's chance of arm a is
exactly r_a / R: it is in any place with equal chance, and each leftover slot is a with chance r_a / R. Over
many small strata the arms' totals therefore vary a little.
"""

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations, permutations
from math import comb

import numpy as np
import numpy.typing as npt

from equipoise.allocation.chance.keyed import Key, order_within
from equipoise.allocation.design import Codes, Counts, Design
from equipoise.allocation.methods.contract import Chances, Together
from equipoise.allocation.methods.listing import listable
from equipoise.allocation.methods.shuffling import drawn_slots, in_place, shuffled

__all__ = [
    "arm_counts",
    "arrange",
    "chances_blocked",
    "draw_blocked",
    "draw_complete",
    "keyed_order",
    "simulate_blocked",
    "simulate_complete",
    "together_blocked",
    "together_complete",
]


def draw_blocked(plan: Design, units: Sequence[str], key: Key) -> Codes:
    """Fixed counts within each stratum."""
    leftover = plan.sizes % plan.shares.sum(axis=1)
    drawn = [
        slots[key.slots(len(slots), "leftover", label)[:count]] if count else slots[:0]
        for label, slots, count in zip(plan.labels, plan.slots, leftover, strict=True)
    ]
    return arrange(plan, keyed_order(plan, units, key), arm_counts(plan, drawn))


def draw_complete(plan: Design, units: Sequence[str], key: Key) -> Codes:
    """Fixed counts within the whole trial."""
    return draw_blocked(plan.pooled(), units, key)


def simulate_blocked(plan: Design, trials: int, rng: np.random.Generator) -> Codes:
    """Shape (trials, units): arms with fixed counts within each stratum."""
    total = plan.shares.sum(axis=1)
    counts = np.broadcast_to(
        plan.shares * (plan.sizes // total)[:, None], (trials, *plan.shares.shape)
    ).copy()
    leftover = np.broadcast_to(plan.sizes % total, (trials, len(total)))
    counts += drawn_slots(plan, np.broadcast_to(total, leftover.shape), leftover, rng)
    return in_place(plan, shuffled(plan, counts, plan.sizes, rng))


def simulate_complete(plan: Design, trials: int, rng: np.random.Generator) -> Codes:
    """Shape (trials, units): arms with fixed counts within the whole trial."""
    return simulate_blocked(plan.pooled(), trials, rng)


def chances_blocked(plan: Design, place: int) -> Chances:
    """Every allocation of a stratum, with its chance.

    Every choice of leftover slots is as likely as any other, and so is every order of its arms.
    """
    slots, units = plan.slots[place].tolist(), int(plan.sizes[place])
    sets, left = divmod(units, len(slots))
    listable(comb(len(slots), left))
    chosen = Counter(tuple(sorted(slots * sets + list(more))) for more in combinations(slots, left))
    chances: Chances = {}
    for arms, ways in chosen.items():
        orders = _orders(arms)
        chances |= dict.fromkeys(orders, Fraction(ways, comb(len(slots), left) * len(orders)))
    return chances


def together_blocked(plan: Design) -> Together:
    """The chance that two units are in two arms, exactly: a stratum's units are drawn in any order.

    With N(a) units in arm a, two of a stratum's n are in a and b with chance E[N(a) (N(b) - 1(a = b))] over
    n (n - 1). N(a) is its share of the whole sets and what the leftover units drew from the R slots without
    putting any back, which is multivariate hypergeometric.
    """
    total, left = plan.shares.sum(axis=1), plan.sizes % plan.shares.sum(axis=1)
    chance = plan.shares / total[:, None]
    arms = np.arange(len(plan.arms))
    joint = np.einsum("ia,jb->iajb", chance[plan.stratum], chance[plan.stratum])
    for place, (size, drawn) in enumerate(zip(plan.sizes.tolist(), left.tolist(), strict=True)):
        members, within = np.flatnonzero(plan.stratum == place), _within(plan.shares[place], size, drawn)
        joint[np.ix_(members, arms, members, arms)] = within[:, None, :]
    each = np.arange(len(plan.stratum))
    joint[each, :, each, :] = chance[plan.stratum][:, :, None] * np.eye(len(plan.arms))
    return np.asarray(joint)


def together_complete(plan: Design) -> Together:
    """The same with the whole trial as one stratum."""
    return together_blocked(plan.pooled())


def _within(shares: npt.NDArray[np.int64], size: int, drawn: int) -> npt.NDArray[np.float64]:
    """The chance that one unit of a stratum is in arm a and another in arm b, shape (arms, arms)."""
    total = int(shares.sum())
    whole, lot = shares * float(size // total), drawn * shares / total
    two = drawn * (drawn - 1) / (total * (total - 1)) * (np.outer(shares, shares) - np.diag(shares))
    expected = np.outer(whole, whole) + np.outer(whole, lot) + np.outer(lot, whole) + two + np.diag(lot)
    pairs = expected - np.diag(whole + lot)
    return np.asarray(pairs / max(size * (size - 1), 1))


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


def keyed_order(plan: Design, units: Sequence[str], key: Key) -> npt.NDArray[np.intp]:
    return order_within(plan.stratum, key.digests([unit.encode() for unit in units]))


def _orders(arms: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The different orders of arms of which some are alike."""
    if len(set(arms)) == len(arms):
        return list(permutations(arms))
    built: list[tuple[tuple[int, ...], Counter[int]]] = [((), Counter(arms))]
    for _ in arms:
        built = [((*start, arm), left - Counter([arm])) for start, left in built for arm in sorted(left)]
        listable(len(built))
    return [order for order, _ in built]
