"""A contrast by level of something: by category as an interaction, by week since launch as a description."""

from collections.abc import Iterator
from datetime import datetime

import numpy as np
import numpy.typing as npt
import polars as pl

from equipoise.errors import DesignError, NotSupportedError
from equipoise.estimation.by_time import effect_by_week
from equipoise.estimation.linear import fit_linear
from equipoise.findings.data import StudyData
from equipoise.findings.effects import Sample, numbers_of, sample_of
from equipoise.findings.results import Finding
from equipoise.protocol.checks.analyses import WEEK_SINCE_LAUNCH
from equipoise.protocol.contrasts import parse_contrast
from equipoise.protocol.factors import contrast_factors, default_factor
from equipoise.protocol.folder import Study
from equipoise.protocol.models.analyses import Analysis
from equipoise.protocol.timeline import timeline

__all__ = ["subgroup_findings"]

_DESCRIPTIVE = (
    "descriptive: when a person answers is itself chosen after allocation, so weeks compare different people"
)
_WEEK = 7 * 24 * 3600.0


def subgroup_findings(
    study: Study, data: StudyData, name: str, analysis: Analysis, outcome: str, at: str, text: str, *, planned: bool
) -> Iterator[Finding]:
    """The contrast at each level of `by`, and whether the levels differ."""
    contrast = parse_contrast(text, contrast_factors(study.protocol, study.vignettes), default_factor(study.protocol))
    sample = sample_of(study, data, analysis, contrast)
    spec = study.protocol.outcomes[outcome]
    values = data.numbers(study.protocol.frame_column(outcome, at or None))
    base = Finding(
        id=".".join(part for part in (name, outcome, at, text) if part),
        analysis=name,
        kind="effect",
        outcome=outcome,
        at=at or None,
        contrast=text,
        by=analysis.by,
        units=spec.unit,
        role=spec.role,
        tier="exploratory",
        planned=planned,
        margin=spec.margin,
        good=spec.good,
    )
    if analysis.by == WEEK_SINCE_LAUNCH:
        yield from _by_week(study, data, analysis, base, sample, values, at)
    elif analysis.by == "dose":
        raise NotSupportedError("results by dose are not yet supported; they come with delivery")
    else:
        yield from _by_category(data, analysis, base, sample, values)


def _by_week(
    study: Study, data: StudyData, analysis: Analysis, base: Finding, sample: Sample, values: np.ndarray, at: str
) -> Iterator[Finding]:
    column = f"answered_{at}"
    launch = timeline(study.protocol).launch
    if not data.has(column) or data.participants[column].dtype == pl.Boolean or launch is None:
        why = f"the data do not say when people answered (column {column}), so weeks since the launch are not known"
        yield base.model_copy(update={"not_estimable": why})
        return
    week = weeks_since(data.participants[column], launch)
    rows = sample.inside & ~np.isnan(values) & ~np.isnan(week)
    found = effect_by_week(
        values[rows],
        sample.code[rows],
        week[rows].astype(np.int64),
        sample.cells.weights,
        level=analysis.interval,
        arm_names=sample.cells.names,
    )
    base = base.model_copy(update={"model": f"difference in means in each week, {_DESCRIPTIVE}"})
    for each in found.weeks:
        update: dict[str, object] = {
            "id": f"{base.id}.week={each.week}",
            "level": str(each.week),
            "n": {arm: int(count) for arm, count in zip(sample.cells.names, each.counts, strict=True)},
            "not_estimable": each.not_estimable,
        }
        yield base.model_copy(update=update | (numbers_of(each.effect) if each.effect else {}))
    if found.equality is not None:
        test = found.equality
        yield base.model_copy(
            update={
                "id": f"{base.id}.joint",
                "kind": "test",
                "statistic": test.statistic,
                "dof": test.dof_denominator,
                "p_value": test.p_value,
                "model": f"joint test that every week has the same difference; {_DESCRIPTIVE}",
            }
        )
    if found.fade is not None:
        words = f"change of the difference from one week to the next, linear; {_DESCRIPTIVE}"
        yield base.model_copy(update={"id": f"{base.id}.linear", "model": words, **numbers_of(found.fade)})
    if found.monotone is not None:
        fit = found.monotone
        for week_number, value in zip(fit.weeks, fit.effects, strict=True):
            yield base.model_copy(
                update={
                    "id": f"{base.id}.monotone={week_number}",
                    "level": str(week_number),
                    "estimate": value,
                    "model": f"the closest {fit.direction} curve; {_DESCRIPTIVE}",
                }
            )


