"""The functions of expressions, and what each takes and gives."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

__all__ = ["FUNCTIONS", "MACROS", "Signature"]


@dataclass(frozen=True)
class Signature:
    """What a function takes and gives.

    `form` is how it is written: `f(a)`, `a.f()` or either. A parameter of `wave`, `contact` or `written` is
    no value: the name of a wave or contact, or a text in quotes.
    """

    usage: str
    parameters: tuple[str, ...]
    result: str
    form: Literal["function", "method", "either"]
    meaning: str


FUNCTIONS: Mapping[str, Signature] = MappingProxyType(
    {
        "answered": Signature(
            "answered(WAVE)", ("wave",), "bool", "function", "whether the person answered that wave"
        ),
        "sent": Signature(
            "sent(CONTACT)", ("contact",), "bool", "function", "whether the person was sent that contact"
        ),
        "years_between": Signature(
            "years_between(EARLIER, LATER)",
            ("moment", "moment"),
            "number",
            "function",
            "completed years by the calendar; negative if the first is later",
        ),
        "date": Signature("date('2021-01-31')", ("written",), "moment", "function", "midnight of that day"),
        "timestamp": Signature(
            "timestamp('2021-01-31T09:00:00Z')", ("written",), "moment", "function", "that moment"
        ),
        "duration": Signature(
            "duration('14 days')",
            ("written",),
            "duration",
            "function",
            "that many weeks, days, hours or minutes",
        ),
        "lower": Signature("lower(TEXT)", ("text",), "text", "either", "the text in small letters"),
        "upper": Signature("upper(TEXT)", ("text",), "text", "either", "the text in capital letters"),
        "size": Signature(
            "size(TEXT)", ("text",), "number", "either", "the number of characters, or of items"
        ),
        "contains": Signature(
            "TEXT.contains(PART)", ("text", "text"), "bool", "method", "whether a part is in the text"
        ),
        "startsWith": Signature(
            "TEXT.startsWith(PART)", ("text", "text"), "bool", "method", "whether the text starts so"
        ),
        "endsWith": Signature(
            "TEXT.endsWith(PART)", ("text", "text"), "bool", "method", "whether the text ends so"
        ),
    }
)
MACROS: Mapping[str, str] = MappingProxyType(
    {"exists": "[a, b].exists(each, each > 3)", "all": "[a, b].all(each, each > 3)"}
)
