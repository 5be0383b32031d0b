"""The films and papers of a study as they are served: from a copy in a bucket, or from the locked folder.

The folder stays the record, and holds every file. Where the workspace names a bucket, the worker copies the
files of `media/` there, each under its SHA-256, and pages take them from there, a part at a time. Where the
bucket cannot be reached, or lacks a file so far, the folder serves it: nobody's film stops for that.
"""

import logging
import time
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

from django.conf import settings
from django.core.files import File
from django.core.files.storage import Storage, storages

from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of
from equipoise.protocol import Study as StudyFolder

__all__ = ["ALIAS", "bucket", "copy_media", "key_of", "lacking", "pieces"]

ALIAS = "media"
_CHUNK = 256 * 1024
_REST_SECONDS = 30.0  # after the bucket could not be reached, before it is asked again
_log = logging.getLogger("equipoise.media")
_copied: set[str] = set()  # by this process, or found to be there
_rests_until = 0.0


def bucket() -> Storage | None:
    """Where copies are; None where the workspace names no bucket."""
    return storages[ALIAS] if settings.WORKSPACE.settings.media is not None else None


def key_of(folder: StudyFolder, name: str) -> str:
    """Under which name a file of a folder lies in the bucket: that of its bytes, whatever study has it."""
    said = settings.WORKSPACE.settings.media
    below = f"{said.folder.strip('/')}/" if said is not None else ""
    return f"{below}{folder.media[name]}{PurePosixPath(name).suffix.lower()}"


def pieces(folder: StudyFolder, name: str, first: int, last: int) -> Iterator[bytes]:
    """Part of a file, piece by piece.

    Args:
        folder: of a version of a study.
        name: of the file, as `folder.media` has it.
        first: the first byte.
        last: the last byte, which is sent as well.
    """
    found = _from_bucket(key_of(folder, name), first, last)
    return _from_folder(folder.folder / name, first, last) if found is None else found


def copy_media() -> int:
    """Copy into the bucket what it lacks, of every version of every study; how many files that was."""
    there = bucket()
    if there is None:
        return 0
    copied = 0
    for study in Study.objects.order_by("pk"):
        for number in study.versions.order_by("number").values_list("number", flat=True):
            copied += _copy(there, folder_of(study, number))
    return copied


def lacking() -> tuple[int, int]:
    """How many files of studies in force the bucket lacks, and of how many.

    Raises:
        OSError: it cannot be read; the message says how it failed, and holds no key.
    """
    there = bucket()
    folders = [folder_of(study) for study in Study.objects.order_by("pk")]
    keys = {key_of(folder, name) for folder in folders for name in folder.media}
    try:
        return sum(there is None or not there.exists(key) for key in keys), len(keys)
    except _failures() as error:
        raise OSError(type(error).__name__) from None


def _copy(there: Storage, folder: StudyFolder) -> int:
    copied = 0
    for name in folder.media:
        key = key_of(folder, name)
        if key in _copied:
            continue
        if not there.exists(key):
            with (folder.folder / name).open("rb") as file:
                there.save(key, File(file))
            copied += 1
        _copied.add(key)
    return copied


def _from_bucket(key: str, first: int, last: int) -> Iterator[bytes] | None:
    """The part from the bucket; None where there is no bucket, or not now."""
    global _rests_until
    there: Any = bucket()
    if there is None or time.monotonic() < _rests_until:
        return None
    try:
        answer = there.bucket.Object(key).get(Range=f"bytes={first}-{last}")
    except _failures() as error:
        if not _is_missing(error):
            _rests_until = time.monotonic() + _REST_SECONDS
            _log.warning("the bucket of media cannot be read (%s); folders serve", type(error).__name__)
        return None
    found: Iterator[bytes] = answer["Body"].iter_chunks(_CHUNK)
    return found


def _failures() -> tuple[type[Exception], ...]:
    """What the library of buckets raises; it is loaded by whoever has a bucket alone."""
    from botocore.exceptions import BotoCoreError, ClientError

    return (BotoCoreError, ClientError)


def _is_missing(error: Exception) -> bool:
    said: Any = getattr(error, "response", {})
    return said.get("Error", {}).get("Code") in ("NoSuchKey", "404")


def _from_folder(place: Path, first: int, last: int) -> Iterator[bytes]:
    left = last - first + 1
    with place.open("rb") as file:
        file.seek(first)
        while left > 0 and (piece := file.read(min(_CHUNK, left))):
            left -= len(piece)
            yield piece