def weeks_since(answered: pl.Series, launch: datetime) -> npt.NDArray[np.float64]:
    """Whole weeks since the launch, the first week being 1; NaN where it is not known."""
    seconds = (answered - launch).dt.total_microseconds().cast(pl.Float64).to_numpy() / 1e6
    return np.floor(seconds / _WEEK) + 1.0


def _by_category(
    data: StudyData, analysis: Analysis, base: Finding, sample: Sample, values: np.ndarray
) -> Iterator[Finding]:
    by = str(analysis.by)
    if not data.has(by):
        yield base.model_copy(update={"not_estimable": f'the data have no column "{by}"'})
        return
    labels = data.participants[by].cast(pl.String).to_numpy()
    known = np.array([label is not None for label in labels])
    rows = sample.inside & ~np.isnan(values) & known
    levels = sorted(set(labels[rows]))
    arms = len(sample.cells.names)
    cell = np.array([levels.index(label) for label in labels[rows]]) * arms + sample.code[rows]
    counts = np.bincount(cell, minlength=len(levels) * arms).reshape(len(levels), arms)
    whole = [number for number in range(len(levels)) if (counts[number, sample.cells.weights != 0] > 1).all()]
    words = f"linear regression with a mean for each arm at each level of {by}; {analysis.variance} standard errors"
    fit = None
    if whole:
        kept = np.isin(cell // arms, whole)
        used = np.flatnonzero(np.bincount(cell[kept], minlength=len(levels) * arms))
        design = (cell[kept][:, None] == used).astype(np.float64)
        fit = fit_linear(values[rows][kept], design, variance=analysis.variance or "HC2")
    for number, level in enumerate(levels):
        update: dict[str, object] = {
            "id": f"{base.id}.{by}={level}",
            "level": level,
            "model": words,
            "n": {arm: int(count) for arm, count in zip(sample.cells.names, counts[number], strict=True)},
        }
        if fit is None or number not in whole:
            update["not_estimable"] = "fewer than two people in an arm at this level"
        else:
            update |= numbers_of(fit.contrast(_at_level(number, used, sample), analysis.interval))
        yield base.model_copy(update=update)
    if fit is not None and len(whole) > 1:
        yield from _interaction(base, fit, [_at_level(number, used, sample) for number in whole], by, analysis)


def _at_level(number: int, used: np.ndarray, sample: Sample) -> np.ndarray:
    arms = len(sample.cells.names)
    return np.where(used // arms == number, sample.cells.weights[used % arms], 0.0)


def _interaction(
    base: Finding, fit: object, vectors: list[np.ndarray], by: str, analysis: Analysis
) -> Iterator[Finding]:
    """Whether the levels differ; for two levels, by how much."""
    differences = np.array([vector - vectors[0] for vector in vectors[1:]])
    try:
        test = fit.joint_test(differences)  # type: ignore[attr-defined]
    except DesignError as error:
        yield base.model_copy(update={"id": f"{base.id}.interaction", "kind": "test", "not_estimable": str(error)})
        return
    update: dict[str, object] = {
        "id": f"{base.id}.interaction",
        "kind": "test",
        "statistic": test.statistic,
        "dof": test.dof_denominator,
        "p_value": test.p_value,
        "model": f"joint test that every level of {by} has the same effect",
    }
    if len(differences) == 1:
        one = fit.contrast(differences[0], analysis.interval)  # type: ignore[attr-defined]
        update |= {**numbers_of(one), "kind": "effect", "model": f"difference of the effects between levels of {by}"}
    yield base.model_copy(update=update)
