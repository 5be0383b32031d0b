"""Reading the record, and computing it anew."""

from collections.abc import Iterator
from dataclasses import dataclass

from equipoise.platform.audit.actions import GENESIS, entry_hash
from equipoise.platform.audit.models import Chain, Entry, Seal

__all__ = ["ChainVerdict", "chain_faults", "entries", "heads", "seals", "verdicts"]


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


def heads() -> dict[str, str]:
    """The head of each chain, to be published where others keep it."""
    return dict(Chain.objects.order_by("name").values_list("name", "head"))


def entries(chain: str) -> "list[Entry]":
    """The entries of a chain, newest first, as a query that can be sliced."""
    return Entry.objects.filter(chain_id=chain).order_by("-number")


def seals(chain: str, kind: str) -> "list[Seal]":
    """The seals of one kind of rows, oldest first."""
    return Seal.objects.filter(chain_id=chain, kind=kind).select_related("entry").order_by("pk")
