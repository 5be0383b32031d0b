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
from equipoise.protocol.assets import asset_of

__all__ = ["dose_check", "film_checks"]

_AS_GOOD_AS = 0.01  # players tell, and the platform keeps, hundredths of a second


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


def film_checks(production: Production, messages: Sequence[Message], export: Path) -> Iterator[Check]:
    """Whether the frame says of everybody how much of their films was played; nothing of a study without any.

    Args:
        production: as it ended.
        messages: everything that arrived.
        export: the folder of the export.
    """
    contacts = production.folder.protocol.contacts
    assets = {name: asset_of(production.folder, each.asset) for name, each in contacts.items() if each.asset}
    films = {name for name, asset in assets.items() if asset.kind != "file"}
    frame = pl.read_parquet(export / "participants.parquet")
    if not films or "dose_share_watched" not in frame.columns:
        return
    came = Counter(person for person, send, _ in Arrived(production, messages).known if send in films)
    owners = {key: identifier for identifier, key in production.keys.items()}
    faults = []
    for key, share in frame.select(frame.columns[0], "dose_share_watched").iter_rows():
        identifier = owners[key]
        played = production.played[identifier] / came[identifier] if came[identifier] else None
        if not _alike(share, played):
            faults.append(
                f"{identifier}: {_share(share)} of the films in the data, and {_share(played)} played"
            )
    title = "The data say how much of the films was played"
    yield Check("films", title, sum(map(bool, production.played.values())), tuple(faults))


def _alike(share: float | None, played: float | None) -> bool:
    if share is None or played is None:
        return share is played
    return abs(share - played) < _AS_GOOD_AS


def _share(share: float | None) -> str:
    return "nothing" if share is None else f"{share:.0%}"


def _differences(row: Mapping[str, Any], told: Mapping[str, int]) -> Iterator[str]:
    for name, count in told.items():
        if name in row and row[name] != count:
            yield f"{name} is {row[name]} in the data, and {count} happened"
