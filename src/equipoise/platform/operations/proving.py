"""Whether a restored workspace is what the backup said: its record computed anew, its heads compared."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from equipoise.platform.audit.actions import WORKSPACE_CHAIN, record
from equipoise.platform.audit.queries import Head, heads, verdicts
from equipoise.platform.database import snapshot, writing
from equipoise.platform.delivery.engine.sealing import event_faults
from equipoise.platform.fieldwork.sealing import seal_faults
from equipoise.platform.operations.keys import key_faults
from equipoise.platform.operations.restoring import Restored
from equipoise.platform.operations.retention.deleting import waiting
from equipoise.platform.operations.schema import bring_up_to_date, note_version
from equipoise.platform.registry.models import Study
from equipoise.platform.staff.actions import CommandLine

__all__ = ["Proof", "prove"]


@dataclass(frozen=True)
class Proof:
    """What was found in a restored workspace.

    Attributes:
        chains, entries: how many were computed anew.
        faults: what does not fit.
        keys: keys that are missing or do not open what they should, each with what is wrong.
        due: what the worker deletes as soon as it runs, because its time has come since the backup was made.
    """

    chains: int
    entries: int
    faults: tuple[str, ...]
    keys: tuple[tuple[str, str], ...]
    due: tuple[str, ...]


def prove(restored: Restored) -> Proof:
    """Bring the tables up to date, compute the record anew, and enter the restoration in it.

    Args:
        restored: the workspace, which Django is ready for.
    """
    with snapshot():
        found = verdicts()
        faults = [fault for chain in found for fault in chain.faults]
        said = {name: Head(kept.number, kept.head) for name, kept in restored.manifest.heads.items()}
        faults += _head_faults(said, heads())
    bring_up_to_date()
    note_version()
    with snapshot():
        there = list(Study.objects.order_by("name"))
        faults += [fault for study in there for fault in seal_faults(study)]
        faults += [fault for study in there for fault in event_faults(study)]
        keys = tuple(key_faults())
        due = tuple(f"{timer.kind} of {study.name}" for study in there for timer in waiting(study))
    with writing():
        details = {"backup": restored.digest, "made_at": restored.manifest.made_at, "faults": len(faults)}
        record(WORKSPACE_CHAIN, CommandLine().actor, "workspace.restore", details)
    return Proof(len(found), sum(chain.entries for chain in found), tuple(faults), keys, due)


def _head_faults(said: Mapping[str, Head], found: Mapping[str, Head]) -> Iterator[str]:
    for name in sorted({*said, *found}):
        if said.get(name) != found.get(name):
            yield f"{name}: the end of this chain is not the one that the backup's manifest names"
