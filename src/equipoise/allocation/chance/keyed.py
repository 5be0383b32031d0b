"""Keyed chance: numbers that the seed fixes, nobody without it can foretell, and any language can repeat.

Every number is HMAC-SHA256(seed, message), read as 32 bytes, most significant first. Messages, version 1, in
UTF-8
(`0` stands for one zero byte, which no name may hold; numbers are decimal, counted from 1):

    stage unit                            the order of units within a stratum; with `simple`, the unit's arm
    stage 0 leftover 0 stratum 0 slot     the order in which a stratum's leftover units draw from the slots
    stage 0 size 0 stratum 0 block        the size of a block
    stage 0 slot 0 stratum 0 block 0 slot the order of the slots in a block
    stage 0 arrival 0 stratum 0 number    the arm of the number-th to arrive: rolling enrolment, `simple`
    stage 0 coin 0 stratum 0 number       the number-th unit of a minimisation: which slot it gets
    stage 0 candidate 0 number 0 unit     the order of units in the number-th candidate of a rerandomisation;
                                          so with every other message: what follows `stage` follows here

Smaller comes first. HMAC: RFC 2104.
"""

import hashlib
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from equipoise.errors import InputError, Problem

__all__ = ["Key", "order_within"]

_BLOCK = 64  # bytes that SHA-256 takes at a time
_DIGEST = 32


class Key:
    """The numbers of one stage."""

    def __init__(self, seed: bytes, stage: str) -> None:
        if len(seed) != _DIGEST:
            raise InputError(Problem("", "seed", f"found {len(seed)} bytes, expected {_DIGEST}."))
        padded = seed.ljust(_BLOCK, b"\0")
        # The two halves of HMAC up to where the messages differ: a million copies cost a third of a million
        # HMACs.
        self._inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded) + stage.encode())
        self._outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in padded))

    def within(self, purpose: str, number: int) -> "Key":
        """The numbers of one of many draws: every message goes on after `stage 0 purpose 0 number 0`."""
        key = Key.__new__(Key)
        key._inner, key._outer = self._inner.copy(), self._outer
        key._inner.update(f"\0{purpose}\0{number}\0".encode())
        return key

    def digests(self, endings: Iterable[bytes]) -> bytes:
        """The numbers of many messages, one after the other; a message is the stage's name and its ending."""
        inner_copy, outer_copy = self._inner.copy, self._outer.copy
        numbers = []
        for ending in endings:
            inner, outer = inner_copy(), outer_copy()
            inner.update(ending)
            outer.update(inner.digest())
            numbers.append(outer.digest())
        return b"".join(numbers)

    def number(self, purpose: str, *parts: str | int) -> bytes:
        """The number of one message of a named purpose."""
        return self.digests(["\0".join(("", purpose, *map(str, parts))).encode()])

    def slots(self, count: int, purpose: str, *parts: str | int) -> list[int]:
        """The places 0 to count - 1 in keyed order: every order equally likely."""
        return sorted(range(count), key=lambda slot: self.number(purpose, *parts, slot + 1))


def order_within(stratum: npt.NDArray[np.intp], digests: bytes) -> npt.NDArray[np.intp]:
    """The units sorted by stratum and, within it, by their numbers.

    Args:
        stratum: shape (n,), codes from 0.
        digests: 32 bytes for each unit, in the units' order.

    Sorts by the first eight bytes, and settles by all 32 the few runs in which these agree.
    """
    first = np.frombuffer(digests, dtype=">u8")[::4].astype(np.uint64)
    order = np.argsort(first)
    order = order[np.argsort(_narrow(stratum)[order], kind="stable")]
    again = (first[order][1:] == first[order][:-1]) & (stratum[order][1:] == stratum[order][:-1])
    for start, end in _runs(again):
        order[start:end] = sorted(
            order[start:end], key=lambda unit: digests[_DIGEST * unit : _DIGEST * (unit + 1)]
        )
    return order


def _narrow(codes: npt.NDArray[np.intp]) -> npt.NDArray[np.unsignedinteger]:
    """Codes of up to 65,536 strata in two bytes, which numpy sorts by radix."""
    return codes.astype(np.uint16 if codes.max(initial=0) < 2**16 else np.uint64)


def _runs(same_as_next: npt.NDArray[np.bool_]) -> Sequence[tuple[int, int]]:
    """Where neighbours agree: start and end of each run."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], same_as_next, [False])).astype(np.int8)))
    return [(int(start), int(end) + 1) for start, end in list(pairwise(edges))[::2]]
