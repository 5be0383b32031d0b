"""What an expression may name, and of which type each is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType

__all__ = ["KINDS", "ColumnType", "Constant", "Schema", "Type"]

Constant = datetime | date | str | float | bool | None

# How each declared type of a column behaves in an expression.
KINDS: Mapping[str, str] = MappingProxyType(
    {
        "text": "text",
        "email": "text",
        "phone": "text",
        "category": "text",
        "integer": "number",
        "number": "number",
        "date": "moment",
        "yes-no": "bool",
        "any": "any",
    }
)
WORDS = {
    "text": "text",
    "number": "a number",
    "bool": "yes or no",
    "moment": "a date",
    "duration": "a length of time",
    "list": "a list",
    "null": "null",
    "any": "anything",
}


@dataclass(frozen=True)
class ColumnType:
    """The declared type of a column; `levels` of a category, None where they are whatever is found.

    `any` is a column whose type is not known when the protocol is read: nothing about it is checked.
    """

    kind: str
    levels: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind} is no type of column; types: {', '.join(KINDS)}")


@dataclass(frozen=True)
class Schema:
    """What is known of a person when an expression is evaluated.

    `columns` are the person's own; `waves` may be asked with `answered(WAVE)`, `contacts` with
    `sent(CONTACT)`. `constants` are the same for everybody; one that is None is a moment not yet settled,
    as `launch` is in a draft. `zone` is the study's: a date is its midnight there.
    """

    columns: Mapping[str, ColumnType]
    waves: tuple[str, ...] = ()
    contacts: tuple[str, ...] = ()
    constants: Mapping[str, Constant] = field(default_factory=lambda: MappingProxyType({"launch": None}))
    zone: str = "UTC"

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that may be named, columns first."""
        return (*self.columns, *(name for name in self.constants if name not in self.columns))

    def type_of(self, name: str) -> "Type | None":
        """The type of a name, or None if it is not known."""
        if name in self.columns:
            column = self.columns[name]
            return Type(KINDS[column.kind], column.levels, category=column.kind == "category")
        if name in self.constants:
            return Type(_constant_kind(self.constants[name]))
        return None


@dataclass(frozen=True)
class Type:
    """The type of a part of an expression.

    `levels` are the only texts that it can be, where that is known; `literal` says that they are written in
    the expression. `items` is the type of a list's items.
    """

    kind: str
    levels: tuple[str, ...] | None = None
    category: bool = False
    literal: bool = False
    items: "Type | None" = None

    @property
    def words(self) -> str:
        """The type in plain English."""
        return "a category" if self.category else WORDS[self.kind]


def _constant_kind(value: Constant) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "text"
    return "number" if isinstance(value, int | float) else "moment"
