"""A new file that is there whole or not at all, and the place for what is needed while it is made."""

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

__all__ = ["sync", "working_folder", "written_whole"]

_WORKING = ".equipoise-at-work-"
_NO_NAMELESS = (errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT, errno.EINVAL)


@contextmanager
def written_whole(place: Path) -> Iterator[IO[bytes]]:
    """A new file, readable by its owner alone, that gets its name when the block ends well.

    Until then it has none where the file system can do that, so that even a process that is killed leaves
    nothing.

    Raises:
        FileExistsError: there is such a file meanwhile; it is left as it is.
    """
    try:
        descriptor = os.open(place.parent, os.O_TMPFILE | os.O_RDWR, 0o600)
    except OSError as error:
        if error.errno not in _NO_NAMELESS:
            raise
        with _named(place) as file:
            yield file
        return
    with os.fdopen(descriptor, "w+b") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
        _give_name(file.fileno(), place)


@contextmanager
def working_folder(beside: Path) -> Iterator[Path]:
    """A folder of our own in a folder; gone afterwards, and if we are killed, with the next one that is made.

    Args:
        beside: where there is room, and where what is made can be moved within one file system.
    """
    _clear(beside)
    place = Path(tempfile.mkdtemp(dir=beside, prefix=_WORKING))
    descriptor = os.open(place, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_SH)  # says that somebody is at work in it
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)
        os.close(descriptor)


def sync(path: Path) -> None:
    """Have a file's content, or the names in a folder, on the disk for good."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _named(place: Path) -> Iterator[IO[bytes]]:
    """The same where every file needs a name from its beginning."""
    with tempfile.NamedTemporaryFile(dir=place.parent, prefix=f".{place.name}.", delete=False) as file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            if place.exists():
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(place))
            Path(file.name).rename(place)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise
    sync(place.parent)


def _give_name(descriptor: int, place: Path) -> None:
    """Only with a folder's descriptor does `link` follow the entry in /proc to the file itself."""
    folder = os.open(place.parent, os.O_RDONLY)
    try:
        os.link(f"/proc/self/fd/{descriptor}", place.name, src_dir_fd=folder, dst_dir_fd=folder)
        os.fsync(folder)
    finally:
        os.close(folder)


def _clear(beside: Path) -> None:
    """Remove what those who were killed left behind."""
    for place in beside.glob(f"{_WORKING}*"):
        try:
            descriptor = os.open(place, os.O_RDONLY)
        except OSError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(place, ignore_errors=True)
        except BlockingIOError:
            pass  # somebody is at work in it
        finally:
            os.close(descriptor)
