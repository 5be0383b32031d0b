"""The file that a backup is: a tar file with a manifest in front, and behind it the digest of all of it.

`tar tf` lists it, and `head -c -65 FILE | sha256sum` gives the 64 digits that it ends with. A byte that has
flipped anywhere is noticed before anything is unpacked.
"""

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Annotated, Any, Literal, cast

from pydantic import Field, StringConstraints, ValidationError

from equipoise.errors import CheckFailedError, InputError, Problem
from equipoise.protocol.intake.names import clash_problems, name_problem, shown
from equipoise.record import Record, Text

__all__ = [
    "FORMAT",
    "KeptHead",
    "Manifest",
    "Packed",
    "digest_of",
    "pack",
    "packed",
    "read_manifest",
    "unpack",
]

FORMAT = 1
MANIFEST = "manifest.json"
_TAIL = 65  # the digest in hexadecimal, and the end of the line
_PIECE = 1 << 20
_LONGEST_MANIFEST = 100_000_000
_FILES = ("workspace.yaml", "database.sqlite3", "database.dump")
_NONE = "is no backup of a workspace, or was cut short; name the file that `equipoise backup` wrote"

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class KeptHead(Record):
    """How far a chain of the record went when the backup was made."""

    number: int
    head: Digest


class Packed(Record):
    """A file of the backup."""

    size: int = Field(ge=0)
    sha256: Digest


class Manifest(Record):
    """What a backup holds, and of which moment.

    `keys` are the names of the keys without which parts of it cannot be read; the keys are not in it.
    """

    format: Literal[1]
    equipoise: Text
    made_at: Text
    mode: Literal["live", "rehearsal"]
    database: Literal["sqlite", "postgresql"]
    database_version: Text
    migrations: tuple[Text, ...]
    heads: dict[str, KeptHead]
    keys: tuple[Text, ...]
    files: dict[str, Packed]


def packed(path: Path) -> Packed:
    """Size and hash of a file."""
    with path.open("rb") as file:
        hashed = hashlib.file_digest(file, "sha256").hexdigest()
    return Packed(size=path.stat().st_size, sha256=hashed)


