"""The team's secret as it is kept: a file of 64 hexadecimal digits, outside the study's folder."""

import string
from pathlib import Path

from equipoise.errors import InputError, Problem

__all__ = ["SECRET_BYTES", "read_secret", "secret_from_text"]

SECRET_BYTES = 32
_DIGITS = 2 * SECRET_BYTES
_MOST_READ = 1_000


def read_secret(path: Path) -> bytes:
    """The secret in a file.

    Raises:
        InputError: no such file, or something else in it.
    """
    if not path.is_file():
        raise InputError(
            Problem(str(path), "", "there is no such file; `equipoise lock` makes the team's secret")
        )
    with path.open("rb") as file:
        return secret_from_text(file.read(_MOST_READ).decode("ascii", "replace"), place=str(path))


def secret_from_text(text: str, *, place: str) -> bytes:
    """The secret in a text; no message ever repeats what was found.

    Args:
        text: 64 hexadecimal digits, with or without space around them.
        place: where the text comes from, for messages.
    Raises:
        InputError: anything else.
    """
    digits = text.strip()
    if len(digits) != _DIGITS or set(digits) - set(string.hexdigits):
        message = f"expected {_DIGITS} hexadecimal digits only; take the file that `equipoise lock` made"
        raise InputError(Problem(place, "", message))
    return bytes.fromhex(digits)
