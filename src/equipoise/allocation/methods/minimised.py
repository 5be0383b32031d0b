"""`minimised`: each unit is most likely to go where it leaves the levels of its factors most alike.

Units come one by one within their stratum: in order of arrival or, of a roster that is drawn at once, in
keyed order. A stratum's slots are those of `blocked`: arms sorted by name, each as often as its share. For
the unit in hand and each slot, the imbalance is that which there would be with the unit in the slot: for each
factor the range over the slots (or the variance) of how many units of the unit's level a slot has, times the
factor's weight, summed over the factors. Of the slots with the least imbalance one is taken by equal chance:
the unit goes there with probability `coin`, and to each other slot with an equal part of the rest. Pocock and
Simon (1975), Biometrics 31:103-115, sections 2 and 3.

Slots in place of arms keep an unequal ratio at every unit: Kuznetsova and Tymofyeyev (2012), Statistics in
Medicine 31:701-723. The rule treats all slots alike, so giving them other names changes no chance, and each
unit is in each of the R slots with chance 1 / R: in arm a with r_a / R exactly, whatever the factors,
weights, coin and order. Arms' totals over their shares, minimised with one coin, would not keep the ratio:
Han, Enas and McEntegart (2009), Statistics in Medicine 28:3329-3346.

Each unit takes one number of chance, and everything is counted in whole numbers, so any language repeats it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from equipoise.allocation.beside import Beside
from equipoise.allocation.chance.keyed import Key
from equipoise.allocation.design import Codes, Design
from equipoise.allocation.methods.blocked import keyed_order
from equipoise.allocation.methods.contract import Arrival, ArrivalPlan
from equipoise.allocation.methods.shuffling import in_place

__all__ = ["arrive_minimised", "draw_minimised", "simulate_minimised"]

Levels = tuple[str, ...]
Places = npt.NDArray[np.intp]
_BITS = 256


@dataclass(frozen=True)
class Rule:
    """How one stratum is minimised.

    Attributes:
        slots: how many.
        weights: of the factors, in their order.
        variance: the imbalance of a factor is the variance over the slots, not the range.
        coin: the probability of the slot that is taken.
    """

    slots: int
    weights: tuple[int, ...]
    variance: bool
    coin: Fraction

    def chances(self, tied: int) -> tuple[int, int]:
        """The chance of each of the slots with the least imbalance, and of each other, in equal parts.

        With coin p = a / b, of m that are tied each has p / m + (m - 1) / m (1 - p) / (R - 1), each other
        (1 - p) / (R - 1); all times m b (R - 1).
        """
        p, rest = self.coin.numerator, self.coin.denominator - self.coin.numerator
        return p * (self.slots - 1) + (tied - 1) * rest, tied * rest


def draw_minimised(plan: Design, units: Sequence[str], key: Key) -> Codes:
    """Each stratum unit by unit, in order of arrival or in keyed order."""
    order = np.argsort(plan.stratum, kind="stable") if plan.arrival else keyed_order(plan, units, key)
    levels = list(zip(*plan.beside.columns.values(), strict=True))
    arms: Codes = np.empty(len(units), dtype=np.int8)
    ends = np.cumsum(plan.sizes)
    for place, label in enumerate(plan.labels):
        members = order[ends[place] - plan.sizes[place] : ends[place]]
        rule = _rule(plan.beside, len(plan.beside.columns), len(plan.slots[place]))
        slots = list(_filled(rule, key, label, (levels[unit] for unit in members)))
        arms[members] = plan.slots[place][slots]
    return arms


def arrive_minimised(plan: ArrivalPlan, key: Key, arrival: Arrival) -> int:
    """The code of the arm of the last in the queue.

    The slots of those before are found by going through the queue again: an arm does not tell its slot.
    """
    slots = plan.slots_in(arrival.stratum)
    rule = _rule(plan.beside, len(arrival.levels), len(slots))
    *_, last = _filled(rule, key, arrival.stratum, [*arrival.earlier, arrival.levels])
    return slots[last]


def simulate_minimised(plan: Design, trials: int, rng: np.random.Generator) -> Codes:
    """Shape (trials, units): all trials unit by unit; a roster drawn at once in an order of chance."""
    side_by_side = np.empty((trials, len(plan.stratum)), dtype=np.int8)
    grouped = np.argsort(plan.stratum, kind="stable")
    levels, ends = _numbered(plan), np.cumsum(plan.sizes)
    for place, size in enumerate(plan.sizes.tolist()):
        within = slice(int(ends[place]) - size, int(ends[place]))
        rule = _rule(plan.beside, levels.shape[1], len(plan.slots[place]))
        queue = np.broadcast_to(np.arange(size), (trials, size))
        if not plan.arrival:
            queue = rng.permuted(queue, axis=1)
        slots = _many_filled(rule, levels[grouped[within]], queue, rng)
        np.put_along_axis(side_by_side[:, within], queue, plan.slots[place][slots].astype(np.int8), axis=1)
    return in_place(plan, side_by_side)


def _rule(beside: Beside, factors: int, slots: int) -> Rule:
    # The coin as it is written in decimals: 0.8 is four fifths and not the nearest binary number.
    coin = Fraction(str(beside.coin))
    return Rule(slots, beside.weights or (1,) * factors, beside.measure == "variance", coin)


def _filled(rule: Rule, key: Key, label: str, queue: Iterable[Levels]) -> Iterator[int]:
    """The slot of each unit of a stratum's queue."""
    margins: list[dict[str, list[int]]] = [{} for _ in rule.weights]
    for number, levels in enumerate(queue, start=1):
        counts = [
            margin.setdefault(level, [0] * rule.slots) for margin, level in zip(margins, levels, strict=True)
        ]
        imbalance = _imbalance(rule, counts)
        chance = int.from_bytes(key.number("coin", label, number), "big")
        slot = _taken(rule, imbalance, chance)
        for count in counts:
            count[slot] += 1
        yield slot


