"""Rates by a shown attribute in rows and by a way of showing in series: who progressed, by name and
presentation."""

from collections.abc import Sequence

from equipoise.findings.results import Finding
from equipoise.report import words
from equipoise.report.figures.figure import Figure
from equipoise.report.figures.intervals import Axis, Mark, Row, draw_narrow, draw_wide
from equipoise.report.names import Names
from equipoise.report.numbers import percentage
from equipoise.report.results import level_of
from equipoise.report.tables import Cell, Column, Table, slug

__all__ = ["rates"]


def rates(found: Sequence[Finding], names: Names, title: str | None = None) -> Figure:
    """Dots with intervals, one row a level of the last factor, one marker a level of the first."""
    outcome = names.outcome(found[0].outcome)
    factors = list(level_of(found[0]))
    series = list(dict.fromkeys(level_of(one)[factors[0]] for one in found)) if len(factors) > 1 else []
    levels = list(dict.fromkeys(level_of(one)[factors[-1]] for one in found))
    rows = tuple(
        _row(level, [one for one in found if level_of(one)[factors[-1]] == level], series, names)
        for level in levels
    )
    shares = found[0].kind == "rate"
    reach = [one.estimate for one in found if one.estimate is not None]
    span = f"{percentage(min(reach))} to {percentage(max(reach))}" if shares and reach else ""
    told = " ".join(
        f"{row.label}: " + ", ".join(f"{m.name} {m.printed}" for m in row.marks) + "." for row in rows
    )
    axis = Axis(
        "Share (%)" if shares else "Mean",
        zero=False,
        low=0 if shares else None,
        high=100 if shares else None,
        column="Rate (95% interval)" if shares else "Mean (95% interval)",
    )
    key = f"rates-{slug(found[0].outcome or 'outcome')}-{slug('-'.join(factors))}"
    return Figure(
        id=key,
        title=title or (f"{outcome}: rates run from {span}" if span else f"{outcome} by {factors[-1]}"),
        subtitle=f"{outcome} by {' and '.join(names.level(one) for one in reversed(factors))}; 95% intervals",
        description=f"Dots with intervals. {told}",
        wide=draw_wide(rows, axis),
        narrow=draw_narrow(rows, axis),
        table=_table(f"{key}-table", found, factors, names),
    )


def _row(level: str, found: Sequence[Finding], series: Sequence[str], names: Names) -> Row:
    marks = []
    for one in found:
        factor = 100 if one.kind == "rate" else 1
        first = next(iter(level_of(one).values()))
        low = one.interval.low * factor if one.interval and one.interval.low is not None else None
        high = one.interval.high * factor if one.interval and one.interval.high is not None else None
        printed = words.estimate_text(one, names)
        if one.interval is not None:
            printed += f" ({words.interval_text(one, names)})"
        at = series.index(first) if first in series else 0
        name = names.level(first) if series else ""
        marks.append(Mark((one.estimate or 0) * factor, low, high, printed, (0, 2, 1, 3)[at % 4], name))
    label = names.level(level)
    return Row(label.title(), "", tuple(marks))


def _table(name: str, found: Sequence[Finding], factors: Sequence[str], names: Names) -> Table:
    rows = tuple(
        (
            *(Cell(names.level(level_of(one)[factor])) for factor in factors),
            Cell(words.estimate_text(one, names), one.estimate, one.id),
            Cell(words.interval_text(one, names), finding=one.id),
            Cell(words.n_text(one, names)),
        )
        for one in found
    )
    headings = (Column(names.level(factor).capitalize()) for factor in factors)
    value = Column("Rate" if found[0].kind == "rate" else "Mean", True)
    columns = (*headings, value, Column("95% interval", True), Column("Number", True))
    by = " and ".join(names.level(one) for one in factors)
    return Table(name, f"{names.outcome(found[0].outcome)} by {by}", columns, rows)
