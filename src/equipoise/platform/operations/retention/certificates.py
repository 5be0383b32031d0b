"""The certificate of a deletion: what, how much, when, by which rule; nothing of any person."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from equipoise import __version__
from equipoise.platform.audit.canonical import canonical
from equipoise.platform.audit.queries import entries
from equipoise.platform.operations.models import Deletion
from equipoise.platform.operations.retention.timers import Timer
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import current_version, folder_of
from equipoise.protocol.times import parse_duration, shift

__all__ = [
    "DELETED",
    "KINDS",
    "certificate_faults",
    "certificate_lines",
    "hash_of",
    "new_certificate",
    "written",
]

DELETED = "data.delete"
KINDS = {
    "contacts": "everything by which participants are reached or found again",
    "answers": "everything that participants said, and all that was said of them",
}
_KEPT = {
    "contacts": "codes, answers, what the roster says besides, consents, arms, and the record",
    "answers": "codes, arms, that somebody left and when, digests under the seals, and the record",
}


def new_certificate(
    study: Study, timer: Timer, deleted: Mapping[str, int], at: datetime, actor: str
) -> dict[str, Any]:
    """What a certificate says.

    Args:
        study: whose data were deleted.
        timer: by which they were due.
        deleted: how many rows or files, by what they are called.
        at: when.
        actor: who did it, as the record names them.
    """
    version = current_version(study)
    return {
        "certificate": "deletion/1",
        "equipoise": __version__,
        "study": study.name,
        "title": study.title,
        "kind": timer.kind,
        "says": KINDS[timer.kind],
        "kept_for": timer.kept,
        "answering_ended_at": _written(timer.ended),
        "due_at": _written(timer.due),
        "deleted_at": _written(at),
        "by": actor,
        "protocol": {"version": version.number, "hash": version.protocol_hash},
        "deleted": dict(deleted),
        "stays": _KEPT[timer.kind],
        "backups": _backups(study, at),
    }


def hash_of(certificate: str) -> str:
    """SHA-256 of a certificate as it is kept, hexadecimal: what the study's record holds of it."""
    return hashlib.sha256(certificate.encode()).hexdigest()


def certificate_lines(deletion: Deletion) -> Iterator[str]:
    """A certificate in words, a line at a time."""
    said = json.loads(deletion.certificate)
    yield f"Certificate of deletion: {said['title']} ({said['study']})"
    yield ""
    yield f"What was deleted   {said['says']}"
    for name, number in said["deleted"].items():
        yield f"{'':<18} {number:>11,} {name}"
    yield f"When               {said['deleted_at']}, by {said['by']}"
    yield f"It was due         {said['due_at']}: {said['kept_for']} after {said['answering_ended_at']},"
    yield f"{'':<18} when answering ended"
    yield f"Protocol           version {said['protocol']['version']}, SHA-256 {said['protocol']['hash']}"
    yield f"What stays         {said['stays']}"
    yield f"Backups            {_backups_in_words(said['backups'])}"
    yield f"This certificate   SHA-256 {deletion.hash}, as in the record of {said['study']}"


def certificate_faults(study: Study) -> Iterator[str]:
    """What does not fit between the certificates and the record; for `verify`."""
    told = entries(study.name).filter(verb=DELETED).values_list("details", flat=True)
    entered = {json.loads(details)["certificate"] for details in told}
    for row in Deletion.objects.filter(study=study).order_by("pk"):
        if row.hash != hash_of(row.certificate):
            yield f"{study.name}: certificate {row.pk} was changed after it was made"
        if row.hash not in entered:
            yield f"{study.name}: certificate {row.pk} is not in the record"
        entered.discard(row.hash)
    if entered:
        yield f"{study.name}: {len(entered)} certificates that the record names are gone"


def written(said: Mapping[str, Any]) -> str:
    """A certificate as it is kept and hashed: canonical JSON."""
    return canonical(dict(said)).decode()


def _backups(study: Study, at: datetime) -> dict[str, str | None]:
    """Until when backups still hold what was deleted, as far as the workspace says how long it keeps them."""
    kept = settings.WORKSPACE.settings.backups_kept
    if kept is None:
        return {"kept_for": None, "until": None}
    length = parse_duration(kept)
    zone = ZoneInfo(folder_of(study).protocol.study.timezone)
    return {"kept_for": length.text, "until": _written(shift(at, length.count, length.unit, zone))}


def _backups_in_words(said: Mapping[str, str | None]) -> str:
    if said["until"] is None:
        return "made before this still hold it, encrypted; how long they are kept is not said here"
    return f"made before this still hold it, until {said['until']} at the latest ({said['kept_for']})"


def _written(moment: datetime | None) -> str | None:
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")
