"""A report before it has a format: sections of prose, facts, tables and figures, and the first screen above
them.

Every format is made from this, so none can say more or less than another.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from markupsafe import Markup

from equipoise.report.figures.figure import Figure
from equipoise.report.tables import Table

__all__ = [
    "Block",
    "Document",
    "Facts",
    "Listing",
    "Paragraph",
    "Section",
    "ShownFigure",
    "ShownTable",
    "Text",
]


@dataclass(frozen=True)
class Text:
    """A narrative as HTML whose headings already fit their place."""

    html: Markup
    kind: ClassVar[str] = "text"


@dataclass(frozen=True)
class Paragraph:
    """One paragraph of the report's own words; `aside` marks a caution."""

    html: Markup | str
    aside: bool = False
    kind: ClassVar[str] = "paragraph"


@dataclass(frozen=True)
class Facts:
    """Short facts, each with its name; `name` says what they are about."""

    name: str
    rows: tuple[tuple[str, Markup | str], ...]
    kind: ClassVar[str] = "facts"


@dataclass(frozen=True)
class Listing:
    """A list of short statements."""

    items: tuple[Markup | str, ...]
    kind: ClassVar[str] = "listing"


@dataclass(frozen=True)
class ShownTable:
    """A table in its place."""

    table: Table
    kind: ClassVar[str] = "table"


@dataclass(frozen=True)
class ShownFigure:
    """A figure in its place, with its table directly below it."""

    figure: Figure
    kind: ClassVar[str] = "figure"


Block = Text | Paragraph | Facts | Listing | ShownTable | ShownFigure


@dataclass(frozen=True)
class Section:
    """A part with a heading; `id` is its anchor. A section without content is left out by its maker."""

    id: str
    title: str
    blocks: tuple[Block, ...] = ()
    parts: "tuple[Section, ...]" = ()

    def walk(self) -> "Iterator[Section]":
        """This section and all below it."""
        yield self
        for part in self.parts:
            yield from part.walk()


@dataclass(frozen=True)
class Document:
    """A whole report. `answer`, `sure` and `actions` are its first screen; `banners` come before
    everything."""

    title: str
    kind: str
    question: str
    byline: str
    banners: tuple[str, ...]
    answer: tuple[Markup | str, ...]
    sure: tuple[Markup | str, ...]
    actions: tuple[Markup | str, ...]
    sections: tuple[Section, ...]
    language: str = "en-GB"
    links: tuple[tuple[str, str], ...] = field(default=())

    def _blocks(self) -> Iterator[Block]:
        for section in self.sections:
            for part in section.walk():
                yield from part.blocks

    @property
    def figures(self) -> Sequence[Figure]:
        """Every figure, in its order."""
        return [block.figure for block in self._blocks() if isinstance(block, ShownFigure)]

    @property
    def tables(self) -> Sequence[Table]:
        """Every table, those behind figures included."""
        shown = [block.table for block in self._blocks() if isinstance(block, ShownTable)]
        return [*shown, *(figure.table for figure in self.figures)]
