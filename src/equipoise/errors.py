"""Everything that Equipoise refuses, in one tree.

    EquipoiseError
    ├── InputError           something a person wrote or sent is wrong; exit code 2
    │   ├── ProtocolError    a study folder does not say a study that can be run
    │   ├── RosterError      a roster, or a file of data, cannot be read as declared
    │   ├── ScoringError     answers that an instrument's published rule cannot score
    │   └── DesignError      the design and what was asked of it do not fit
    ├── NotSupportedError    the language can say it, this version cannot yet do it; exit code 2
    └── CheckFailedError     a check or a verification failed; exit code 1

An `InputError` holds one `Problem` or more, each with its place, what was found, what is allowed and the
remedy.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

__all__ = [
    "CheckFailedError",
    "DesignError",
    "EquipoiseError",
    "InputError",
    "NotSupportedError",
    "Problem",
    "ProtocolError",
    "RosterError",
    "ScoringError",
    "nearest",
]


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong, and where.

    `place` is a file with its line or cell (`swing/protocol.yaml:41`), `where` the path inside it
    (`outcomes.wellbeing.waves`), `message` what was found, what is allowed and how to put it right.
    """

    place: str
    where: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.place, self.where, self.message) if part)


class EquipoiseError(Exception):
    """Base of every error that Equipoise raises on purpose."""

    exit_code = 2


class InputError(EquipoiseError):
    """Something that a person wrote or sent is wrong; all its problems are told at once."""

    def __init__(self, problems: str | Problem | Iterable[Problem]) -> None:
        if isinstance(problems, str):
            problems = Problem("", "", problems)
        self.problems: tuple[Problem, ...] = (problems,) if isinstance(problems, Problem) else tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class ProtocolError(InputError):
    """A study folder does not say a study that can be run."""


class RosterError(InputError):
    """A roster or a file of data cannot be read as declared."""


class ScoringError(InputError):
    """Answers that an instrument's published rule cannot score."""


class DesignError(InputError):
    """The design and what was asked of it do not fit."""


class NotSupportedError(EquipoiseError):
    """The language can say it, but this version cannot do it yet."""


class CheckFailedError(EquipoiseError):
    """A check or a verification ran and failed."""

    exit_code = 1


def nearest(found: str, allowed: Sequence[str]) -> str:
    """What may stand here and, when one is close, the likely meaning.

    >>> nearest("affter", ["before", "after"])
    'before, after. Did you mean "after"?'
    """
    listed = ", ".join(allowed) if allowed else "none"
    close = get_close_matches(found, allowed, n=1, cutoff=0.6)
    return f'{listed}. Did you mean "{close[0]}"?' if close else f"{listed}."
