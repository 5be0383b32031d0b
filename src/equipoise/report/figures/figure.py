"""A figure as the report shows it: a message, two drawings (page and phone), a description and the table
behind."""

from dataclasses import dataclass

from markupsafe import Markup

from equipoise.report.figures.drawing import Drawing
from equipoise.report.tables import Table

__all__ = ["Figure"]


@dataclass(frozen=True)
class Figure:
    """`title` says the message in ten words or fewer, `subtitle` the measure and its unit.

    `narrow` is a drawing of its own for phones, never the wide one shrunken. `table` holds every number
    drawn.
    """

    id: str
    title: str
    subtitle: str
    description: str
    wide: Drawing
    narrow: Drawing
    table: Table
    source: str = ""

    @property
    def wide_svg(self) -> Markup:
        """The drawing for pages and print."""
        return self.wide.svg(f"{self.id}-wide", self.title, self.description)

    @property
    def narrow_svg(self) -> Markup:
        """The drawing for phones."""
        return self.narrow.svg(f"{self.id}-narrow", self.title, self.description)

    @property
    def file(self) -> str:
        """The wide drawing as a file beside the document."""
        return f"figures/{self.id}.svg"
