"""Files written whole or not at all."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from equipoise.errors import InputError, Problem

__all__ = ["refuse_existing", "write_files", "write_secret"]


def write_files(files: Mapping[Path, str | bytes]) -> None:
    """Write all files, each beside its place first and then moved there, so that nobody meets half a file.

    Raises:
        InputError: a place cannot be written to; then none of the files has changed.
    """
    made: dict[Path, Path] = {}
    try:
        for path, content in files.items():
            made[path] = _beside(path, content.encode("utf-8") if isinstance(content, str) else content)
        for path, temporary in made.items():
            temporary.replace(path)
    except OSError as error:
        for temporary in made.values():
            temporary.unlink(missing_ok=True)
        place = str(error.filename2 or error.filename or next(iter(files)))
        raise InputError(
            Problem(place, "", f"cannot be written: {error.strerror}; choose another place")
        ) from None


def refuse_existing(paths: Sequence[Path], remedy: str) -> None:
    """Refuse to overwrite.

    Raises:
        InputError: names every file that is there already.
    """
    there = [path for path in paths if path.exists()]
    if there:
        raise InputError(Problem(str(path), "", f"is there already. {remedy}") for path in there)


def write_secret(path: Path, secret: bytes) -> None:
    """A secret of its own in a new file that only its owner may read."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise InputError(
            Problem(
                str(path),
                "",
                f"the secret cannot be written: {error.strerror}; name another place with --secret",
            )
        ) from None
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secret.hex() + "\n")


def _beside(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_dir():
        raise IsADirectoryError(21, "it is a folder", str(path))
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary = Path(file.name)
    temporary.chmod(0o666 & ~_umask())
    return temporary


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
