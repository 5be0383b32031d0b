"""A contrast by level of something: by category as an interaction, by week since launch as a description."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
import polars as pl

from equipoise.errors import DesignError, NotSupportedError
from equipoise.estimation.least_squares.covariance import Variance
from equipoise.estimation.least_squares.linear import LinearFit, fit_linear
from equipoise.findings.claims import effect_id
from equipoise.findings.covariates import labels_of
from equipoise.findings.data import StudyData
from equipoise.findings.estimates import with_estimate
from equipoise.findings.points import values_at
from equipoise.findings.results import Finding
from equipoise.findings.sample import Ints, Sample, sample_of, supported_contrast
from equipoise.findings.weeks import by_week, weeks_since
from equipoise.instruments.scoring import Floats
from equipoise.protocol.checks.analyses import WEEK_SINCE_LAUNCH
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
    spec = study.protocol.outcomes[outcome]
    values = values_at(study, data, outcome, at)
    base = Finding(
        id=effect_id(name, outcome, at, text),
        analysis=name,
        kind="effect",
        outcome=outcome,
        at=at or None,
        contrast=text,
        by=analysis.by,
        among=analysis.among,
        units=spec.unit,
        role=spec.role,
        tier="exploratory",
        planned=planned,
        margin=spec.margin,
        good=spec.good,
        warnings=sample.notes,
    )
    if analysis.by == WEEK_SINCE_LAUNCH:
        yield from by_week(study, data, analysis, base, sample, values, at)
    elif analysis.by == "dose":
        raise NotSupportedError(
            "results by dose are not yet supported; the frame has the dose of each participant"
        )
    else:
        yield from _by_category(study, data, analysis, base, sample, values)


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


def _by_category(
    study: Study, data: StudyData, analysis: Analysis, base: Finding, sample: Sample, values: Floats
) -> Iterator[Finding]:
    by = str(analysis.by)
    grouping = _grouping(study, data, by, sample.stage)
    if grouping is None:
        yield base.model_copy(update={"not_estimable": f'the data have no column "{by}"'})
        return
    rows = sample.inside & ~np.isnan(values) & grouping.is_not_null().to_numpy()
    levels = _levels(grouping.filter(pl.Series(rows)), sample, sample.code[rows])
    kept = np.isin(levels.cell // len(sample.cells.names), levels.whole)
    cluster = None if analysis.cluster in (None, "participant") else labels_of(data, str(analysis.cluster))
    try:
        used, fit = _fitted(
            values[rows][kept], levels.cell[kept], analysis, None if cluster is None else cluster[rows][kept]
        )
    except DesignError as error:
        yield base.model_copy(update={"not_estimable": str(error)})
        return
    words = f"linear regression with a mean for each arm at each level of {by}"
    base = base.model_copy(update={"model": f"{words}; {_variance(analysis)} standard errors"})
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
            yield with_estimate(finding, fit.contrast(_at_level(number, used, sample), analysis.interval))
        else:
            why = "fewer than two people in an arm at this level"
            yield finding.model_copy(update={"not_estimable": why})
    if fit is not None and len(levels.whole) > 1:
        vectors = [_at_level(number, used, sample) for number in levels.whole]
        yield _interaction(base, fit, vectors, by, analysis)


def _grouping(study: Study, data: StudyData, by: str, stage: str) -> pl.Series | None:
    """The level of each participant, from a column or a derived one; None where the data have neither."""
    participants = study.protocol.participants
    if data.has(by):
        return data.participants[by].cast(pl.String)
    if participants is None or by not in participants.derived:
        return None
    expression = compile_expression(participants.derived[by], before_allocation(study.protocol, stage))
    return expression.evaluate_frame(data.participants).cast(pl.String)


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
    return used, fit_linear(values, design, variance=_variance(analysis), cluster=cluster)


def _variance(analysis: Analysis) -> Variance:
    """HC2 where the analysis names none of its own: it is Neyman's variance for means of cells."""
    named = analysis.variance not in (None, "neyman") and analysis.model in ("linear", "lin-interacted")
    if named:
        return cast(Variance, analysis.variance)
    return "HC2" if analysis.cluster in (None, "participant") else "CR2"


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
