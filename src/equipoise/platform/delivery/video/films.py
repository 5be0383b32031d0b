"""How long a film or recording lasts, by what its file says of itself.

ISO/IEC 14496-12, 8.2.2: the box `mvhd` inside `moov` holds the time scale and the duration. A file that is
none of this family, or says nothing, has no length here; the player then tells its own.
"""

import struct
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

__all__ = ["seconds_of"]

_HEADER = struct.Struct(">I4s")
_LARGEST_MOVIE_BOX = 64 * 1024 * 1024
_MOST_BOXES = 1_000
_DURATIONS = {
    0: (struct.Struct(">II"), 12),
    1: (struct.Struct(">IQ"), 20),
}  # by version, and where they begin


@lru_cache(maxsize=256)  # what a version of a study holds never changes
def seconds_of(place: Path) -> float | None:
    """The length of a film in seconds; None where its file does not say it.

    Args:
        place: of the file.
    """
    try:
        with place.open("rb") as file:
            movie = _box(file, b"moov", place.stat().st_size)
    except OSError:
        return None
    return _length(movie) if movie is not None else None


def _box(file: BinaryIO, wanted: bytes, end: int) -> bytes | None:
    """What a box of the file holds; others are passed over unread."""
    for _ in range(_MOST_BOXES):
        start = file.tell()
        head = file.read(_HEADER.size)
        if len(head) < _HEADER.size:
            return None
        size, name = _HEADER.unpack(head)
        if size == 1:
            (size,) = struct.unpack(">Q", file.read(8).ljust(8, b"\0"))
        size = size or end - start
        inside = start + size - file.tell()
        if inside < 0 or start + size > end:
            return None
        if name == wanted:
            return file.read(inside) if inside <= _LARGEST_MOVIE_BOX else None
        file.seek(inside, 1)
    return None


def _length(movie: bytes) -> float | None:
    at = movie.find(b"mvhd")
    body = movie[at + 4 :] if at >= 0 else b""
    layout, begins = _DURATIONS.get(body[0] if body else -1, (None, 0))
    if layout is None or len(body) < begins + layout.size:
        return None
    scale, duration = layout.unpack_from(body, begins)
    return duration / scale if scale and duration else None
