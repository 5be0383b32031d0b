"""Many draws at once by numpy's generators: what the methods with fixed counts share.

The distribution is that of the verifiable draw (ties between random keys, which could favour an arm, have a
chance of under one in 2**30 for any two units); the numbers are not, and cannot be, as this needs no seed of
allocation.
"""

import numpy as np
import numpy.typing as npt

from equipoise.allocation.design import Codes, Counts, Design

__all__ = ["Whole", "drawn_slots", "in_place", "shuffled"]

Generator = np.random.Generator
Whole = npt.NDArray[np.int64]


def drawn_slots(
    plan: Design, slots: Whole, take: Whole, rng: Generator, stratum: Whole | None = None
) -> Counts:
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


def shuffled(plan: Design, counts: Counts, sizes: Whole, rng: Generator) -> Codes:
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


def in_place(plan: Design, side_by_side: Codes) -> Codes:
    """From units sorted by stratum to units as given."""
    order = np.argsort(plan.stratum, kind="stable")
    if np.array_equal(order, np.arange(len(order))):
        return side_by_side
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    return side_by_side[:, back]


def _sort_cells(words: npt.NDArray[np.uint64], sizes: Whole) -> None:
    """In place, cell by cell, where every trial has the same cells: quicker than by words with the cell."""
    if len(set(sizes.tolist())) == 1:
        words.reshape(len(words), len(sizes), -1).sort(axis=2)
        return
    for end, size in zip(np.cumsum(sizes).tolist(), sizes.tolist(), strict=True):
        words[:, end - size : end].sort(axis=1)
