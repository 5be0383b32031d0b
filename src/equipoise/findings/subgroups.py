"""A contrast by level of something: of a category or along a number by interaction, of weeks and doses as a
description."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from equipoise.errors import DesignError
from equipoise.estimation.least_squares.linear import LinearFit, fit_linear
from equipoise.findings.claims import effect_id
from equipoise.findings.covariates import labels_of
from equipoise.findings.data import StudyData
from equipoise.findings.doses import by_dose
from equipoise.findings.estimates import with_estimate
from equipoise.findings.measured import Measured
from equipoise.findings.moderated import by_number
from equipoise.findings.points import values_at
from equipoise.findings.results import Finding
from equipoise.findings.sample import Ints, Sample, sample_of, supported_contrast
from equipoise.findings.variances import variance_of
from equipoise.findings.weeks import by_week, weeks_since
from equipoise.instruments.scoring import Floats
from equipoise.protocol.checks.analyses import DOSE, NO_GROUPS, WEEK_SINCE_LAUNCH
from equipoise.protocol.expressions import compile_expression
from equipoise.protocol.facts import before_allocation
from equipoise.protocol.models.analyses import Analysis
from equipoise.protocol.study import Study

__all__ = ["subgroup_findings", "weeks_since"]

MANY = 5
"""From this many ways of telling people apart on, one of them differs by chance more often than not."""


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
    measured = Measured(study, data, name, analysis, outcome, at, sample, values_at(study, data, outcome, at))
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
        warnings=sample.notes,
    )
    if by in _DESCRIBED:
        yield from _DESCRIBED[by](measured, base)
        return
    grouping = _grouping(study, data, by, sample.stage)
    if grouping is None:
        yield base.model_copy(update={"not_estimable": f'the data have no column "{by}"'})
        return
    base = base.model_copy(update={"warnings": (*base.warnings, _of_how_many(study))})
    if grouping.dtype.is_numeric():
        yield from by_number(measured, base, grouping.cast(pl.Float64).to_numpy().astype(np.float64))
    else:
        yield from _by_category(measured, base, grouping.cast(pl.String))


_DESCRIBED: Mapping[str, Callable[[Measured, Finding], Iterator[Finding]]] = {
    WEEK_SINCE_LAUNCH: by_week,
    DOSE: by_dose,
}


def _of_how_many(study: Study) -> str:
    """How many ways of telling people apart are looked at, and how many of them were planned."""
    planned, explored = (
        sum(one.by is not None and one.by not in NO_GROUPS for one in analyses.values())
        for analyses in (study.protocol.analyses, study.explore)
    )
    looked = planned + explored
    ways = "1 way of telling people apart is" if looked == 1 else f"{looked} ways of telling people apart are"
    words = f"{ways} looked at, {planned} of them planned"
    return f"{words}; of so many, one or more differ by chance alone" if looked >= MANY else words


@dataclass(frozen=True)
class _Levels:
    """The cells of a grouping and the arms: `cell` of each person, `counts` of shape (levels, arms)."""

    names: tuple[str, ...]
    sample: Sample
    cell: Ints
    counts: Ints

    @property
    def whole(self) -> list[int]:
        """The levels with two people or more in every arm compared."""
        compared = self.counts[:, self.sample.cells.weights != 0]
        return [number for number in range(len(self.names)) if (compared[number] > 1).all()]


def _by_category(measured: Measured, base: Finding, grouping: pl.Series) -> Iterator[Finding]:
    """Whether the levels differ first, then each level, without a test of its own."""
    sample, analysis, by = measured.sample, measured.analysis, str(measured.analysis.by)
    rows = measured.answered & grouping.is_not_null().to_numpy()
    levels = _levels(grouping.filter(pl.Series(rows)), sample, sample.code[rows])
    kept = np.isin(levels.cell // len(sample.cells.names), levels.whole)
    cluster = None
    if analysis.cluster not in (None, "participant"):
        cluster = labels_of(measured.data, str(analysis.cluster))[rows][kept]
    try:
        used, fit = _fitted(measured.values[rows][kept], levels.cell[kept], analysis, cluster)
    except DesignError as error:
        yield base.model_copy(update={"not_estimable": str(error)})
        return
    words = f"linear regression with a mean for each arm at each level of {by}"
    base = base.model_copy(update={"model": f"{words}; {variance_of(analysis)} standard errors"})
    if fit is not None and len(levels.whole) > 1:
        vectors = [_at_level(number, used, sample) for number in levels.whole]
        yield _interaction(base, fit, vectors, by, analysis)
    for number, level in enumerate(levels.names):
        counts = zip(sample.cells.names, levels.counts[number], strict=True)
        finding = base.model_copy(
            update={
                "id": f"{base.id}.{by}={level}",
                "level": level,
                "n": {arm: int(count) for arm, count in counts},
            }
        )
        if number in levels.whole and fit is not None:
            estimate = fit.contrast(_at_level(number, used, sample), analysis.interval)
            yield with_estimate(finding, estimate, statistic=None, p_value=None)
        else:
            why = "fewer than two people in an arm at this level"
            yield finding.model_copy(update={"not_estimable": why})


def _grouping(study: Study, data: StudyData, by: str, stage: str) -> pl.Series | None:
    """The level or number of each participant, from a column or a derived one; None without either."""
    participants = study.protocol.participants
    if data.has(by):
        return data.participants[by]
    if participants is None or by not in participants.derived:
        return None
    expression = compile_expression(participants.derived[by], before_allocation(study.protocol, stage))
    return expression.evaluate_frame(data.participants)


def _levels(grouping: pl.Series, sample: Sample, code: Ints) -> _Levels:
    names = tuple(grouping.unique().sort().to_list())
    arms = len(sample.cells.names)
    number = np.searchsorted(np.array(names, dtype=object), grouping.to_numpy()) if names else code[:0]
    cell = number.astype(np.int64) * arms + code
    counts = np.bincount(cell, minlength=len(names) * arms).reshape(len(names), arms)
    return _Levels(names, sample, cell, counts)


def _fitted(
    values: Floats, cell: Ints, analysis: Analysis, cluster: np.ndarray | None
) -> tuple[Ints, LinearFit | None]:
    """A mean for each cell that somebody is in; None where no level has enough people."""
    used = np.unique(cell)
    if not len(values):
        return used, None
    design = (cell[:, None] == used).astype(np.float64)
    return used, fit_linear(values, design, variance=variance_of(analysis), cluster=cluster)


def _at_level(number: int, used: Ints, sample: Sample) -> Floats:
    arms = len(sample.cells.names)
    return np.where(used // arms == number, sample.cells.weights[used % arms], 0.0)


def _interaction(
    base: Finding, fit: LinearFit, vectors: list[Floats], by: str, analysis: Analysis
) -> Finding:
    """Whether the levels differ; for two levels, by how much."""
    base = base.model_copy(update={"id": f"{base.id}.interaction"})
    differences = np.array([vector - vectors[0] for vector in vectors[1:]])
    if len(differences) == 1:
        words = f"difference of the effects between levels of {by}"
        return with_estimate(base, fit.contrast(differences[0], analysis.interval), model=words)
    try:
        test = fit.joint_test(differences)
    except DesignError as error:
        return base.model_copy(update={"kind": "test", "not_estimable": str(error)})
    return base.model_copy(
        update={
            "kind": "test",
            "statistic": test.statistic,
            "dof": test.dof_denominator,
            "p_value": test.p_value,
            "model": f"joint test that every level of {by} has the same effect",
        }
    )
