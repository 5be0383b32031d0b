"""Scripts for strangers: they draw an allocation again from its public record, with no code of the draw.

Each is a lone file that needs nothing of this package; a test runs them on the draws of every method.
"""

from importlib.resources import files
from typing import Literal, NamedTuple

__all__ = ["Language", "Script", "script_of"]

Language = Literal["python", "r"]
_NAMES: dict[Language, tuple[str, str]] = {"python": ("redraw.py", "python3"), "r": ("redraw.R", "Rscript")}


class Script(NamedTuple):
    """A script: its file's name, the program that runs it, and its text."""

    name: str
    interpreter: str
    text: str


def script_of(language: Language) -> Script:
    """The script in a language."""
    name, interpreter = _NAMES[language]
    return Script(name, interpreter, files(__name__).joinpath(name).read_text("utf-8"))
