"""Blocked draws that anybody can make: what a criterion's threshold is measured on.

They come from a stream of numbers that holds no secret and no choice: the n-th four of them are the SHA-256
of `threshold 0 n` (`0` for one zero byte, n decimal and counted from 1), cut into four numbers of eight
bytes, most significant first. Each draw takes the next numbers, stratum by stratum: one for each unit, then,
where units are left over, one for each slot. Units and slots are put in the order of their numbers (equal
ones as they stand), and get their arms as in a blocked draw.
"""

import hashlib
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from equipoise.allocation.design import Codes, Design

__all__ = ["public_draws"]

_AT_ONCE = 2_000_000  # numbers taken in one piece, to bound memory
_NUMBERS = 4  # in one hash


def public_draws(plan: Design, draws: int) -> Iterator[Codes]:
    """Draws of a blocked design, in pieces of shape (some, units).

    Args:
        plan: its units sorted by stratum, in an order that whoever repeats the draws finds too.
        draws: how many.
    """
    left = plan.sizes % plan.shares.sum(axis=1)
    width = len(plan.stratum) + int(plan.shares.sum(axis=1)[left > 0].sum())
    at_once = max(1, _AT_ONCE // width)
    for start in range(0, draws, at_once):
        some = min(at_once, draws - start)
        yield _drawn(plan, left, _stream(start * width, some * width).reshape(some, width))


def _stream(skipped: int, count: int) -> npt.NDArray[np.uint64]:
    """So many numbers of the stream, after those skipped."""
    first, last = skipped // _NUMBERS, -(-(skipped + count) // _NUMBERS)
    hashes = b"".join(
        hashlib.sha256(b"threshold\0%d" % number).digest() for number in range(first + 1, last + 1)
    )
    numbers = np.frombuffer(hashes, dtype=">u8").astype(np.uint64)
    return numbers[skipped - first * _NUMBERS :][:count]


def _drawn(plan: Design, left: npt.NDArray[np.int64], numbers: npt.NDArray[np.uint64]) -> Codes:
    arms = np.empty((len(numbers), len(plan.stratum)), dtype=np.int8)
    unit = taken = 0
    for size, slots, over in zip(plan.sizes.tolist(), plan.slots, left.tolist(), strict=True):
        order = np.argsort(numbers[:, taken : taken + size], axis=1, kind="stable")
        taken += size
        given = np.tile(np.tile(slots, size // len(slots)), (len(numbers), 1))
        if over:
            chosen = np.argsort(numbers[:, taken : taken + len(slots)], axis=1, kind="stable")[:, :over]
            given = np.concatenate([given, slots[chosen]], axis=1)
            taken += len(slots)
        np.put_along_axis(arms[:, unit : unit + size], order, np.sort(given, axis=1).astype(np.int8), axis=1)
        unit += size
    return arms
