"""Figures: one module a kind; each gives drawings for page and phone, a description and the table behind."""

from collections.abc import Callable

from equipoise.findings.results import Finding, Findings
from equipoise.protocol.models.conduct import Figure as PlannedFigure
from equipoise.protocol.study import Study
from equipoise.report.figures.bars import bars
from equipoise.report.figures.coefficients import coefficients
from equipoise.report.figures.figure import Figure
from equipoise.report.figures.levels import levels
from equipoise.report.figures.rates import rates
from equipoise.report.figures.weeks import weeks
from equipoise.report.names import Names
from equipoise.report.results import Results, level_of

__all__ = ["study_figures"]


def study_figures(
    study: Study, findings: Findings | None, names: Names, *, main: bool = True, explored: bool = False
) -> list[Figure]:
    """The figures of a study: the effects and the rates first, then those that the protocol asks for.

    Args:
        main: the figures of the main part; otherwise those of the detail.
        explored: what stands with what is exploratory, effects by week, along a number, by dose or wave.
    """
    results = Results.of_study(study, findings)
    if explored:
        by_week = [weeks(series, names) for series in results.by_week.values()]
        drawn = [one for one in results.by_level.values() if any(each.estimate is not None for each in one)]
        return by_week + [levels(series, results.of(series[0].analysis), names) for series in drawn]
    if main:
        effects = coefficients(results.main, names) if len(results.main) > 1 else None
        return [*([effects] if effects else []), *_rates(study, results, names)]
    return _planned(study, results, names)


def _rates(study: Study, results: Results, names: Names) -> list[Figure]:
    groups: dict[tuple[str | None, tuple[str, ...]], list[Finding]] = {}
    for one in results.of("description"):
        factors = tuple(level_of(one))
        if factors and one.estimate is not None:
            groups.setdefault((one.outcome, factors), []).append(one)
    richest = {outcome: max(len(f) for o, f in groups if o == outcome) for outcome, _ in groups}
    titles = {figure.outcome: figure.title for figure in study.protocol.report.figures.values()}
    return [
        rates(found, names, titles.get(outcome))
        for (outcome, factors), found in groups.items()
        if len(factors) == richest[outcome]
    ]


def _planned(study: Study, results: Results, names: Names) -> list[Figure]:
    drawn = (
        _STYLES.get(figure.style, _none)(figure, results, names)
        for figure in study.protocol.report.figures.values()
    )
    return [figure for figure in drawn if figure is not None]


def _bars(figure: PlannedFigure, results: Results, names: Names) -> Figure | None:
    waves = (
        list(names.protocol.outcomes[figure.outcome].waves)
        if figure.outcome in names.protocol.outcomes
        else []
    )
    described = [
        one
        for one in results.of("description")
        if one.outcome == figure.outcome and one.arm and "=" not in one.id
    ]
    last = [one for one in described if one.at == waves[-1]] if waves else described
    by_arm = [one for one in last or described if one.estimate is not None]
    if not by_arm:
        return None
    contrast = next((one for one in results.main if one.outcome == figure.outcome), None)
    return bars(by_arm, contrast, names, figure.title)


def _none(figure: PlannedFigure, results: Results, names: Names) -> Figure | None:
    return None


# Coefficients, rates and weeks stand in every report that has them; here are the styles that have to be
# asked for.
_STYLES: dict[str, Callable[[PlannedFigure, Results, Names], Figure | None]] = {"bars": _bars}
