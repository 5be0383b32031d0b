"""Outcomes of yes or no in terms of people: how many of a hundred, how many for one more, and the ratios."""

from equipoise.estimation import inference
from equipoise.estimation.meaning.ratios import NumberNeeded, number_needed
from equipoise.findings.results import Finding
from equipoise.report import words
from equipoise.report.names import Names
from equipoise.report.numbers import decimals, number, span, spread
from equipoise.report.results import Results
from equipoise.report.tables import Cell, Column, Table

__all__ = ["needed_text", "table"]


def table(results: Results, names: Names) -> Table | None:
    """Each main result on a yes or no with its ratios; None where there is none."""
    ratios = {one.id: one for one in results.kind("ratio")}
    rows = []
    for one in results.main:
        risk, odds = (ratios.get(f"{one.id}.{name}-ratio") for name in ("risk", "odds"))
        if risk is None or odds is None or one.estimate is None or one.interval is None:
            continue
        places = decimals(spread(one), 100)
        rows.append(
            (
                Cell(f"{names.outcome(one.outcome)}, {names.contrast(one)}"),
                Cell(
                    f"{number(one.estimate * 100, places)} ({span(one.interval, places, 100)})",
                    one.estimate * 100,
                    one.id,
                ),
                Cell(needed_text(one), finding=one.id),
                Cell(words.short(risk, names), risk.estimate, risk.id),
                Cell(words.short(odds, names), odds.estimate, odds.id),
            )
        )
    columns = (
        Column("Outcome"),
        Column("More in a hundred people", True),
        Column("People for one more"),
        Column("Risk ratio", True),
        Column("Odds ratio", True),
    )
    note = (
        "Ratios are of the answers as they are, without adjustment. Where the interval of the difference "
        "holds zero, the number of people for one more has no upper end: infinity lies inside.",
    )
    caption = "Outcomes of yes or no in other terms"
    return Table("in-people-table", caption, columns, tuple(rows), note) if rows else None


def needed_text(finding: Finding) -> str:
    """`20 (10 to 50)`; `20 (10 or more for one more, or 33 or more for one fewer)` where zero is inside."""
    interval = finding.interval
    if finding.estimate is None or interval is None or interval.low is None or interval.high is None:
        return "–"
    level = interval.level or 0.95
    found = number_needed(finding.estimate, inference.Interval(level, interval.low, interval.high))
    return f"{'–' if found.estimate is None else _people(found.estimate)} ({_ends(found)})"


def _ends(found: NumberNeeded) -> str:
    if found.more is not None and found.fewer is not None:
        more, fewer = _people(found.more[0]), _people(found.fewer[0])
        return f"{more} or more for one more, or {fewer} or more for one fewer"
    low, high = found.more or found.fewer or (0.0, None)
    ends = f"{_people(low)} to {'infinity' if high is None else _people(high)}"
    return ends if found.more is not None else f"{ends}, for one fewer"


def _people(value: float) -> str:
    return number(value, 0 if value >= 10 else 1)
