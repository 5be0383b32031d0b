"""Means or rates by arm as bars from zero, with intervals and the contrast between the arms printed
beneath."""

from collections.abc import Sequence

from equipoise.findings.results import Finding
from equipoise.report import words
from equipoise.report.figures.drawing import GREY, INK, LINE, PALETTE, Drawing, ticks
from equipoise.report.figures.figure import Figure
from equipoise.report.names import Names
from equipoise.report.numbers import number
from equipoise.report.tables import Cell, Column, Table, slug

__all__ = ["bars"]


def bars(
    by_arm: Sequence[Finding], contrast: Finding | None, names: Names, title: str | None = None
) -> Figure:
    """One bar an arm; `contrast` is the effect whose interval is printed under them."""
    outcome = by_arm[0].outcome
    name = names.outcome(outcome)
    scale = words.scale_of(by_arm[0], names)
    under = words.sentence(contrast, names) if contrast is not None else "No contrast was estimated."
    told = " ".join(f"{names.arm(one.arm)}: {words.short(one, names)}." for one in by_arm)
    key = f"bars-{slug(outcome or 'outcome')}"
    return Figure(
        id=key,
        title=title or _title(name, contrast, names),
        subtitle=f"Mean {name.lower()} by arm, {scale.unit or 'own units'}, after; lines are 95% intervals",
        description=f"Bars from zero. {told} {under}",
        wide=_draw(by_arm, names, under, 720.0, 210.0, 520.0, 50.0),
        narrow=_draw(by_arm, names, under, 320.0, 0.0, 306.0, 72.0),
        table=_table(f"{key}-table", by_arm, contrast, names),
    )


def _title(name: str, contrast: Finding | None, names: Names) -> str:
    if contrast is None:
        return f"{name} by arm"
    return (
        f"{name}: arms differ by "
        f"{words.scale_of(contrast, names).with_unit(words.estimate_text(contrast, names))}"
    )


def _draw(
    by_arm: Sequence[Finding], names: Names, under: str, width: float, left: float, right: float, row: float
) -> Drawing:
    narrow = left == 0
    factor = 100 if by_arm[0].kind == "rate" else words.scale_of(by_arm[0], names).factor
    highs = [one.interval.high for one in by_arm if one.interval and one.interval.high is not None]
    top = max([*highs, *(one.estimate or 0 for one in by_arm)]) * factor
    marks = ticks(0, top, 4 if narrow else 6)
    bottom = 10 + row * len(by_arm)
    probe = Drawing(width, 10)
    end = probe.block(0, bottom + 56, under, width, size=15)
    drawing = Drawing(width, end)
    left = max(left, 2.0)

    def x(value: float) -> float:
        return left + (right - left) * value * factor / marks[-1]

    for at, one in enumerate(by_arm):
        y = 10 + row * at
        thick = 26.0
        bar = y + (row - thick) / 2 if not narrow else y + 36
        if narrow:
            drawing.text(0, y + 15, names.arm(one.arm), bold=True)
            drawing.text(0, y + 32, words.short(one, names), size=14)
        else:
            drawing.block(0, y + row / 2 + 5, names.arm(one.arm), left - 16, bold=True)
            drawing.text(540, y + row / 2 + 5, _beside(one, names), size=15)
        drawing.box(
            left,
            bar,
            x(one.estimate or 0) - left,
            thick,
            ("#6BACE6", "#F7B58F", "#D59AB9", "#A9DCD6")[at % 4],
        )
        drawing.line(x(one.estimate or 0), bar, x(one.estimate or 0), bar + thick, PALETTE[at % 4], 3)
        if one.interval and one.interval.low is not None and one.interval.high is not None:
            drawing.line(x(one.interval.low), bar + thick / 2, x(one.interval.high), bar + thick / 2, INK, 2)
    drawing.line(left, bottom, right, bottom, LINE)
    for mark in marks:
        at_x = left + (right - left) * mark / marks[-1]
        drawing.line(at_x, bottom, at_x, bottom + 5, LINE)
        anchor = "start" if at_x < 8 else "middle"
        drawing.text(
            at_x, bottom + 21, number(mark, 0 if marks[1] >= 1 else 1), size=14, anchor=anchor, colour=GREY
        )
    drawing.block(0, bottom + 52, under, width, size=15)
    return drawing


def _beside(one: Finding, names: Names) -> str:
    interval = f" ({words.interval_text(one, names)})" if one.interval is not None else ""
    return words.estimate_text(one, names) + interval


def _table(name: str, by_arm: Sequence[Finding], contrast: Finding | None, names: Names) -> Table:
    rows = [
        (
            Cell(names.arm(one.arm)),
            Cell(words.estimate_text(one, names), one.estimate, one.id),
            Cell(words.interval_text(one, names), finding=one.id),
            Cell(f"{sum(one.n.values()):,}" if one.n else "–"),
        )
        for one in by_arm
    ]
    if contrast is not None:
        rows.append(
            (
                Cell(f"Difference, {names.contrast(contrast)}"),
                Cell(words.estimate_text(contrast, names), contrast.estimate, contrast.id),
                Cell(words.interval_text(contrast, names), finding=contrast.id),
                Cell(f"{sum(contrast.n.values()):,}" if contrast.n else "–"),
            )
        )
    columns = (Column("Arm"), Column("Mean", True), Column("95% interval", True), Column("Analysed", True))
    return Table(name, f"{names.outcome(by_arm[0].outcome)} by arm", columns, tuple(rows))
