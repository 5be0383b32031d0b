"""A zip file that nobody vouches for: its list of entries, and their bytes with every claim checked.

Python's reader gives the list. The bytes are unpacked here, piece by piece, because a size or checksum in the
list is a claim like any other: no more is ever made than an entry said, and less is refused as well.
"""

import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO

from equipoise.errors import InputError, Problem
from equipoise.protocol.intake.names import shown

__all__ = ["Entry", "Limits", "list_entries", "pieces"]

_PIECE = 1 << 16
_HEADER = 30  # bytes of the header in front of an entry, before its name
_END = struct.Struct("<4s4H2LH")  # the record at the end of a zip file
_LONGEST_COMMENT = 1 << 16
_LISTED = 600  # bytes that an entry may take in the list on average: a long path and some extra fields
_SMALL = 100_000  # below this an entry may be packed as tightly as it likes
_REPACK = "pack the folder again with an ordinary zip program"


@dataclass(frozen=True)
class Limits:
    """What is taken at most: `files` (folders count too), `size` in bytes unpacked, and `ratio`, how many
    times an entry may grow."""

    files: int = 2_000
    size: int = 500_000_000
    ratio: int = 200


@dataclass(frozen=True)
class Entry:
    """A file or folder (its name ends in a slash) in the archive, as the archive's list says it.

    `start` is where its header stands; `packed` and `size` are its bytes in the archive and unpacked.
    """

    name: str
    start: int
    packed: int
    size: int
    checksum: int
    deflated: bool


def list_entries(stream: BinaryIO, place: str, limits: Limits) -> tuple[Entry, ...]:
    """What the archive says that it holds, within the limits.

    Args:
        stream: the zip file.
        place: its name, for messages.
        limits: what is taken at most.
    Raises:
        InputError: no zip file, a damaged one, or one that holds too much, or something other than files
            and folders, or entries that nobody could unpack without a password.
    """
    _refuse_long_list(stream, place, limits)
    try:
        with zipfile.ZipFile(stream) as archive:
            found = archive.infolist()
    except (
        zipfile.BadZipFile, NotImplementedError, ValueError, OSError, EOFError, OverflowError, struct.error,
    ):  # fmt: skip
        raise InputError(Problem(place, "", f"this is no zip file, or a damaged one; {_REPACK}")) from None
    if len(found) > limits.files:
        raise _too_many(place, limits)
    problems = [
        Problem(place, shown(entry.orig_filename), problem)
        for entry in found
        if (problem := _refused(entry, limits)) is not None
    ]
    total = sum(entry.file_size for entry in found)
    if total > limits.size:
        told = f"it would take {total:,} bytes unpacked; at most {limits.size:,} are allowed"
        problems.append(Problem(place, "", f"{told}. Take out what is not needed, or make videos smaller"))
    if problems:
        raise InputError(problems[:20])
    entries = tuple(
        Entry(
            entry.orig_filename, entry.header_offset, entry.compress_size, entry.file_size, entry.CRC,
            entry.compress_type == zipfile.ZIP_DEFLATED,
        )
        for entry in found
    )  # fmt: skip
    _refuse_overlap(entries, place)
    return entries


def pieces(stream: BinaryIO, entry: Entry, place: str) -> Iterator[bytes]:
    """The bytes of an entry, never more than it said.

    Raises:
        InputError: the entry is damaged, or is longer or shorter than the list says.
    """
    made = checksum = 0
    try:
        for piece in _inflated(stream, entry) if entry.deflated else _stored(stream, entry):
            made += len(piece)
            if made > entry.size:
                break
            checksum = zlib.crc32(piece, checksum)
            yield piece
    except (zlib.error, EOFError, OSError, ValueError):  # a place before the beginning is a ValueError
        raise InputError(
            Problem(place, shown(entry.name), f"this entry is damaged and cannot be unpacked; {_REPACK}")
        ) from None
    if made != entry.size or checksum != entry.checksum:
        told = f"holds something other than the {entry.size:,} bytes that the zip file says"
        raise InputError(Problem(place, shown(entry.name), f"{told}; {_REPACK}"))


def _refuse_long_list(stream: BinaryIO, place: str, limits: Limits) -> None:
    """Look at the record at the end before the list is read: to read millions of entries is harm enough."""
    stream.seek(0, 2)
    length = stream.tell()
    stream.seek(max(0, length - _LONGEST_COMMENT - _END.size))
    tail = stream.read()
    at = tail.rfind(b"PK\x05\x06", 0, max(0, len(tail) - _END.size + 4))
    if b"PK\x06\x07" in tail[max(0, at - 20) : max(0, at)]:
        raise InputError(Problem(place, "", f"it is a zip file of the kind for more than 4 GB; {_REPACK}"))
    if at < 0:
        return  # the reader says that this is no zip file
    _, _, _, _, count, size, _, _ = _END.unpack_from(tail, at)
    if count > limits.files or size > limits.files * _LISTED:
        raise _too_many(place, limits)


def _too_many(place: str, limits: Limits) -> InputError:
    message = f"it holds more than {limits.files:,} files, which no study needs; pack only the study's folder"
    return InputError(Problem(place, "", message))


def _refused(entry: zipfile.ZipInfo, limits: Limits) -> str | None:
    """Why an entry is not taken, or None."""
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a link or a device, not a file; put the file itself into the folder and pack it again"
    if entry.flag_bits & 0x41:
        return "is protected by a password; pack the folder without one"
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return f"is packed in an uncommon way; {_REPACK}"
    if entry.file_size > limits.size:
        return f"is {entry.file_size:,} bytes long unpacked; at most {limits.size:,} are allowed"
    if entry.file_size > max(_SMALL, limits.ratio * entry.compress_size):
        grown = f"would grow to more than {limits.ratio} times its size"
        return f"{grown}, as no file of a study does; leave it out, or save it anew"
    return None


def _refuse_overlap(entries: tuple[Entry, ...], place: str) -> None:
    """Two entries that share their bytes: how a small file is made to unpack without end."""
    ordered = sorted(entries, key=lambda entry: entry.start)
    for one, other in pairwise(ordered):
        if one.start + _HEADER + one.packed > other.start:
            message = f'shares its bytes with "{shown(one.name)}", as no honest zip file does; {_REPACK}'
            raise InputError(Problem(place, shown(other.name), message))


def _raw(stream: BinaryIO, entry: Entry) -> Iterator[bytes]:
    """The bytes of an entry as they stand in the archive."""
    stream.seek(entry.start)
    header = stream.read(_HEADER)
    if len(header) < _HEADER or not header.startswith(b"PK\x03\x04"):
        raise EOFError
    stream.seek(sum(struct.unpack("<2H", header[26:])), 1)
    left = entry.packed
    while left:
        piece = stream.read(min(left, _PIECE))
        if not piece:
            raise EOFError
        left -= len(piece)
        yield piece


def _stored(stream: BinaryIO, entry: Entry) -> Iterator[bytes]:
    yield from _raw(stream, entry)


def _inflated(stream: BinaryIO, entry: Entry) -> Iterator[bytes]:
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    for raw in _raw(stream, entry):
        piece = inflate.decompress(raw, _PIECE)
        while piece:
            yield piece
            piece = inflate.decompress(inflate.unconsumed_tail, _PIECE)
    if not inflate.eof or inflate.unused_data:
        raise EOFError
