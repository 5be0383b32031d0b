"""The same procedures by numpy's generators, many draws at once: for diagnosis and randomisation tests.

The distribution is that of the verifiable draw (ties between random keys, which could favour an arm, have a
chance of under one in 2**30 for any two units); the numbers are not, and cannot be, as this needs no seed of
allocation.
"""

import numpy as np
import numpy.typing as npt

from equipoise.allocation.design import Codes, Counts, Design

__all__ = ["simulate_blocked", "simulate_complete", "simulate_permuted_blocks", "simulate_simple"]

Generator = np.random.Generator
Whole = npt.NDArray[np.int64]


def simulate_blocked(plan: Design, trials: int, rng: Generator) -> Codes:
    """Shape (trials, units): arms with fixed counts within each stratum."""
    total = plan.shares.sum(axis=1)
    counts = np.broadcast_to(
        plan.shares * (plan.sizes // total)[:, None], (trials, *plan.shares.shape)
    ).copy()
    leftover = np.broadcast_to(plan.sizes % total, (trials, len(total)))
    counts += _drawn(plan, np.broadcast_to(total, leftover.shape), leftover, rng)
    return _in_place(plan, _shuffled(plan, counts, plan.sizes, rng))


def simulate_complete(plan: Design, trials: int, rng: Generator) -> Codes:
    """Shape (trials, units): arms with fixed counts within the whole trial."""
    return simulate_blocked(plan.pooled(), trials, rng)


def simulate_simple(plan: Design, trials: int, rng: Generator) -> Codes:
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


def simulate_permuted_blocks(plan: Design, trials: int, rng: Generator) -> Codes:
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
    counts += _drawn(plan, np.where(cut > 0, full, 0), cut, rng, stratum)
    if not plan.arrival:
        return _in_place(plan, _shuffled(plan, _by_stratum(counts, most), sizes, rng))
    return _in_place(plan, _shuffled(plan, counts, taken, rng))


def _drawn(plan: Design, slots: Whole, take: Whole, rng: Generator, stratum: Whole | None = None) -> Counts:
    """Arms of `take` different slots out of `slots`, shape (trials, cells, arms).

    Args:
        slots: shape (trials, cells), a multiple of the ratio's sum.
        take: shape (trials, cells), fewer than `slots`.
        stratum: shape (cells,), the stratum of each cell; cell by cell unless given.
    """
    cell_stratum = np.arange(len(plan.labels)) if stratum is None else stratum
    counts = np.zeros((*take.shape, len(plan.arms)), dtype=np.int64)
    trial, cell = np.nonzero(take)
    if len(trial) == 0:
        return counts
    available, wanted, shares = slots[trial, cell], take[trial, cell], plan.shares[cell_stratum[cell]]
    keys = rng.random((len(trial), int(available.max())))
    keys[np.arange(keys.shape[1]) >= available[:, None]] = np.inf
    slot = np.argsort(keys, axis=1) % shares.sum(axis=1)[:, None]
    arm = (slot[:, :, None] >= np.cumsum(shares, axis=1)[:, None, :-1]).sum(axis=2)
    arm[np.arange(keys.shape[1]) >= wanted[:, None]] = len(plan.arms)
    counts[trial, cell] = np.stack([(arm == code).sum(axis=1) for code in range(len(plan.arms))], axis=1)
    return counts


def _shuffled(plan: Design, counts: Counts, sizes: Whole, rng: Generator) -> Codes:
    """Each cell's arms in random order, shape (trials, units), the cells side by side.

    Sorts one word a unit: the cell's number where trials differ in it, random bits, the arm's code.

    Args:
        counts: shape (trials, cells, arms).
        sizes: units of each cell, shape (cells,) or (trials, cells).
    """
    trials, cells, arms = counts.shape
    arm_bits, cell_bits = (arms - 1).bit_length(), (cells - 1).bit_length()
    words = rng.integers(0, 2**64, size=(trials, int(counts[0].sum())), dtype=np.uint64)
    words >>= np.uint64(cell_bits)
    words &= ~np.uint64(2**arm_bits - 1)
    codes = np.tile(np.arange(arms, dtype=np.uint8), trials * cells)
    words |= np.repeat(codes, counts.ravel()).reshape(words.shape)
    if sizes.ndim == 1:
        _sort_cells(words, sizes)
    else:
        cell = np.arange(cells, dtype=np.uint64) << np.uint64(64 - cell_bits if cell_bits else 0)
        words |= np.repeat(np.tile(cell, trials), sizes.ravel()).reshape(words.shape)
        words.sort(axis=1)
    words &= np.uint64(2**arm_bits - 1)
    return words.astype(np.int8)


def _sort_cells(words: npt.NDArray[np.uint64], sizes: Whole) -> None:
    """In place, cell by cell, where every trial has the same cells: quicker than by words with the cell."""
    if len(set(sizes.tolist())) == 1:
        words.reshape(len(words), len(sizes), -1).sort(axis=2)
        return
    for end, size in zip(np.cumsum(sizes).tolist(), sizes.tolist(), strict=True):
        words[:, end - size : end].sort(axis=1)


def _by_stratum(counts: Counts, most: Whole) -> Counts:
    """Sum the blocks of each stratum; every stratum has at least one."""
    return np.add.reduceat(counts, np.cumsum(most) - most, axis=1)


def _in_place(plan: Design, side_by_side: Codes) -> Codes:
    """From units sorted by stratum to units as given."""
    order = np.argsort(plan.stratum, kind="stable")
    if np.array_equal(order, np.arange(len(order))):
        return side_by_side
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    return side_by_side[:, back]
