"""Effects on a common scale: one row an outcome, the primary one first."""

from collections.abc import Sequence

from equipoise.findings.results import Finding
from equipoise.report import words
from equipoise.report.figures.figure import Figure
from equipoise.report.figures.intervals import Axis, Mark, Row, draw_narrow, draw_wide
from equipoise.report.names import Names
from equipoise.report.numbers import decimals, number, span
from equipoise.report.tables import Cell, Column, Table

__all__ = ["EFFECT_COLUMNS", "coefficients", "effect_cells", "effect_row"]

_AXIS = "Difference in standard deviations (Hedges\u2019 g)"
_SHADED = "The shaded band holds differences smaller than the smallest effect of interest."


def coefficients(effects: Sequence[Finding], names: Names, name: str = "effects") -> Figure | None:
    """All outcomes on the standardised scale, with the numbers in their own units in the table behind."""
    drawn = [one for one in effects if one.standardised is not None]
    if not drawn:
        return None
    several = len({one.contrast for one in drawn}) > 1
    rows = tuple(effect_row(one, _label(one, names, several), _note(one, names, several)) for one in drawn)
    clear = sum(words.is_clear(one) for one in drawn)
    return Figure(
        id=name,
        title=_title(clear, len(drawn)),
        subtitle=f"{_AXIS}, {_contrasts(drawn, names)}; dots with 95% intervals",
        description=f"Dot and interval for each of {len(drawn)} outcomes. {_told(rows)} {_SHADED}",
        wide=draw_wide(rows, Axis(_AXIS)),
        narrow=draw_narrow(rows, Axis("Standard deviations (Hedges\u2019 g)")),
        table=_table(f"{name}-table", "Numbers behind the figure of effects", drawn, names),
        source=_SHADED if any(row.margin for row in rows) else "",
    )


EFFECT_COLUMNS = (
    Column("Outcome"),
    Column("Estimate, own unit", numeric=True),
    Column("95% interval", numeric=True),
    Column("In standard deviations (95% interval)", numeric=True),
    Column("Standing"),
)


def effect_row(finding: Finding, label: str, note: str) -> Row:
    """An effect in standard deviations, with the margin in them too."""
    found = finding.standardised
    assert found is not None  # noqa: S101 - the callers keep only standardised effects
    places = decimals(found.std_error)
    low = found.interval.low if found.interval else None
    high = found.interval.high if found.interval else None
    printed = number(found.estimate, places)
    if found.interval is not None:
        printed += f" ({span(found.interval, places)})"
    margin = finding.margin / found.sd if finding.margin and found.sd else None
    hollow = not finding.planned
    return Row(
        label,
        note,
        (Mark(found.estimate, low, high, printed, hollow=hollow),),
        margin,
        finding.tier == "primary",
    )


def _label(finding: Finding, names: Names, several: bool) -> str:
    if not several:
        return names.outcome(finding.outcome)
    contrast = names.contrast(finding)
    return contrast[:1].upper() + contrast[1:]


def _note(finding: Finding, names: Names, several: bool) -> str:
    good = {"low": "lower is better", "high": "higher is better"}.get(finding.good or "", "")
    standing = "primary" if finding.tier == "primary" else ("not planned" if not finding.planned else "")
    outcome = names.outcome(finding.outcome) if several else ""
    return "; ".join(part for part in (outcome, standing, good) if part)


def _contrasts(drawn: Sequence[Finding], names: Names) -> str:
    contrasts = list(dict.fromkeys(names.contrast(one) for one in drawn))
    return contrasts[0] if len(contrasts) == 1 else "by contrast"


def _title(clear: int, total: int) -> str:
    if total == 1:
        return "The interval excludes zero" if clear else "The interval includes zero"
    if clear == 0:
        return f"No clear difference in any of {total} results"
    return f"{clear} of {total} results show a clear difference"


def _told(rows: Sequence[Row]) -> str:
    return " ".join(f"{row.label}: {row.marks[0].printed}." for row in rows)


def _table(name: str, caption: str, drawn: Sequence[Finding], names: Names) -> Table:
    rows = tuple((Cell(names.contrast(one)), *effect_cells(one, names)) for one in drawn)
    return Table(name, caption, (Column("Contrast"), *EFFECT_COLUMNS), rows)


def effect_cells(one: Finding, names: Names) -> tuple[Cell, ...]:
    """What the columns of effects hold of one."""
    scale = words.scale_of(one, names)
    name = names.outcome(one.outcome) + (f" ({scale.unit})" if scale.unit else "")
    standardised = one.standardised.estimate if one.standardised else None
    return (
        Cell(name),
        Cell(words.estimate_text(one, names), one.estimate, one.id),
        Cell(words.interval_text(one, names), finding=one.id),
        Cell(words.standardised_text(one), standardised, one.id),
        Cell(words.label_of(one)),
    )
