"""Adding to the record, always inside the transaction of the act itself."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection

from equipoise.platform.audit.canonical import canonical
from equipoise.platform.audit.merkle import merkle_root
from equipoise.platform.audit.models import Chain, Entry, Seal
from equipoise.platform.clock import now
from equipoise.platform.kept import KeptQuery

__all__ = ["GENESIS", "WORKSPACE_CHAIN", "entry_hash", "hold", "record", "seal"]

WORKSPACE_CHAIN = "workspace"
_HELD: KeptQuery[Chain] = KeptQuery(lambda name: Chain.objects.select_for_update().filter(name=name), "name")
GENESIS = hashlib.sha256(b"equipoise/audit/1").hexdigest()


def record(chain: str, actor: str, verb: str, details: Mapping[str, Any]) -> Entry:
    """Add an act to a chain.

    Args:
        chain: the study's id, or `WORKSPACE_CHAIN`.
        actor: who did it, as `staff:7`, `participant:KEY`, `command-line` or `system`; never a name.
        verb: what was done, as `people.import`.
        details: counts, hashes, keys; a personal value only as a digest under the participant's data key.
    Raises:
        RuntimeError: not inside a transaction; an act and its entry are stored together or not at all.
    """
    if not connection.in_atomic_block:
        raise RuntimeError(f"{verb} is recorded outside the transaction that does it")
    head = _held(chain)
    entry = Entry(
        chain=head,
        number=head.number + 1,
        at=now().strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        actor=actor,
        verb=verb,
        details=canonical(json.loads(json.dumps(details))).decode(),
        previous=head.head,
    )
    entry.hash = entry_hash(entry)
    entry.save(force_insert=True)
    Chain.objects.filter(name=chain).update(number=entry.number, head=entry.hash)
    return entry


def _held(chain: str) -> Chain:
    """The chain's row, locked; made where this is the first entry."""
    found = _HELD.first(chain)
    if found is not None:
        return found
    Chain.objects.bulk_create([Chain(name=chain, head=GENESIS)], ignore_conflicts=True)
    return Chain.objects.select_for_update().get(name=chain)


def hold(chain: str) -> Chain:
    """Hold a chain until the transaction ends; what is then read of it stays so.

    Raises:
        RuntimeError: not inside a transaction; an act and its entry are stored together or not at all.
    """
    if not connection.in_atomic_block:
        raise RuntimeError(f"the record of {chain} is written outside the transaction of the act itself")
    found = Chain.objects.select_for_update().filter(name=chain).first()
    if found is None:
        Chain.objects.get_or_create(name=chain, defaults={"head": GENESIS})
        found = Chain.objects.select_for_update().get(name=chain)
    return found


def seal(chain: str, kind: str, leaves: Sequence[bytes]) -> Seal:
    """Enter the Merkle root over new rows of one kind.

    Args:
        chain: the study's id.
        kind: which rows, as `submissions`.
        leaves: each row in its canonical form, in the order in which `verify` will read them.
    """
    root = merkle_root(leaves)
    entry = record(chain, "system", f"{kind}.seal", {"rows": len(leaves), "root": root})
    return Seal.objects.create(chain_id=chain, entry=entry, kind=kind, rows=len(leaves), root=root)


def entry_hash(entry: Entry) -> str:
    """SHA-256 of the entry's canonical JSON, the hash of the entry before it included."""
    said = {
        "chain": entry.chain_id,
        "number": entry.number,
        "at": entry.at,
        "actor": entry.actor,
        "verb": entry.verb,
        "details": entry.details,
        "previous": entry.previous,
    }
    return hashlib.sha256(canonical(said)).hexdigest()
