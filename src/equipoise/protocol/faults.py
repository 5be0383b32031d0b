"""What is wrong with something that a participant entered, in words that a busy person understands."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from equipoise.protocol.asked import Asked

__all__ = ["Fault", "an_answer_is_needed", "plain_number", "ways_round"]


@dataclass(frozen=True)
class Fault:
    """A sentence with its values apart, so that a page in another language can say it too.

    `str(fault)` is the English sentence; `template` has the values' names in braces.
    """

    template: str
    values: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __str__(self) -> str:
        said = self.template.format_map(self.values) if self.values else self.template
        return said[:1].upper() + said[1:]


def an_answer_is_needed(asked: Asked, what: str) -> Fault:
    """What is wanted, and the way round it where there is one: `Choose one answer, or choose Don't know`."""
    return Fault(what + ways_round(asked))


def ways_round(asked: Asked) -> str:
    """What else may be chosen."""
    ways = {"Don't know": asked.dont_know, "Prefer not to say": asked.prefer_not_to_say}
    offered = " or ".join(way for way, there in ways.items() if there)
    return f", or choose {offered}" if offered else ""


def plain_number(value: float) -> str:
    """A number as people write it: `3`, `2.5`, `1,200`."""
    return f"{value:,.6f}".rstrip("0").rstrip(".")
