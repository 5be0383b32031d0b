"""What a check found: a line with what to do about it, and nothing personal or secret in it."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["Finding", "State", "good", "note", "wrong"]

State = Literal["good", "wrong", "note"]


@dataclass(frozen=True)
class Finding:
    """A line of the answer. A note is something to know that is not wrong here."""

    check: str
    state: State
    said: str
    remedy: str = ""

    def __str__(self) -> str:
        told = f"{self.said}. To do: {self.remedy}" if self.remedy else self.said
        return f"{self.state:<6} {self.check:<10} {told}"


def good(check: str, said: str) -> Finding:
    """All is well."""
    return Finding(check, "good", said)


def wrong(check: str, said: str, remedy: str) -> Finding:
    """Something has to be done."""
    return Finding(check, "wrong", said, remedy)


def note(check: str, said: str, remedy: str = "") -> Finding:
    """Something to know."""
    return Finding(check, "note", said, remedy)
