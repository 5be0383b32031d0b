"""What names and labels SPSS and Stata allow, and how ours are made to fit."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["SPSS", "STATA", "Dialect", "cut"]


@dataclass(frozen=True)
class Dialect:
    """The limits of one program.

    Attributes:
        program: its name.
        illegal: what may not stand in a name.
        reserved: words that are no names, in small letters.
        name: the longest name, in bytes (names that fit hold ASCII only).
        label: the longest label of a variable.
        value_label: the longest label of a value.
        title: the longest label of a file.
        text: the longest text in a cell, in bytes; None where there is no limit that matters.
        in_bytes: whether labels are counted in bytes, not in characters.
    """

    program: str
    illegal: re.Pattern[str]
    reserved: frozenset[str]
    name: int
    label: int
    value_label: int
    title: int
    text: int | None
    in_bytes: bool

    def names(self, columns: Iterable[str]) -> dict[str, str]:
        """A legal name for each column, no two alike even but for capitals."""
        taken: set[str] = set()
        named: dict[str, str] = {}
        for column in columns:
            named[column] = self._free(self._legal(column), taken)
            taken.add(named[column].lower())
        return named

    def fitting(self, text: str, longest: int) -> str:
        """A label cut to a length."""
        line = " ".join(text.split())
        return cut(line, longest) if self.in_bytes else line[:longest]

    def _legal(self, column: str) -> str:
        name = self.illegal.sub("_", column)
        if not re.match(r"[A-Za-z]", name) or name.lower() in self.reserved:
            name = f"v_{name}"
        return name[: self.name].rstrip("._") or "v"

    def _free(self, name: str, taken: set[str]) -> str:
        number, found = 1, name
        while found.lower() in taken:
            number += 1
            end = f"_{number}"
            found = f"{name[: self.name - len(end)]}{end}"
        return found


def cut(text: str, longest: int) -> str:
    """A text cut to a number of bytes of UTF-8, never inside a letter."""
    return text.encode()[:longest].decode(errors="ignore")


# Command Syntax Reference, "Variables": 64 bytes; labels 256, value labels 120 bytes; strings 32,767 bytes.
SPSS = Dialect(
    program="SPSS",
    illegal=re.compile(r"[^A-Za-z0-9_.]"),
    reserved=frozenset(["all", "and", "by", "eq", "ge", "gt", "le", "lt", "ne", "not", "or", "to", "with"]),
    name=64,
    label=256,
    value_label=120,
    title=64,
    text=32_767,
    in_bytes=True,
)
_TYPES = ("byte", "double", "float", "int", "long", "strl")
_WORDS = ("if", "in", "using", "with", "_all", "_b", "_cons", "_n", "_pi", "_pred", "_rc", "_skip")
# User's Guide 11.3 (naming conventions) and `help limits`: names 32, labels 80 characters, value labels
# 32,000; longer texts than 2,045 bytes are kept apart from the rows (strL), so that none need be cut.
STATA = Dialect(
    program="Stata",
    illegal=re.compile(r"[^A-Za-z0-9_]"),
    reserved=frozenset(
        [
            "byte",
            "double",
            "float",
            "if",
            "in",
            "int",
            "long",
            "using",
            "with",
            "strl",
            "_all",
            "_b",
            "_cons",
            "_n",
            "_pi",
            "_pred",
            "_rc",
            "_skip",
        ]
        + [f"str{length}" for length in range(1, 2_046)]
    ),
    name=28,  # of 32: a set of labels is named after its variable and a number of up to four digits
    label=80,
    value_label=8_000,  # 32,000 bytes, in letters of up to four
    title=80,
    text=None,
    in_bytes=False,
)
