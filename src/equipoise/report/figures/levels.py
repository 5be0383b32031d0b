"""An effect along a number or over waves, and means by dose: a dot with its interval for each point."""

from collections.abc import Sequence

from equipoise.findings.results import Finding
from equipoise.protocol.checks.analyses import DOSE, WAVE
from equipoise.report import words
from equipoise.report.figures.figure import Figure
from equipoise.report.figures.intervals import Axis, Mark, Row, draw_narrow, draw_wide
from equipoise.report.names import Names
from equipoise.report.numbers import count
from equipoise.report.tables import Cell, Column, Table, slug

__all__ = ["levels"]

_CAUTIONS = {
    DOSE: "Descriptive only: how much people took is itself chosen after allocation, so doses compare "
    "different people. It is not an effect of the dose.",
    WAVE: "Each wave compares those who answered it; the errors allow for the same people being asked again.",
}
_OF_A_NUMBER = (
    "{name} was not drawn by lot: that the effect varies with it does not say that it is the cause. Dots are "
    "the effect in thirds, diamonds that on one straight line."
)


def levels(series: Sequence[Finding], beside: Sequence[Finding], names: Names) -> Figure:
    """One row a point; of a number first the thirds, then the straight line at its percentiles.

    Args:
        series: the points, as `level_series` puts them together.
        beside: all findings of the same analysis, of which the line through doses is told.
        names: labels.
    """
    first = series[0]
    rows = tuple(_row(one, names) for one in _ordered(series) if one.estimate is not None)
    scale, mean = words.scale_of(first, names), first.kind == "mean"
    what = "Mean" if mean else "Difference"
    axis = Axis(
        f"{what} ({scale.unit})" if scale.unit else what,
        zero=not mean,
        column=f"{what} (95% interval)",
    )
    key = f"levels-{slug(first.id.rpartition(f'.{first.by}=')[0])}-{slug(str(first.by))}"
    whose = names.arm(first.arm) if mean else _compared(first, names)
    return Figure(
        id=key,
        title=f"{names.outcome(first.outcome)} by {_named(first, names)}",
        subtitle=f"{what}{f' in {scale.unit}' if scale.unit else ''}, {whose}; 95% intervals",
        description="Dots with intervals. "
        + " ".join(f"{row.label}: {row.marks[0].printed}, {row.note}." for row in rows),
        wide=draw_wide(rows, axis),
        narrow=draw_narrow(rows, axis),
        table=_table(f"{key}-table", series, what, names),
        source=f"{words.label_of(first)}. {_caution(first, names)}{_line_of_doses(first, beside, names)}",
    )


def _ordered(series: Sequence[Finding]) -> list[Finding]:
    return sorted(series, key=_on_the_line)


def _on_the_line(one: Finding) -> bool:
    """Whether a point is a percentile of a number."""
    return str(one.level).endswith("percentile)")


def _row(one: Finding, names: Names) -> Row:
    scale = words.scale_of(one, names)
    low = one.interval.low * scale.factor if one.interval and one.interval.low is not None else None
    high = one.interval.high * scale.factor if one.interval and one.interval.high is not None else None
    printed = f"{words.estimate_text(one, names)} ({words.interval_text(one, names)})"
    mark = Mark(
        (one.estimate or 0) * scale.factor, low, high, printed, 2 if _on_the_line(one) else 0,
        hollow=not one.planned,
    )  # fmt: skip
    note = "on the straight line" if _on_the_line(one) else f"{count(sum(one.n.values()))} people"
    return Row(_label(one, names), note, (mark,))


def _label(one: Finding, names: Names) -> str:
    if one.by == WAVE:
        return names.wave(one.level)
    if one.by == DOSE:
        return f"Dose {one.level}"
    return f"{names.column(str(one.by))} {one.level}"


def _named(one: Finding, names: Names) -> str:
    return (
        "dose taken"
        if one.by == DOSE
        else str(one.by)
        if one.by == WAVE
        else names.column(str(one.by)).lower()
    )


def _compared(one: Finding, names: Names) -> str:
    sides = names.sides(one.contrast)
    return f"{sides[0]} minus {sides[1]}" if sides else names.contrast(one)


def _caution(one: Finding, names: Names) -> str:
    return _CAUTIONS.get(str(one.by)) or _OF_A_NUMBER.format(name=names.column(str(one.by)))


def _line_of_doses(first: Finding, beside: Sequence[Finding], names: Names) -> str:
    """How the mean differs between people one unit of dose apart, where there is a line."""
    if first.by != DOSE:
        return ""
    line = f"{first.id.rpartition('.dose=')[0]}.linear"
    found = next((one for one in beside if one.id == line), None)
    if found is None:
        return ""
    return f" Between people one unit of dose apart the mean differs by {words.short(found, names)}."


def _table(name: str, series: Sequence[Finding], what: str, names: Names) -> Table:
    rows = tuple(
        (
            Cell(_label(one, names)),
            Cell(words.estimate_text(one, names), one.estimate, one.id),
            Cell(words.interval_text(one, names), finding=one.id),
            Cell(words.n_text(one, names)),
            Cell(words.label_of(one)),
        )
        for one in _ordered(series)
    )
    first = series[0]
    columns = (
        Column(names.column(str(first.by)) if first.by not in (DOSE, WAVE) else str(first.by).capitalize()),
        Column(what, numeric=True),
        Column("95% interval", numeric=True),
        Column("Number"),
        Column("Standing"),
    )
    return Table(name, f"{names.outcome(first.outcome)} by {_named(first, names)}", columns, rows)
