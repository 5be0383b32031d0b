"""The forest plot: a result of each study on one scale and, where a programme declares it, their average."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from equipoise.errors import DesignError
from equipoise.estimation import inference
from equipoise.estimation.synthesis.random_effects import Synthesis
from equipoise.findings.estimates import interval_of
from equipoise.findings.results import Finding
from equipoise.findings.synthesis import StudyResult, shrunk, synthesised
from equipoise.protocol.models.files import Forest
from equipoise.report import words
from equipoise.report.figures.coefficients import EFFECT_COLUMNS, effect_cells, effect_row
from equipoise.report.figures.figure import Figure
from equipoise.report.figures.intervals import Axis, Mark, Row, draw_narrow, draw_wide
from equipoise.report.names import Names
from equipoise.report.numbers import decimals, number, p_value, percentage, span
from equipoise.report.tables import Cell, Column, Table

__all__ = ["Trial", "forest"]

_STANDARDISED = "Difference in standard deviations (Hedges\u2019 g)"
_SHADED = "The shaded band holds differences smaller than the smallest effect of interest."
_AVERAGE = "Average of the studies"
_NEXT = "Where the effect of another such study may lie"


@dataclass(frozen=True)
class Trial:
    """A result with its study's title, the names of its readers, and the page of its numbers."""

    title: str
    result: StudyResult
    names: Names
    page: str


def forest(trials: Sequence[Trial], plan: Forest | None = None) -> Figure | None:
    """A row for each result, then the average and where another study may lie.

    Args:
        trials: in the programme's order.
        plan: what the programme declares; left out, the results stand side by side.
    """
    plan = plan or Forest()
    drawn = [one for one in trials if _drawable(one.result.finding, plan)]
    if not drawn:
        return None
    rows = [_row(one, plan) for one in drawn]
    together, told = _average(drawn, plan)
    towards, why_not = _towards_average(drawn, plan)
    told += why_not
    if together is not None:
        rows += _average_rows(together)
    axis = _STANDARDISED if plan.scale == "standardised" else _own_unit(drawn)
    title = plan.title or "Primary outcome of each trial"
    shaded = f" {_SHADED}" if any(row.margin for row in rows) else ""
    spoken = " ".join(f"{row.label}: {row.marks[0].printed}." for row in rows)
    return Figure(
        id="forest",
        title=_message(drawn, together),
        subtitle=f"{title}. {axis}; dots with 95% intervals",
        description=f"Dot and interval for each of {len(drawn)} results. {spoken} {told}{shaded}",
        wide=draw_wide(rows, Axis(axis)),
        narrow=draw_narrow(
            rows, Axis("Standard deviations (Hedges\u2019 g)" if axis == _STANDARDISED else axis)
        ),
        table=_table(title, drawn, together, plan, towards),
        source=f"{told}{shaded}",
    )


def _drawable(finding: Finding, plan: Forest) -> bool:
    if plan.scale == "standardised":
        return finding.standardised is not None
    return finding.estimate is not None and finding.interval is not None


def _row(trial: Trial, plan: Forest) -> Row:
    finding, note = trial.result.finding, trial.names.outcome(trial.result.finding.outcome).lower()
    if plan.scale == "standardised":
        return effect_row(finding, trial.title, note)
    interval, factor = finding.interval, words.scale_of(finding, trial.names).factor
    low = None if interval is None or interval.low is None else interval.low * factor
    high = None if interval is None or interval.high is None else interval.high * factor
    printed = f"{words.estimate_text(finding, trial.names)} ({words.interval_text(finding, trial.names)})"
    mark = Mark((finding.estimate or 0.0) * factor, low, high, printed, hollow=not finding.planned)
    margin = None if finding.margin is None else finding.margin * factor
    return Row(trial.title, note, (mark,), margin, finding.tier == "primary")


def _average(drawn: Sequence[Trial], plan: Forest) -> tuple[Synthesis | None, str]:
    """The average where the programme declares one, and what is said beneath the figure either way."""
    if not plan.pooled:
        return None, "The interventions differ, so no common effect is claimed."
    try:
        found = synthesised([one.result for one in drawn], plan.scale)
    except DesignError as error:
        return None, "No average: the results " + "; ".join(problem.message for problem in error.problems)
    return found, f"{plan.estimand} {_heterogeneity(found)}"


def _towards_average(drawn: Sequence[Trial], plan: Forest) -> tuple[list[Cell], str]:
    """Each study's effect after shrinkage, where the programme asks for it; else why there is none."""
    if not plan.shrink:
        return [], ""
    try:
        found = shrunk([one.result for one in drawn], plan.scale)
    except DesignError as error:
        reason = "; ".join(problem.message for problem in error.problems)
        return [], f" Effects are not drawn towards the average: the results {reason}"
    ends = zip(
        found.estimates.tolist(),
        found.std_errors.tolist(),
        found.low.tolist(),
        found.high.tolist(),
        strict=True,
    )
    cells = [_drawn_to(*each) for each in ends]
    return cells, " Effects drawn towards the average are empirical Bayes predictions and carry no test."


