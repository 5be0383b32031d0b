"""Dots with intervals in rows: the drawing that coefficients, rates, means by row and forest plots share."""

from collections.abc import Sequence
from dataclasses import dataclass

from equipoise.report.figures.drawing import ACCENT, BAND, GREY, INK, LINE, PALETTE, Drawing, ticks, wrap
from equipoise.report.numbers import number

__all__ = ["Axis", "Mark", "Row", "draw_narrow", "draw_wide"]

_NARROW, _WIDE = 320, 720


@dataclass(frozen=True)
class Mark:
    """One estimate with its interval, as values on the axis and as printed."""

    value: float
    low: float | None
    high: float | None
    printed: str
    series: int = 0
    name: str = ""
    hollow: bool = False


@dataclass(frozen=True)
class Row:
    """A label with one mark or one a series; `margin` shades the values too small to matter."""

    label: str
    note: str
    marks: tuple[Mark, ...]
    margin: float | None = None
    bold: bool = False


@dataclass(frozen=True)
class Axis:
    """What the axis shows: its name, whether a line marks zero, and the values it has to hold."""

    name: str
    zero: bool = True
    low: float | None = None
    high: float | None = None
    column: str = "Estimate (95% interval)"

    def range(self, rows: Sequence[Row], most: int) -> list[float]:
        """Ticks that hold every mark, its interval, and zero where a line marks it."""
        values = [v for row in rows for m in row.marks for v in (m.value, m.low, m.high) if v is not None]
        values += [0.0] if self.zero else []
        low = min(values) if self.low is None else self.low
        high = max(values) if self.high is None else self.high
        return ticks(low, high if high > low else low + 1, most)


def draw_wide(rows: Sequence[Row], axis: Axis) -> Drawing:
    """Labels on the left, dots in the middle, the numbers printed on the right."""
    left, right = 205.0, 440.0
    heights = [_height(row, left - 20) for row in rows]
    drawing = Drawing(_WIDE, 34 + sum(heights) + 52)
    marks = axis.range(rows, 6)
    bottom = 34.0 + sum(heights)
    drawing.text(458, 20, axis.column, size=14, bold=True, colour=GREY)
    y = 34.0
    for row, height in zip(rows, heights, strict=True):
        _band(drawing, row, marks, left, right, y + 3, height - 6)
        drawing.line(0, y, _WIDE, y, BAND)
        y += height
    _axis(drawing, axis, marks, left, right, 34, bottom)
    y = 34.0
    for row, height in zip(rows, heights, strict=True):
        after = drawing.block(0, y + 21, row.label, left - 20, bold=row.bold)
        if row.note:
            drawing.block(0, after - 1, row.note, left - 20, size=13, colour=GREY)
        for at, mark in enumerate(row.marks):
            middle = y + height / 2 + (at - (len(row.marks) - 1) / 2) * 22
            _mark(drawing, mark, marks, left, right, middle)
            printed = f"{mark.name} {mark.printed}".strip()
            drawing.text(458, middle + 5, printed, colour=INK if mark.series == 0 else PALETTE[2], size=15)
        y += height
    drawing.text((left + right) / 2, bottom + 44, axis.name, size=14, anchor="middle", colour=GREY)
    return drawing


def draw_narrow(rows: Sequence[Row], axis: Axis) -> Drawing:
    """Each row in full width: label, numbers, and the strip with the dot beneath them."""
    left, right = 26.0, _NARROW - 26.0
    tops = [1 + len(_lines(row)) for row in rows]
    heights = [20 * top + 22 * len(row.marks) + 14 for top, row in zip(tops, rows, strict=True)]
    drawing = Drawing(_NARROW, 8 + sum(heights) + 56)
    marks = axis.range(rows, 5)
    y = 8.0
    for row, height in zip(rows, heights, strict=True):
        drawing.line(0, y, _NARROW, y, LINE)
        top = drawing.block(
            0, y + 20, row.label + (f" ({row.note})" if row.note else ""), _NARROW, bold=row.bold
        )
        for mark in row.marks:
            drawing.text(0, top, f"{mark.name} {mark.printed}".strip(), size=15)
            top += 20
        strip = y + height - 22 * len(row.marks) - 8
        _band(drawing, row, marks, left, right, strip, 22 * len(row.marks))
        if axis.zero:
            zero = _at(0, marks, left, right)
            drawing.line(zero, strip, zero, strip + 22 * len(row.marks), INK, 1.5)
        for at, mark in enumerate(row.marks):
            _mark(drawing, mark, marks, left, right, strip + 11 + 22 * at)
        y += height
    _scale(drawing, marks, left, right, y)
    drawing.text(_NARROW / 2, y + 44, axis.name, size=14, anchor="middle", colour=GREY)
    return drawing


def _height(row: Row, width: float) -> float:
    label = 19.5 * len(wrap(row.label, width, 15 * (1.06 if row.bold else 1)))
    note = 17.0 * len(wrap(row.note, width, 13)) if row.note else 0
    return max(22.0 * len(row.marks) + 16, label + note + 14)


def _lines(row: Row) -> list[str]:
    label = row.label + (f" ({row.note})" if row.note else "")
    return wrap(label, _NARROW, 15 * (1.06 if row.bold else 1)) + [mark.printed for mark in row.marks[1:]]


def _at(value: float, marks: Sequence[float], left: float, right: float) -> float:
    share = (value - marks[0]) / (marks[-1] - marks[0])
    return left + (right - left) * min(1.0, max(0.0, share))


def _band(
    drawing: Drawing, row: Row, marks: Sequence[float], left: float, right: float, y: float, h: float
) -> None:
    if row.margin is not None:
        start, end = _at(-row.margin, marks, left, right), _at(row.margin, marks, left, right)
        drawing.box(start, y, end - start, h, BAND)


def _axis(
    drawing: Drawing, axis: Axis, marks: Sequence[float], left: float, right: float, top: float, bottom: float
) -> None:
    if axis.zero:
        zero = _at(0, marks, left, right)
        drawing.line(zero, top, zero, bottom, INK, 1.5)
    _scale(drawing, marks, left, right, bottom)


def _scale(drawing: Drawing, marks: Sequence[float], left: float, right: float, y: float) -> None:
    drawing.line(left, y, right, y, LINE)
    places = max(len(f"{mark:g}".partition(".")[2]) for mark in marks)
    for mark in marks:
        x = _at(mark, marks, left, right)
        drawing.line(x, y, x, y + 5, LINE)
        drawing.text(x, y + 21, number(mark, places), size=14, anchor="middle", colour=GREY)


def _mark(drawing: Drawing, mark: Mark, marks: Sequence[float], left: float, right: float, y: float) -> None:
    colour = PALETTE[mark.series % 4] if mark.series else ACCENT
    if mark.low is not None and mark.high is not None:
        drawing.line(_at(mark.low, marks, left, right), y, _at(mark.high, marks, left, right), y, colour, 2.5)
    drawing.marker(_at(mark.value, marks, left, right), y, mark.series, hollow=mark.hollow)
