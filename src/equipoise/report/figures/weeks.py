"""Effect by week since launch among those who answered in that week: descriptive, and said to be so."""

from collections.abc import Callable, Sequence

from equipoise.findings.results import Finding
from equipoise.report import words
from equipoise.report.figures.drawing import ACCENT, GREY, INK, LINE, Drawing, ticks
from equipoise.report.figures.figure import Figure
from equipoise.report.figures.intervals import Axis, Mark, Row, draw_narrow
from equipoise.report.names import Names
from equipoise.report.numbers import number, spread
from equipoise.report.tables import Cell, Column, Table, slug

__all__ = ["weeks"]

Height = Callable[[float], float]
_CAUTION = (
    "Descriptive only: when a person answers is itself chosen after allocation, so the "
    "weeks compare different people."
)


def weeks(series: Sequence[Finding], names: Names) -> Figure:
    """One dot a week with its interval and the number who answered in it."""
    first = series[0]
    scale = words.scale_of(first, names)
    name = names.outcome(first.outcome)
    sides = names.sides(first.contrast)
    compared = f"{sides[0]} minus {sides[1]}" if sides else names.contrast(first)
    drawn = [one for one in series if one.estimate is not None]
    rows = tuple(_row(one, names) for one in drawn)
    return Figure(
        id=f"weeks-{slug(first.outcome or first.analysis)}",
        title=f"{name} by week of answering",
        subtitle=(
            f"Difference in {scale.unit or 'own units'}, {compared}, by week since launch; 95% intervals"
        ),
        description=f"{name} by week of answering. "
        + " ".join(f"{row.label}: {row.marks[0].printed}, {row.note}." for row in rows),
        wide=_draw(drawn, names),
        narrow=draw_narrow(rows, Axis(f"Difference ({scale.unit})")),
        table=_table(series, names),
        source=f"{words.label_of(first)}. {_CAUTION}{_cut(drawn)}",
    )


def _row(one: Finding, names: Names) -> Row:
    low = one.interval.low if one.interval else None
    high = one.interval.high if one.interval else None
    printed = f"{words.estimate_text(one, names)} ({words.interval_text(one, names)})"
    mark = Mark(one.estimate or 0, low, high, printed, hollow=not one.planned)
    return Row(f"Week {one.level}", f"{sum(one.n.values())} answered", (mark,))


def _draw(drawn: Sequence[Finding], names: Names) -> Drawing:
    drawing = Drawing(720, 380)
    left, right, top, bottom = 70.0, 706.0, 20.0, 290.0
    ends = [
        v
        for one in _typical(drawn)
        if one.interval
        for v in (one.interval.low, one.interval.high)
        if v is not None
    ]
    marks = ticks(min([0.0, *ends]), max([0.0, *ends, 0.1]), 7)

    def height(value: float) -> float:
        share = (value - marks[0]) / (marks[-1] - marks[0])
        return bottom - (bottom - top) * min(1.0, max(0.0, share))

    places = max(len(f"{mark:g}".partition(".")[2]) for mark in marks)
    for mark in marks:
        drawing.line(
            left, height(mark), right, height(mark), INK if mark == 0 else "#DDE3EA", 1.5 if mark == 0 else 1
        )
        drawing.text(left - 10, height(mark) + 5, number(mark, places), size=14, anchor="end", colour=GREY)
    step = (right - left) / max(1, len(drawn))
    for at, one in enumerate(drawn):
        _week(drawing, one, left + step * (at + 0.5), height, bottom, names)
    drawing.text(0, bottom + 24, "Week", size=14, colour=GREY)
    drawing.text(0, bottom + 47, "Difference", size=13, colour=GREY)
    drawing.text(0, bottom + 68, "Answered", size=13, colour=GREY)
    drawing.line(left, bottom, right, bottom, LINE)
    return drawing


def _cut(drawn: Sequence[Finding]) -> str:
    if len(_typical(drawn)) == len(drawn):
        return ""
    return " An interval that reaches the edge runs on; the table has its ends."


def _typical(drawn: Sequence[Finding]) -> list[Finding]:
    """The weeks that set the axis: a week in which a handful answered would flatten all the others."""
    widths = sorted(spread(one) or 0.0 for one in drawn)
    middle = widths[len(widths) // 2] if widths else 0.0
    return [one for one in drawn if (spread(one) or 0.0) <= 3 * middle]


def _week(drawing: Drawing, one: Finding, x: float, height: Height, bottom: float, names: Names) -> None:
    if one.interval and one.interval.low is not None and one.interval.high is not None:
        drawing.line(x, height(one.interval.low), x, height(one.interval.high), ACCENT, 2.5)
    drawing.marker(x, height(one.estimate or 0), 0, hollow=not one.planned)
    drawing.text(x, bottom + 24, str(one.level), size=15, anchor="middle", bold=True)
    drawing.text(x, bottom + 47, words.estimate_text(one, names), size=14, anchor="middle")
    drawing.text(x, bottom + 68, str(sum(one.n.values())), size=14, anchor="middle", colour=GREY)


def _table(series: Sequence[Finding], names: Names) -> Table:
    rows = tuple(
        (
            Cell(f"Week {one.level}"),
            Cell(words.estimate_text(one, names), one.estimate, one.id),
            Cell(words.interval_text(one, names), finding=one.id),
            Cell(words.n_text(one, names)),
            Cell(words.label_of(one)),
        )
        for one in series
    )
    name = slug(series[0].outcome or series[0].analysis)
    columns = (
        Column("Week since launch"),
        Column("Difference", numeric=True),
        Column("95% interval", numeric=True),
        Column("Answered"),
        Column("Standing"),
    )
    return Table(
        f"weeks-{name}-table", f"{names.outcome(series[0].outcome)} by week since launch", columns, rows
    )
