"""Reading the record, and computing it anew."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from equipoise.platform.audit.actions import GENESIS, entry_hash
from equipoise.platform.audit.models import Chain, Entry, Seal

__all__ = ["ChainVerdict", "Head", "anchor_faults", "chain_faults", "entries", "heads", "seals", "verdicts"]


@dataclass(frozen=True)
class Head:
    """How far a chain goes: the number of its last entry, and that entry's hash."""

    number: int
    head: str


@dataclass(frozen=True)
class ChainVerdict:
    """What re-computing a chain found: how many entries, its head, and what does not fit."""

    chain: str
    entries: int
    head: str
    faults: tuple[str, ...]


def verdicts() -> list[ChainVerdict]:
    """Every chain, computed anew."""
    return [
        ChainVerdict(chain.name, chain.number, chain.head, tuple(chain_faults(chain)))
        for chain in Chain.objects.order_by("name")
    ]


def chain_faults(chain: Chain) -> Iterator[str]:
    """What does not fit in a chain: an entry changed, removed, put elsewhere, or cut off at the end."""
    previous, number = GENESIS, 0
    for entry in Entry.objects.filter(chain=chain).order_by("number").iterator(chunk_size=2_000):
        number += 1
        if entry.number != number:
            yield f"{chain.name}: entry {number} is missing; the next is {entry.number}"
            number = entry.number
        elif entry.previous != previous:
            yield f"{chain.name}: entry {number} does not follow the entry before it"
        if entry.hash != entry_hash(entry):
            yield f"{chain.name}: entry {number} was changed after it was written"
        previous = entry.hash
    if (number, previous) != (chain.number, chain.head):
        yield f"{chain.name}: the chain ends at entry {number}, and its head says {chain.number}"


def heads() -> dict[str, Head]:
    """The head of each chain, to be published where others keep it."""
    found = Chain.objects.order_by("name").values_list("name", "number", "head")
    return {name: Head(number, head) for name, number, head in found}


def anchor_faults(anchor: Mapping[str, Head]) -> Iterator[str]:
    """What does not fit between the chains and heads that somebody else kept.

    A chain alone cannot tell that its end was cut off, or that all of it was written anew.
    """
    held = heads()
    for name, kept in sorted(anchor.items()):
        if name not in held:
            yield f"{name}: the chain is gone; its head was kept at entry {kept.number}"
        elif held[name].number < kept.number:
            yield f"{name}: the chain ends at entry {held[name].number}; its head was kept at {kept.number}"
        elif _hash_at(name, kept.number) != kept.head:
            yield f"{name}: entry {kept.number} is not the one whose hash was kept; the chain was rewritten"


def _hash_at(chain: str, number: int) -> str | None:
    return Entry.objects.filter(chain_id=chain, number=number).values_list("hash", flat=True).first()


def entries(chain: str) -> Any:
    """The entries of a chain, newest first, as a query that can be narrowed and sliced."""
    return Entry.objects.filter(chain_id=chain).order_by("-number")


def seals(chain: str, kind: str) -> Any:
    """The seals of one kind of rows, oldest first, as a query."""
    return Seal.objects.filter(chain_id=chain, kind=kind).select_related("entry").order_by("pk")
