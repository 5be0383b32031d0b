"""A backup: one file with the database as of one moment, the studies that it speaks of, and the settings.

Keys are never in it. Whoever finds a backup can read no contact details, and whoever loses the keys cannot
either.
"""

import errno
import shutil
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

from equipoise import __version__
from equipoise.errors import CheckFailedError, InputError, Problem
from equipoise.platform.audit.actions import WORKSPACE_CHAIN, record
from equipoise.platform.database import writing
from equipoise.platform.operations.archive import FORMAT, KeptHead, Manifest, pack, packed
from equipoise.platform.operations.databases import Copied, copy_database, database_size
from equipoise.platform.operations.keys import keys_needed
from equipoise.platform.operations.whole_file import working_folder, written_whole
from equipoise.platform.permissions import Acting, check_permission
from equipoise.platform.workspace import SETTINGS

__all__ = ["Backup", "back_up"]

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True)
class Backup:
    """A backup that was made: where, its digest, how large, and what it says of itself."""

    path: Path
    digest: str
    size: int
    manifest: Manifest


def back_up(who: Acting, out: Path) -> Backup:
    """Make a backup of the workspace while people use it.

    Args:
        who: needs `workspace.backup`.
        out: the new file; there is nothing of that name until all of it is on the disk.
    Raises:
        InputError: there is such a file, or it cannot be written; nothing is left behind.
        CheckFailedError: what is to be packed is damaged or missing.
    """
    check_permission(who, "workspace.backup")
    _refuse_place(out)
    try:
        with working_folder(out.parent) as beside, written_whole(out) as file:
            copied = copy_database(beside)
            files = _files(copied)
            manifest = _manifest(copied, files)
            digest = pack(file, manifest, files)
            size = file.tell()
            # Entered before the file has its name: an entry too many harms nobody, a backup of which nobody
            # knows does.
            with writing():
                record(WORKSPACE_CHAIN, who.actor, "workspace.backup", {"digest": digest, "size": size})
    except FileExistsError:
        raise _there_already(out) from None
    except sqlite3.OperationalError as error:
        raise _not_written(out, "full" in str(error), str(error)) from None
    except OSError as error:
        if error.filename is not None and not error.filename.startswith(str(out.parent)):
            raise  # something that was to be read
        raise _not_written(out, error.errno in _FULL, (error.strerror or "it failed").lower()) from None
    return Backup(out, digest, size, manifest)


def _refuse_place(out: Path) -> None:
    folder = Path(settings.WORKSPACE.folder)
    if out.exists() or out.is_symlink():
        raise _there_already(out)
    if not out.parent.is_dir():
        raise InputError(
            Problem(str(out.parent), "", "there is no such folder; make it, or name another place")
        )
    if out.parent.resolve().is_relative_to(folder.resolve()):
        message = "lies in the workspace itself and would be lost with it; name a place elsewhere"
        raise InputError(Problem(str(out), "", message))
    studies = sum(path.stat().st_size for path in settings.WORKSPACE.studies.rglob("*") if path.is_file())
    needed, free = 2 * database_size() + studies, shutil.disk_usage(out.parent).free
    if free < needed:
        told = f"about {_megabytes(needed)} MB are needed for a while, and {_megabytes(free)} MB are free"
        raise InputError(Problem(str(out.parent), "", f"{told}; make room, or name another disk"))


def _files(copied: Copied) -> dict[str, Path]:
    """What is packed, by its name: only versions of studies that the copy of the database speaks of."""
    folder = Path(settings.WORKSPACE.folder)
    found = {SETTINGS: folder / SETTINGS, copied.path.name: copied.path}
    for version in copied.versions:
        place = settings.WORKSPACE.studies / version
        if not place.is_dir():
            raise CheckFailedError(f"studies/{version} is missing; put it back from an earlier backup")
        inside = sorted(path for path in place.rglob("*") if path.is_file() and not path.is_symlink())
        found |= {path.relative_to(folder).as_posix(): path for path in inside}
    return found


def _manifest(copied: Copied, files: Mapping[str, Path]) -> Manifest:
    return Manifest(
        format=FORMAT,
        equipoise=__version__,
        made_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        mode=settings.WORKSPACE.settings.mode,
        database=copied.kind,
        database_version=copied.version,
        migrations=copied.migrations,
        heads={name: KeptHead(number=head.number, head=head.head) for name, head in copied.heads.items()},
        keys=tuple(keys_needed()),
        files={name: packed(path) for name, path in files.items()},
    )


def _there_already(out: Path) -> InputError:
    message = "is there already, and a backup is never overwritten; name a new file"
    return InputError(Problem(str(out), "", message))


def _not_written(out: Path, full: bool, why: str) -> InputError:
    told = "the disk is full; make room, or name another one" if full else f"cannot be written: {why}"
    return InputError(Problem(str(out), "", f"{told}. Nothing was left behind"))


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:,.0f}"