def _imbalance(rule: Rule, counts: list[list[int]]) -> list[int]:
    """What the imbalance would be with the unit in each slot, less what is the same for all slots."""
    found = [0] * rule.slots
    for count, weight in zip(counts, rule.weights, strict=True):
        low, high = min(count), max(count)
        lifts = count.count(low) == 1  # the lowest slot alone is lowest: one more there lifts the minimum
        for slot, units in enumerate(count):
            if rule.variance:
                # R sum c^2 - (sum c)^2 with one more in a slot differs between slots by 2 R times its count.
                found[slot] += weight * units
            else:
                least = low + 1 if lifts and units == low else low
                found[slot] += weight * (max(high, units + 1) - least)
    return found


def _taken(rule: Rule, imbalance: list[int], chance: int) -> int:
    """The slot in whose part of the whole the number lies, slot after slot."""
    least = min(imbalance)
    tied = imbalance.count(least)
    of_least, of_other = rule.chances(tied)
    aim = chance * (tied * of_least + (rule.slots - tied) * of_other) >> _BITS
    for slot, value in enumerate(imbalance):
        aim -= of_least if value == least else of_other
        if aim < 0:
            return slot
    raise AssertionError("the parts sum to the whole")


def _numbered(plan: Design) -> Places:
    """Levels as numbers that tell factors apart too, shape (units, factors)."""
    columns = [np.unique(values, return_inverse=True) for values in plan.beside.columns.values()]
    starts = np.cumsum([0, *(len(names) for names, _ in columns)])
    return np.stack([codes + start for (_, codes), start in zip(columns, starts, strict=False)], axis=1)


def _many_filled(rule: Rule, levels: Places, queue: Places, rng: np.random.Generator) -> Places:
    """The slot of each unit of many queues, shape (trials, units) in the order of each queue.

    Args:
        levels: shape (units, factors).
        queue: shape (trials, units), the row of `levels` of each unit in turn.
    """
    trials, size = queue.shape
    of_trial = (np.arange(trials) * (int(levels.max()) + 1))[:, None]
    counts = np.zeros((rule.slots, trials * (int(levels.max()) + 1)), dtype=np.int32)
    in_slot, weights, parts = counts.reshape(-1), np.array(rule.weights), _parts(rule)
    slots = np.empty((trials, size), dtype=np.intp)
    for turn in range(size):
        cells = of_trial + levels[queue[:, turn]]
        imbalance = _imbalances(rule, counts.take(cells, axis=1), weights)
        best = imbalance == imbalance.min(axis=0)
        of_least, of_other = parts[:, best.sum(axis=0)]
        edges = np.cumsum(np.where(best, of_least, of_other), axis=0)
        slot = (rng.random(trials) >= edges[:-1]).sum(axis=0)
        in_slot[slot[:, None] * counts.shape[1] + cells] += 1
        slots[:, turn] = slot
    return slots


def _parts(rule: Rule) -> npt.NDArray[np.float64]:
    """Chances of a slot with the least imbalance and of another, by how many are tied: shape (2, R + 1)."""
    parts = np.zeros((2, rule.slots + 1))
    for tied in range(1, rule.slots + 1):
        of_least, of_other = rule.chances(tied)
        whole = tied * of_least + (rule.slots - tied) * of_other
        parts[:, tied] = of_least / whole, of_other / whole
    return parts


def _imbalances(rule: Rule, counts: npt.NDArray[np.int32], weights: Places) -> Places:
    """As `_imbalance`, from counts of shape (slots, trials, factors): shape (slots, trials)."""
    if rule.variance:
        return np.asarray(counts @ weights)
    low, high = counts.min(axis=0), counts.max(axis=0)
    lowest = counts == low
    lifts = lowest & (lowest.sum(axis=0) == 1)
    spread: Places = np.maximum(high, counts + 1) - (low + lifts)
    return np.asarray(spread @ weights)
