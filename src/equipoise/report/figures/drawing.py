"""A small drawing in SVG: text stays text, the same drawing gives the same bytes, colours by the rules of
the report.

Colours in their order are those of the Government Analysis Function's palette; never more than four in one
figure, and
never colour alone: every series has its own marker and its own words.
"""

import math
from collections.abc import Sequence

from markupsafe import Markup, escape

__all__ = ["ACCENT", "BAND", "GREY", "INK", "LINE", "PALETTE", "Drawing", "ticks", "wrap"]

PALETTE = ("#12436D", "#F46A25", "#801650", "#28A197")
ACCENT, INK, GREY, LINE, BAND = PALETTE[0], "#1D2530", "#4A5563", "#8A94A0", "#E6EDF4"
_FONT = "system-ui, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
_GLYPH = 0.54


class Drawing:
    """Elements collected in the order in which they are drawn; written out by `svg`."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self._elements: list[Markup] = []

    def line(
        self, x1: float, y1: float, x2: float, y2: float, colour: str = LINE, width: float = 1, dash: str = ""
    ) -> None:
        """A straight line."""
        self._add(
            "line",
            x1=x1,
            y1=y1,
            x2=x2,
            y2=y2,
            stroke=colour,
            stroke_width=width,
            **({"stroke_dasharray": dash} if dash else {}),
        )

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        fill: str,
        *,
        border: str = "none",
        round_: float = 0,
    ) -> None:
        """A rectangle."""
        self._add("rect", x=x, y=y, width=max(0, width), height=height, fill=fill, stroke=border, rx=round_)

    def path(self, points: Sequence[tuple[float, float]], colour: str, width: float = 2.5) -> None:
        """A line through points."""
        self._add("polyline", points=_points(points), fill="none", stroke=colour, stroke_width=width)

    def area(self, points: Sequence[tuple[float, float]], colour: str) -> None:
        """An area within points, in a colour so light that what lies on it can be read."""
        self._add("polygon", points=_points(points), fill=colour, fill_opacity=0.15)

    def marker(self, x: float, y: float, series: int, *, hollow: bool = False) -> None:
        """The marker of a series: circle, square, diamond, triangle."""
        colour = PALETTE[series % 4]
        look: dict[str, object] = {
            "fill": "#FFFFFF" if hollow else colour,
            "stroke": colour,
            "stroke_width": 2,
        }
        if series % 4 == 0:
            self._add("circle", cx=x, cy=y, r=5.5, **look)
        elif series % 4 == 1:
            self._add("rect", x=x - 5, y=y - 5, width=10, height=10, **look)
        else:
            top = [(0, -7), (7, 0), (0, 7), (-7, 0)] if series % 4 == 2 else [(0, -7), (7, 6), (-7, 6)]
            self._add("polygon", points=_points([(x + dx, y + dy) for dx, dy in top]), **look)

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        size: float = 15,
        anchor: str = "start",
        bold: bool = False,
        colour: str = INK,
    ) -> None:
        """One line of text; `y` is its base line."""
        weight = {"font_weight": 600} if bold else {}
        self._elements.append(
            Markup("<text {}>{}</text>").format(
                _attributes(x=x, y=y, font_size=size, text_anchor=anchor, fill=colour, **weight), words
            )
        )

    def block(
        self,
        x: float,
        y: float,
        words: str,
        width: float,
        *,
        size: float = 15,
        anchor: str = "start",
        bold: bool = False,
        colour: str = INK,
    ) -> float:
        """Text broken to a width; the base line after its last."""
        for line in wrap(words, width, size * (1.06 if bold else 1)):
            self.text(x, y, line, size=size, anchor=anchor, bold=bold, colour=colour)
            y += size * 1.3
        return y

    def arrow(self, x1: float, y1: float, x2: float, y2: float) -> None:
        """A line that ends in an arrow."""
        self.line(x1, y1, x2, y2, GREY, 1.5)
        length = math.hypot(x2 - x1, y2 - y1) or 1.0
        ux, uy = (x2 - x1) / length, (y2 - y1) / length
        ends = [(0.0, 0.0), (-8 * ux + 5 * uy, -8 * uy - 5 * ux), (-8 * ux - 5 * uy, -8 * uy + 5 * ux)]
        self._add("polygon", points=_points([(x2 + dx, y2 + dy) for dx, dy in ends]), fill=GREY)

    def end(self, height: float) -> "Drawing":
        """Cut or lengthen the drawing to what was drawn."""
        self.height = height
        return self

    def svg(self, name: str, title: str, description: str) -> Markup:
        """The drawing with its alternative text; `name` makes its ids unique in a document."""
        return Markup(
            '<svg xmlns="http://www.w3.org/2000/svg" class="drawing" role="img" viewBox="0 0 {w} {h}" '
            'width="{w}" height="{h}" aria-labelledby="{n}-t {n}-d" font-family="{font}">'
            '<title id="{n}-t">{t}</title><desc id="{n}-d">{d}</desc>'
            '<rect width="{w}" height="{h}" fill="#FFFFFF"/>{body}</svg>'
        ).format(
            w=_n(self.width),
            h=_n(self.height),
            n=name,
            font=_FONT,
            t=title,
            d=description,
            body=Markup("").join(self._elements),
        )

    def _add(self, element: str, **given: object) -> None:
        self._elements.append(Markup("<{} {}/>").format(Markup(element), _attributes(**given)))  # noqa: S704 - our own element names


def wrap(words: str, width: float, size: float) -> list[str]:
    """Words broken into lines no wider than `width`, by the mean width of a glyph."""
    limit = max(4, int(width / (size * _GLYPH)))
    lines = [""]
    for word in words.split():
        longer = f"{lines[-1]} {word}".strip()
        if len(longer) <= limit or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round values from at most `low` to at least `high`, in steps of 1, 2 or 5 times a power of ten."""
    reach = high - low
    step = 10.0**-6
    while True:
        for factor in (1, 2, 5):
            if reach / (step * factor) <= most - 1:
                first = int(_floor(low / (step * factor)))
                last = int(-_floor(-high / (step * factor)))
                return [round(k * step * factor, 10) for k in range(first, last + 1)]
        step *= 10


def _floor(value: float) -> float:
    return float((value + 1e-9) // 1)


def _points(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{_n(x)},{_n(y)}" for x, y in points)


def _n(value: object) -> str:
    return f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)


def _attributes(**given: object) -> Markup:
    pairs: Sequence[Markup] = [
        Markup('{}="{}"').format(Markup(key.replace("_", "-")), escape(_n(value)))  # noqa: S704 - our own names
        for key, value in given.items()
    ]
    return Markup(" ").join(pairs)