def pack(stream: IO[bytes], manifest: Manifest, files: Mapping[str, Path]) -> str:
    """Write a backup.

    Args:
        stream: an empty file.
        manifest: with each of the files.
        files: where each lies, by its name in the backup.
    Returns:
        The digest of all of it.
    Raises:
        CheckFailedError: a file is not what the manifest says any more.
    """
    text = json.dumps(manifest.model_dump(by_alias=True, mode="json"), indent=1, ensure_ascii=False).encode()
    through = _Hashing(stream)
    # A stream is only ever written forward, so that the digest can be computed on the way.
    with tarfile.open(fileobj=cast("Any", through), mode="w|", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(_member(MANIFEST, len(text)), _Reading(io.BytesIO(text)))
        for name, path in files.items():
            said = manifest.files[name]
            with path.open("rb") as file:
                reading = _Reading(file)
                archive.addfile(_member(name, said.size), reading)
                changed = reading.hash.hexdigest() != said.sha256 or bool(file.read(1))
            if changed:
                raise CheckFailedError(f"{name} was changed while it was packed; make the backup again")
    digest = through.hash.hexdigest()
    stream.write(f"{digest}\n".encode("ascii"))
    return digest


def digest_of(stream: IO[bytes], place: str) -> str:
    """Compute the digest of a backup again.

    Raises:
        InputError: it is not the one that the backup ends with.
    """
    end = stream.seek(0, 2) - _TAIL
    if end < tarfile.BLOCKSIZE:
        raise InputError(Problem(place, "", _NONE))
    stream.seek(end)
    said = stream.read()
    stream.seek(0)
    found = hashlib.sha256()
    while end and (piece := stream.read(min(end, _PIECE))):
        found.update(piece)
        end -= len(piece)
    if said != f"{found.hexdigest()}\n".encode("ascii"):
        stream.seek(0)
        damaged = "is damaged or cut short: it is not what was written; take another copy of it"
        message = damaged if tarfile.is_tarfile(stream) else _NONE
        raise InputError(Problem(place, "", message))
    return found.hexdigest()


def read_manifest(stream: IO[bytes], place: str) -> Manifest:
    """What a backup says that it holds.

    Raises:
        InputError: it has no manifest, or one of a later version, or names that lead elsewhere.
    """
    stream.seek(0)
    try:
        with tarfile.open(fileobj=stream, mode="r:") as archive:
            first = archive.next()
            if first is None or first.name != MANIFEST or not first.isreg() or first.size > _LONGEST_MANIFEST:
                raise InputError(Problem(place, "", _NONE))
            said = json.loads(b"".join(_content(archive, first)))
    except (tarfile.TarError, ValueError):
        raise InputError(Problem(place, "", _NONE)) from None
    manifest = _parsed(said, place)
    _refuse_names(list(manifest.files), place)
    return manifest


def unpack(stream: IO[bytes], manifest: Manifest, folder: Path, place: str) -> None:
    """Unpack a backup into an empty folder.

    Raises:
        InputError: it holds something else than its manifest says.
    """
    stream.seek(0)
    left = dict(manifest.files)
    try:
        with tarfile.open(fileobj=stream, mode="r:") as archive:
            archive.next()
            while (member := archive.next()) is not None:
                said = left.pop(member.name, None)
                if said is None or not member.isreg() or member.size != said.size:
                    raise _other(place, member.name)
                _write(archive, member, folder / member.name, said, place)
    except tarfile.TarError:
        raise InputError(Problem(place, "", _NONE)) from None
    if left:
        raise _other(place, next(iter(left)))


class _Hashing:
    """Passes on what is written, and computes its hash."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream, self.hash = stream, hashlib.sha256()

    def write(self, piece: bytes) -> int:
        """As a file."""
        self.hash.update(piece)
        return self.stream.write(piece)


class _Reading:
    """Reads from a file, and computes the hash of what was read."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream, self.hash = stream, hashlib.sha256()

    def read(self, size: int = -1, /) -> bytes:
        """As a file."""
        piece = self.stream.read(size)
        self.hash.update(piece)
        return piece


def _member(name: str, size: int) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.size, made.mode = size, 0o600
    return made


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[bytes]:
    file = archive.extractfile(member)
    while file is not None and (piece := file.read(_PIECE)):
        yield piece


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, target: Path, said: Packed, place: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    found = hashlib.sha256()
    with target.open("xb") as file:
        for piece in _content(archive, member):
            found.update(piece)
            file.write(piece)
    target.chmod(0o600)
    if found.hexdigest() != said.sha256:
        raise _other(place, member.name)


def _parsed(said: Any, place: str) -> Manifest:
    number = said.get("format") if isinstance(said, dict) else None
    if isinstance(number, int) and number > FORMAT:
        message = "was made by a later version of Equipoise; restore it with that version, or a later one"
        raise InputError(Problem(place, "", message))
    try:
        return Manifest.model_validate(said)
    except ValidationError:
        raise InputError(Problem(place, MANIFEST, _NONE)) from None


def _refuse_names(names: list[str], place: str) -> None:
    """Every file is one of the workspace's own, and none leads out of it or stands for two."""
    problems = [Problem(place, shown(name), why) for name in names if (why := _name_problem(name))]
    problems = problems or [Problem(place, shown(name), why) for name, why in clash_problems(names)]
    if problems:
        raise InputError(problems[:20])


def _name_problem(name: str) -> str | None:
    known = name in _FILES or (name.startswith("studies/") and not name.endswith("/"))
    return name_problem(name) or (None if known else "is no part of a workspace that is backed up")


def _other(place: str, name: str) -> InputError:
    message = "is not what the manifest says; take another copy of the backup"
    return InputError(Problem(place, shown(name), message))
