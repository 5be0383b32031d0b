"""A study folder that arrives as a zip file from somebody else: refused as a whole, or unpacked as a whole.

What is looked at before anything is unpacked: the list of entries (`archive`), their names (`names`). While
unpacking: every size and checksum, and the contents of media (`contents`). Archives inside the archive are
files like any other and are never opened. Nothing is put in place unless all of it is good.
"""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from equipoise.errors import InputError, Problem
from equipoise.protocol.intake.archive import Entry, Limits, list_entries, pieces
from equipoise.protocol.intake.contents import content_problem
from equipoise.protocol.intake.names import clash_problems, is_litter, name_problem, shown

__all__ = ["Limits", "unpack_study"]

PROTOCOL = "protocol.yaml"
_MOST_TOLD = 20


def unpack_study(
    archive: Path | BinaryIO, folder: Path, *, name: str | None = None, limits: Limits | None = None
) -> tuple[str, ...]:
    """Unpack a study from a zip file into a new folder.

    Args:
        archive: the zip file, or an open one that can be read and searched; bytes go in as `io.BytesIO`.
        folder: where the study shall be; it must not exist yet, and the folder above it must.
        name: of the archive, for messages; the file's own name when left out.
        limits: how many files and bytes are taken at most.
    Returns:
        The paths of the files unpacked, sorted. A single folder around everything is left away.
    Raises:
        InputError: with every entry that is refused; then there is no folder, nor anything else left behind.
    """
    limits = limits or Limits()
    if isinstance(archive, Path):
        place = name or archive.name
        if not archive.is_file():
            raise InputError(Problem(place, "", "there is no such file; choose the zip file of a study"))
        with archive.open("rb") as stream:
            return _unpack(stream, folder, place, limits)
    return _unpack(archive, folder, name or "the zip file", limits)


def _unpack(stream: BinaryIO, folder: Path, place: str, limits: Limits) -> tuple[str, ...]:
    if folder.exists():
        raise InputError(Problem(folder.name, "", "there is already a folder of this name; choose another"))
    entries = list_entries(stream, place, limits)
    named = {entry.name: entry for entry in entries if not is_litter(entry.name)}
    _refuse_names([entry.name for entry in entries], place)
    files = _below_the_top({name: entry for name, entry in named.items() if not name.endswith("/")})
    if PROTOCOL not in files:
        message = (
            "there is no protocol.yaml in it, at the top or in a single folder; pack the folder of one study"
        )
        raise InputError(Problem(place, "", message))
    beside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        _write(stream, files, beside, place)
        beside.rename(folder)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    return tuple(sorted(files))


def _refuse_names(names: list[str], place: str) -> None:
    problems = [
        Problem(place, shown(name), problem) for name in names if (problem := name_problem(name)) is not None
    ]
    if not problems:
        problems = [Problem(place, shown(name), message) for name, message in clash_problems(names)]
    _raise(problems)


def _below_the_top(files: Mapping[str, Entry]) -> dict[str, Entry]:
    """The files by their path in the study: without the folder that holds all of them, if there is one."""
    tops = {name.partition("/")[0] for name in files}
    if PROTOCOL in files or len(tops) != 1:
        return dict(files)
    return {name.partition("/")[2]: entry for name, entry in files.items() if "/" in name}


def _write(stream: BinaryIO, files: Mapping[str, Entry], folder: Path, place: str) -> None:
    """Write every file, the first bytes of each held against its kind."""
    problems: list[Problem] = []
    for path, entry in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        first: bytes | None = None
        with target.open("wb") as file:
            for piece in pieces(stream, entry, place):
                first = piece if first is None else first
                file.write(piece)
        problem = content_problem(PurePosixPath(path), first or b"")
        if problem is not None:
            problems.append(Problem(place, shown(path), problem))
    _raise(problems)


def _raise(problems: list[Problem]) -> None:
    if len(problems) > _MOST_TOLD:
        rest = Problem("", "", f"and {len(problems) - _MOST_TOLD:,} more")
        problems = [*problems[:_MOST_TOLD], rest]
    if problems:
        raise InputError(problems)
