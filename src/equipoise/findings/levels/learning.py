"""A contrast wave by wave: whether the effect grows or fades as the same people are asked again."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

import numpy as np

from equipoise.errors import DesignError
from equipoise.estimation.arrays import refuse
from equipoise.estimation.effects.learning import EffectByWave, effect_by_wave
from equipoise.estimation.least_squares.covariance import CLUSTERED
from equipoise.findings.deciding.claims import effect_id
from equipoise.findings.estimates import with_estimate
from equipoise.findings.levels.variances import dof_of, variance_of
from equipoise.findings.reading.data import StudyData
from equipoise.findings.results import Finding
from equipoise.findings.sampling.measured import Measured
from equipoise.findings.sampling.points import columns_of, own_waves
from equipoise.findings.sampling.sample import sample_of, supported_contrast
from equipoise.instruments.scoring import Floats
from equipoise.protocol.checks.analyses import WAVE
from equipoise.protocol.models.analyses import Analysis
from equipoise.protocol.study import Study
from equipoise.protocol.timeline import timeline

__all__ = ["wave_findings"]

_WEEK = timedelta(weeks=1)


def wave_findings(
    study: Study, data: StudyData, name: str, analysis: Analysis, outcome: str, text: str, *, planned: bool
) -> Iterator[Finding]:
    """The contrast at every wave after the allocation, whether the waves differ, and the change a week."""
    sample = sample_of(study, data, analysis, supported_contrast(study, text))
    spec, waves = study.protocol.outcomes[outcome], own_waves(study, outcome)
    base = Finding(
        id=effect_id(name, outcome, "", text),
        analysis=name,
        kind="effect",
        outcome=outcome,
        contrast=text,
        by=WAVE,
        among=analysis.among,
        units=spec.unit,
        role=spec.role,
        tier="exploratory",
        planned=planned,
        margin=spec.margin,
        good=spec.good,
        warnings=sample.notes,
    )
    try:
        values = _values(study, data, outcome, waves)
        measured = Measured(study, data, name, analysis, outcome, "", sample, _answered_any(values))
        found = _estimated(measured, values, waves)
        base = base.model_copy(update={"warnings": (*sample.notes, *measured.covariates.notes)})
    except DesignError as error:
        yield base.model_copy(update={"not_estimable": str(error)})
        return
    yield from _told(base, found, waves, measured)


def _values(study: Study, data: StudyData, outcome: str, waves: Sequence[str]) -> Floats:
    """The outcome by wave, shape (participants, waves)."""
    if len(waves) < 2:
        raise refuse(
            "waves", f"{outcome} has {len(waves)} after the allocation; what grows or fades needs two."
        )
    columns = columns_of(study, outcome)
    for column in columns:
        if not data.has(column):
            raise refuse("waves", f"{data.why_lacking(column).rstrip('.')}.")
    return np.stack([data.numbers(column) for column in columns], axis=1)


def _answered_any(values: Floats) -> Floats:
    """A number for whoever answered in one wave at least."""
    return np.where(np.isnan(values).all(axis=1), np.nan, 0.0)


def _estimated(measured: Measured, values: Floats, waves: Sequence[str]) -> EffectByWave:
    opens, analysis = timeline(measured.study.protocol).opens, measured.analysis
    if not opens.keys() >= set(waves):
        raise refuse("waves", "have no settled times, so the change a week is not known; set the launch.")
    variance = variance_of(analysis)
    return effect_by_wave(
        values[measured.answered],
        measured.arm,
        measured.weights,
        [(opens[wave] - opens[waves[0]]) / _WEEK for wave in waves],
        covariates=measured.columns_and_strata,
        cluster=measured.cluster,
        variance=variance if variance in CLUSTERED else "CR2",
        dof=dof_of(analysis),
        level=analysis.interval,
    )


def _told(base: Finding, found: EffectByWave, waves: Sequence[str], measured: Measured) -> Iterator[Finding]:
    whose = "participant" if measured.cluster is None else measured.analysis.cluster
    adjusted = f", adjusted for {' and '.join(measured.adjusted_for)}" if measured.adjusted_for else ""
    words = f"linear regression with a mean for each arm at each wave{adjusted}, among those who answered it"
    base = base.model_copy(update={"model": f"{words}; errors clustered by {whose}"})
    if found.equality is not None:
        yield base.model_copy(
            update={
                "id": f"{base.id}.joint",
                "kind": "test",
                "statistic": found.equality.statistic,
                "dof": found.equality.dof_denominator,
                "p_value": found.equality.p_value,
                "model": f"joint test that every wave has the same effect; {base.model}",
            }
        )
    if found.trend is not None:
        line = f"change of the effect a week, on the straight line through the waves; {base.model}"
        yield with_estimate(base, found.trend, id=f"{base.id}.linear", model=line, margin=None)
    for wave, each in zip(waves, found.waves, strict=True):
        finding = base.model_copy(
            update={
                "id": f"{base.id}.wave={wave}",
                "at": wave,
                "level": wave,
                "n": dict(zip(measured.arm_names, each.counts, strict=True)),
                "not_estimable": each.not_estimable,
            }
        )
        if each.effect is None:
            yield finding
        else:
            yield with_estimate(finding, each.effect, statistic=None, p_value=None)
