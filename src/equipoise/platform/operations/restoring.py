"""A backup made a workspace again: checked first, unpacked beside its place, put there as a whole.

The new workspace sends nothing until a person says so (`held`).
"""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from equipoise.errors import InputError, Problem
from equipoise.platform.operations.archive import Manifest, digest_of, read_manifest, unpack
from equipoise.platform.operations.marker import HELD, held_text
from equipoise.platform.operations.postgresql import fill_database
from equipoise.platform.operations.whole_file import sync, working_folder
from equipoise.platform.workspace import Workspace, open_workspace, write_key

__all__ = ["Restored", "restore"]

_SIGNING = "signing"
_PLATFORM = Path(__file__).parents[1]


@dataclass(frozen=True)
class Restored:
    """A workspace that was made of a backup.

    Attributes:
        folder: where it lies.
        digest: of the backup.
        manifest: of the backup.
        missing: keys that parts of it cannot be read without, and that are not here.
        new_signing_key: whether a key for sessions and forms was made, as none was given.
    """

    folder: Path
    digest: str
    manifest: Manifest
    missing: tuple[str, ...]
    new_signing_key: bool


def restore(archive: Path, folder: Path, keys: Path | None = None) -> Restored:
    """Make a workspace of a backup; Django is not needed for it and must not be ready yet.

    Args:
        archive: the backup.
        folder: of the workspace; new, or empty.
        keys: the folder of its keys, which are kept apart; they are copied.
    Raises:
        InputError: the backup is damaged, made by a later version, or of another kind of database than the
            one in use; the folder is not empty; a file among the keys is none. Nothing is left behind.
    """
    if not archive.is_file():
        raise InputError(Problem(str(archive), "", "there is no such file; name a backup"))
    _refuse_folder(folder)
    place = archive.name
    with archive.open("rb") as stream:
        digest = digest_of(stream, place)
        manifest = read_manifest(stream, place)
        _refuse_later(manifest, place)
        _refuse_database(manifest)
        _refuse_full(manifest, folder)
        with working_folder(folder.parent) as beside:
            made = beside / "workspace"
            for part in (made, made / "keys", made / "studies", made / "static"):
                part.mkdir(mode=0o700)
            unpack(stream, manifest, made, place)
            (made / HELD).write_text(held_text(place, manifest.made_at), "utf-8")
            _copy_keys(keys, made / "keys")
            missing = _missing(open_workspace(made), manifest)
            if _SIGNING in missing:
                write_key(made / "keys" / f"{_SIGNING}.key")
            _fill_postgresql(made)
            _put_in_place(made, folder)
    others = tuple(name for name in missing if name != _SIGNING)
    return Restored(folder, digest, manifest, others, _SIGNING in missing)


def _refuse_folder(folder: Path) -> None:
    if folder.is_symlink() or (folder.exists() and not (folder.is_dir() and not any(folder.iterdir()))):
        message = "is there already; a backup is restored into a new folder, never over a workspace"
        raise InputError(Problem(str(folder), "", message))
    if not folder.parent.is_dir():
        raise InputError(
            Problem(str(folder.parent), "", "there is no such folder; make it, or name another place")
        )


def _refuse_later(manifest: Manifest, place: str) -> None:
    """A database with tables that this version does not know was made by a later one."""
    known = {f"{path.parents[1].name}.{path.stem}" for path in _PLATFORM.glob("*/migrations/[0-9]*.py")}
    apps = {name.partition(".")[0] for name in known}
    unknown = [name for name in manifest.migrations if name.partition(".")[0] in apps and name not in known]
    if unknown:
        message = f"was made by Equipoise {manifest.equipoise}, which is later than this one ({unknown[0]})"
        raise InputError(Problem(place, "", f"{message}; restore it with that version, or a later one"))


def _refuse_database(manifest: Manifest) -> None:
    named = os.environ.get("DATABASE_URL")
    if manifest.database == "postgresql" and not named:
        message = "the backup is of a PostgreSQL; name a new, empty database in DATABASE_URL"
        raise InputError(Problem("DATABASE_URL", "", message))
    if manifest.database == "sqlite" and named:
        message = (
            "the backup has a database in a file, and DATABASE_URL names another; unset it for the restore"
        )
        raise InputError(Problem("DATABASE_URL", "", message))


def _refuse_full(manifest: Manifest, folder: Path) -> None:
    needed, free = sum(each.size for each in manifest.files.values()), shutil.disk_usage(folder.parent).free
    if free < needed:
        told = f"{needed / 1e6:,.0f} MB are needed, and {free / 1e6:,.0f} MB are free"
        raise InputError(Problem(str(folder.parent), "", f"{told}; make room, or name another disk"))


def _copy_keys(keys: Path | None, target: Path) -> None:
    if keys is None:
        return
    found = sorted(keys.glob("*.key"))
    if not found:
        message = "there are no keys here; name the folder with the files that end in .key"
        raise InputError(Problem(str(keys), "--keys", message))
    for path in found:
        descriptor = os.open(target / path.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(path.read_bytes())


def _missing(made: Workspace, manifest: Manifest) -> list[str]:
    """The keys that are nowhere; one that is no key at all is an error."""
    missing = []
    for name in manifest.keys:
        try:
            made.key(name)
        except InputError:
            if (made.folder / "keys" / f"{name}.key").exists():
                raise
            missing.append(name)
    return missing


def _fill_postgresql(made: Path) -> None:
    dump = made / "database.dump"
    if dump.is_file():
        fill_database(dump, os.environ["DATABASE_URL"])
        dump.unlink()


def _put_in_place(made: Path, folder: Path) -> None:
    for path in _bottom_up(made):
        sync(path)
    made.rename(folder)
    sync(folder.parent)


def _bottom_up(folder: Path) -> Iterator[Path]:
    yield from sorted(folder.rglob("*"), reverse=True)
    yield folder
