"""An uploaded table between its upload and its confirmation: encrypted, its uploader's alone, for a day."""

import hashlib
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from equipoise.platform.clock import now
from equipoise.platform.crypto import new_data_key, open_bytes, seal_bytes, unwrap, wrap
from equipoise.platform.database import writing
from equipoise.platform.people.models import PendingImport
from equipoise.platform.people.reading import RosterSource
from equipoise.platform.permissions import Acting
from equipoise.platform.registry.models import Study
from equipoise.roster import Mapping as ColumnMapping

__all__ = [
    "choose",
    "drop",
    "drop_expired",
    "drop_left_behind",
    "keep",
    "kept_by",
    "rewrap_files",
    "safe_name",
    "source_of",
    "the_pending",
]

_KEPT = timedelta(days=1)
_WORKED_AT_SECONDS = 3600
_FIELD = "roster"
_ROSTERS = ("import", "update")


def keep(who: Acting, study: Study, name: str, path: Path, kind: str) -> PendingImport:
    """Keep a file until it is confirmed; only its encrypted form is stored.

    Args:
        who: uploads it; nobody else can go on with it.
        study: for which it is.
        name: of the file, as the browser said it.
        path: where it lies for the moment.
        kind: import, update or, of an HR extract, extract.
    """
    content = path.read_bytes()
    hashed, key = hashlib.sha256(content).hexdigest(), new_data_key()
    owner = f"{study.name}/{hashed}"
    with writing():
        drop_expired()
        return PendingImport.objects.create(
            study=study,
            actor=who.actor,
            name=safe_name(name),
            file_hash=hashed,
            data_key=wrap(key, settings.WORKSPACE.contact_keys(), owner),
            sealed=seal_bytes(key, content, owner, _FIELD),
            choices={"kind": kind},
            at=now(),
        )


def the_pending(
    who: Acting, study: Study, number: int, kinds: Sequence[str] = _ROSTERS
) -> PendingImport | None:
    """The upload of this number; None where there is none any more, or it is somebody else's.

    Args:
        who: uploaded it.
        study: for which it is.
        number: its own.
        kinds: what it may be for.
    """
    mine = _mine(who, study, kinds).select_related("study")
    return mine.filter(pk=number).first()


def kept_by(who: Acting, study: Study, kinds: Sequence[str] = _ROSTERS) -> list[PendingImport]:
    """What somebody has uploaded and neither confirmed nor discarded, newest first, without its content."""
    return list(_mine(who, study, kinds).defer("sealed").order_by("-pk"))


def choose(pending: PendingImport, choices: Mapping[str, Any]) -> None:
    """Keep what was chosen for a file, beside what was before."""
    pending.choices = {**pending.choices, **choices}
    with writing():
        pending.save(update_fields=["choices"])


def drop(pending: PendingImport) -> None:
    """Forget a file, with its key."""
    with writing():
        PendingImport.objects.filter(pk=pending.pk).delete()


def drop_expired() -> int:
    """Forget every file that is older than a day, and say how many were."""
    with writing():
        return PendingImport.objects.filter(at__lt=now() - _KEPT).delete()[0]


def drop_left_behind() -> int:
    """Delete what a process that was killed left of the files that it worked at, and say how much that was.

    Whoever works at a file removes it; nobody works at one for an hour.
    """
    place, count = Path(settings.WORKSPACE.folder) / "uploads", 0
    for each in place.iterdir() if place.is_dir() else ():
        with suppress(FileNotFoundError):
            if time.time() - each.stat().st_mtime > _WORKED_AT_SECONDS:
                shutil.rmtree(each) if each.is_dir() else each.unlink()
                count += 1
    return count


def rewrap_files() -> int:
    """Wrap the key of every file by the newest of the workspace's keys; inside the rotation's transaction."""
    keys = settings.WORKSPACE.contact_keys()
    newest = list(keys)[-1]
    rows = (
        PendingImport.objects.select_related("study")
        .defer("sealed")
        .exclude(data_key__startswith=f"{newest}:")
    )
    for row in rows:
        row.data_key = wrap(unwrap(row.data_key, keys, _owner(row)), keys, _owner(row))
        row.save(update_fields=["data_key"])
    return len(rows)


@contextmanager
def source_of(pending: PendingImport) -> Iterator[RosterSource]:
    """The file as something to read, as it was chosen to be read; nothing of it is left behind."""
    owner = _owner(pending)
    key = unwrap(pending.data_key, settings.WORKSPACE.contact_keys(), owner)
    content = open_bytes(key, bytes(pending.sealed), owner, _FIELD)
    chosen = pending.choices
    place = settings.WORKSPACE.folder / "uploads"
    place.mkdir(mode=0o700, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place) as folder:
        path = Path(folder) / pending.name
        path.write_bytes(content)
        yield RosterSource(
            path,
            ColumnMapping(chosen["columns"]) if "columns" in chosen else None,
            chosen.get("constants", {}),
            chosen.get("partner"),
            chosen.get("good_rows_only", False),
            chosen.get("encoding"),
        )


def safe_name(name: str) -> str:
    """A file's name as it is shown and kept: its last part, letters, digits and a few marks."""
    last = name.replace("\\", "/").rpartition("/")[2]
    kept = re.sub(r"[^\w .()\-]", "_", last).strip(". ")[-100:]
    return kept or "roster"


def _mine(who: Acting, study: Study, kinds: Sequence[str]) -> "QuerySet[PendingImport]":
    mine = PendingImport.objects.filter(study=study, actor=who.actor, at__gte=now() - _KEPT)
    return mine.filter(choices__kind__in=list(kinds))


def _owner(pending: PendingImport) -> str:
    return f"{pending.study.name}/{pending.file_hash}"
