"""The dose in the exported frame, held against what arrived and what was opened."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from equipoise.platform.rehearsal.production import Production
from equipoise.platform.rehearsal.servers.post import Message
from equipoise.platform.rehearsal.verdict import Check
from equipoise.platform.rehearsal.verdict.messages import Arrived

__all__ = ["dose_check"]


def dose_check(production: Production, messages: Sequence[Message], export: Path) -> Check:
    """Whether the frame says of everybody how much of the intervention reached them.

    Args:
        production: as it ended.
        messages: everything that arrived.
        export: the folder of the export.
    """
    frame = pl.read_parquet(export / "participants.parquet")
    owners = {key: identifier for identifier, key in production.keys.items()}
    contacts = production.folder.protocol.contacts
    arrived = Arrived(production, messages).known
    came = Counter(person for person, send, _ in arrived if send in contacts)
    faults: list[str] = []
    for row in frame.iter_rows(named=True):
        identifier = owners[row[frame.columns[0]]]
        told = {"dose_sent": came[identifier], "dose_opened": production.opened[identifier]}
        faults += [f"{identifier}: {text}" for text in _differences(row, told)]
        left = production.left.get(identifier)
        if "dose_opted_out_at" in row and (row["dose_opted_out_at"] is None) != (left is None):
            faults.append(f"{identifier}: dose_opted_out_at does not say what they did")
    counted = sum(came.values()) if "dose_sent" in frame.columns else 0
    return Check("dose", "The data say how much reached each participant", counted, tuple(faults))


def _differences(row: Mapping[str, Any], told: Mapping[str, int]) -> Iterator[str]:
    for name, count in told.items():
        if name in row and row[name] != count:
            yield f"{name} is {row[name]} in the data, and {count} happened"