def _drawn_to(estimate: float, std_error: float, low: float, high: float) -> Cell:
    places = decimals(std_error)
    return Cell(f"{number(estimate, places)} ({number(low, places)} to {number(high, places)})", estimate)


def _heterogeneity(found: Synthesis) -> str:
    places = decimals(found.effect.std_error)
    none = "" if found.prediction else " Under four studies nothing is said of another one."
    spread = found.tau_squared_interval
    return (
        f"Random effects by restricted maximum likelihood; the interval by Hartung and Knapp, on "
        f"{found.effect.dof:g} degrees of freedom. True effects differ between studies by a standard "
        f"deviation of {number(found.tau, places)} (95% interval {number(spread.low**0.5, places)} to "
        f"{number(spread.high**0.5, places)}); {percentage(found.i_squared)} of the variance of the "
        f"estimates lies between studies (Q = {number(found.q, 1)}, {p_value(found.q_p_value)}).{none}"
    )


def _average_rows(found: Synthesis) -> list[Row]:
    effect, places = found.effect, decimals(found.effect.std_error)
    printed = f"{number(effect.estimate, places)} ({span(interval_of(effect.interval), places)})"
    rows = [
        Row(
            _AVERAGE,
            "random effects",
            (Mark(effect.estimate, effect.interval.low, effect.interval.high, printed, series=1),),
            bold=True,
        )
    ]
    if found.prediction is not None:
        ahead = found.prediction
        mark = Mark(
            effect.estimate, ahead.low, ahead.high, span(interval_of(ahead), places), series=1, hollow=True
        )
        rows.append(Row(_NEXT, "prediction interval", (mark,)))
    return rows


def _message(drawn: Sequence[Trial], together: Synthesis | None) -> str:
    if together is not None:
        clear = not together.effect.interval.contains(0.0)
        return "The average excludes zero" if clear else "The average may be zero"
    clear_ones = sum(words.is_clear(one.result.finding) for one in drawn)
    if len(drawn) == 1:
        return "The interval excludes zero" if clear_ones else "The interval includes zero"
    if clear_ones == 0:
        return f"No clear difference in any of {len(drawn)} results"
    return f"{clear_ones} of {len(drawn)} results show a clear difference"


def _own_unit(drawn: Sequence[Trial]) -> str:
    unit = words.scale_of(drawn[0].result.finding, drawn[0].names).unit
    return f"Difference ({unit})" if unit else "Difference"


def _table(
    title: str, drawn: Sequence[Trial], together: Synthesis | None, plan: Forest, towards: Sequence[Cell]
) -> Table:
    cells = [
        (
            Cell(one.title),
            *(replace(cell, page=one.page) for cell in effect_cells(one.result.finding, one.names)),
        )
        for one in drawn
    ]
    columns: tuple[Column, ...] = (Column("Trial"), *EFFECT_COLUMNS)
    if together is None:
        return Table("forest-table", title, columns, tuple(cells))
    weighed = [
        (*row, Cell(percentage(weight), float(weight)))
        for row, weight in zip(cells, together.weights.tolist(), strict=True)
    ]
    weighed += _average_cells(together, plan)
    columns = (*columns, Column("Weight", True))
    if towards:
        columns = (*columns, Column("Drawn towards the average (95% interval)", True))
        below = [*towards, *[Cell("–")] * (len(weighed) - len(towards))]
        weighed = [(*row, cell) for row, cell in zip(weighed, below, strict=True)]
    return Table("forest-table", title, columns, tuple(weighed))


def _average_cells(found: Synthesis, plan: Forest) -> list[tuple[Cell, ...]]:
    effect, places = found.effect, decimals(found.effect.std_error)
    rows = [_summary(_AVERAGE, number(effect.estimate, places), effect.interval, effect.estimate, plan)]
    if found.prediction is not None:
        rows.append(_summary(_NEXT, "", found.prediction, None, plan))
    return rows


def _summary(
    name: str, printed: str, interval: inference.Interval, raw: float | None, plan: Forest
) -> tuple[Cell, ...]:
    """A row of the table that is of no one study, in the columns of the scale."""
    ends, none = span(interval_of(interval), decimals((interval.high - interval.low) / 4)), Cell("–")
    if plan.scale == "own":
        return Cell(name), none, Cell(printed or "–", raw), Cell(ends), none, Cell("Random effects"), none
    both = Cell(f"{printed} ({ends})" if printed else ends, raw)
    return Cell(name), none, none, none, both, Cell("Random effects"), none
