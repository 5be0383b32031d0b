"""A contrast by level of something: of a category or along a number by interaction, of weeks and doses as a
description."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import polars as pl

from equipoise.errors import DesignError
from equipoise.findings.deciding.claims import effect_id
from equipoise.findings.levels.categories import Rows, by_category, of_how_many
from equipoise.findings.levels.doses import by_dose
from equipoise.findings.levels.moderated import by_number
from equipoise.findings.levels.redrawn import interaction_by_redraws
from equipoise.findings.levels.weeks import by_week, weeks_since
from equipoise.findings.reading.data import StudyData
from equipoise.findings.results import Finding
from equipoise.findings.sampling.measured import Measured
from equipoise.findings.sampling.points import analysed_at
from equipoise.findings.sampling.sample import sample_of, supported_contrast
from equipoise.findings.wording.estimands import estimand
from equipoise.protocol.checks.analyses import DOSE, WEEK_SINCE_LAUNCH
from equipoise.protocol.expressions import compile_expression
from equipoise.protocol.facts import before_allocation
from equipoise.protocol.models.analyses import Analysis
from equipoise.protocol.study import Study

__all__ = ["subgroup_findings", "weeks_since"]


def subgroup_findings(
    study: Study,
    data: StudyData,
    name: str,
    analysis: Analysis,
    outcome: str,
    at: str,
    text: str,
    *,
    planned: bool,
) -> Iterator[Finding]:
    """The contrast at each level of `by`, and whether the levels differ."""
    sample = sample_of(study, data, analysis, supported_contrast(study, text))
    values = analysed_at(study, data, analysis, outcome, at)
    measured = Measured(study, data, name, analysis, outcome, at, sample, values)
    spec, by = study.protocol.outcomes[outcome], str(analysis.by)
    base = Finding(
        id=effect_id(name, outcome, at, text),
        analysis=name,
        kind="effect",
        outcome=outcome,
        at=at or None,
        contrast=text,
        by=by,
        among=analysis.among,
        units=spec.unit,
        role=spec.role,
        tier="exploratory",
        planned=planned,
        margin=spec.margin,
        good=spec.good,
        estimand=None if by in _DESCRIBED else estimand(study, analysis, outcome, at or None, text),
        warnings=sample.notes,
    )
    if by in _DESCRIBED:
        yield from _DESCRIBED[by](measured, base)
        return
    grouping = _grouping(study, data, by, sample.stage)
    if grouping is None:
        yield base.model_copy(update={"not_estimable": f'the data have no column "{by}"'})
        return
    base = base.model_copy(update={"warnings": (*base.warnings, of_how_many(study))})
    unknown = int((measured.answered & grouping.is_null().to_numpy()).sum())
    if unknown:
        left = f"{unknown} people are left out because their {by} is not known"
        base = base.model_copy(update={"warnings": (*base.warnings, left)})
    if grouping.dtype.is_numeric():
        yield from by_number(measured, base, grouping.cast(pl.Float64).to_numpy().astype(np.float64))
    else:
        yield from _by_category(measured, base, grouping.cast(pl.String))


def _by_category(measured: Measured, base: Finding, levels: pl.Series) -> Iterator[Finding]:
    known = measured.among(levels.is_not_null().to_numpy())
    try:
        rows = Rows(
            known.y,
            known.arm,
            levels.filter(pl.Series(known.answered)),
            known.sample.cells,
            known.columns_and_strata,
            known.cluster,
            known.adjusted_for,
        )
    except DesignError as error:
        yield base.model_copy(update={"not_estimable": str(error)})
        return
    noted = base.model_copy(update={"warnings": (*base.warnings, *known.covariates.notes)})
    for finding in by_category(rows, noted, measured.analysis):
        interaction = finding.id == f"{base.id}.interaction"
        yield _redrawn(finding, known, levels) if interaction else finding


def _redrawn(finding: Finding, known: Measured, levels: pl.Series) -> Finding:
    """By re-drawing among the levels that the interaction compares: those with two people in every arm."""
    labels, cells = levels.fill_null("").to_numpy(), known.sample.cells
    compared = np.flatnonzero(cells.weights)
    codes = known.sample.code
    whole = [
        level
        for level in np.unique(labels[known.answered])
        if all(((labels == level) & known.answered & (codes == arm)).sum() > 1 for arm in compared)
    ]
    kept = known.among(np.isin(labels, whole))
    return interaction_by_redraws(finding, kept, labels[kept.answered].astype(str))


_DESCRIBED: Mapping[str, Callable[[Measured, Finding], Iterator[Finding]]] = {
    WEEK_SINCE_LAUNCH: by_week,
    DOSE: by_dose,
}


def _grouping(study: Study, data: StudyData, by: str, stage: str) -> pl.Series | None:
    """The level or number of each participant, from a column or a derived one; None without either."""
    participants = study.protocol.participants
    if data.has(by):
        return data.participants[by]
    if participants is None or by not in participants.derived:
        return None
    expression = compile_expression(participants.derived[by], before_allocation(study.protocol, stage))
    return expression.evaluate_frame(data.participants)
