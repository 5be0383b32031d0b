"""One analysis of an outcome that people have: the contrast, in SDs, and what missing answers allow."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np

from equipoise.errors import DesignError
from equipoise.estimation.arrays import Dof
from equipoise.estimation.effects.neyman import difference_in_means
from equipoise.estimation.inference import Estimate
from equipoise.estimation.meaning.standardised import hedges_g, reference_sd
from equipoise.estimation.missing.attrition import manski_bounds, tipping_points
from equipoise.estimation.registry import estimate_effect
from equipoise.findings.claims import planned_effect
from equipoise.findings.covariates import Covariates, Labels, covariates_of, labels_of, strata_of
from equipoise.findings.data import StudyData
from equipoise.findings.estimands import estimand, model_words
from equipoise.findings.estimates import standardised_of, with_estimate
from equipoise.findings.results import Finding, Interval, Standardised
from equipoise.findings.sample import Bools, Sample, sample_of, supported_contrast
from equipoise.findings.weighting import alone_in_stratum, randomised_sizes, weighted_as_randomised
from equipoise.instruments.scoring import Floats
from equipoise.protocol.models.analyses import Analysis
from equipoise.protocol.study import Study
from equipoise.protocol.timeline import waves_before

__all__ = ["effect_findings"]

_BOUNDS = "Manski bounds: every missing answer at the worst, then at the best, possible value"
_TIPPING = (
    "how far the mean of this arm's missing answers would have to lie from that of its answers for the "
    "interval of the effect on all randomised to change sides of zero"
)
_NO_TIPPING = "no shift of this arm's missing answers changes the conclusion"


@dataclass(frozen=True)
class _Measured:
    """An outcome at one wave for a sample: `values` and `answered` have shape (participants,)."""

    study: Study
    data: StudyData
    analysis: Analysis
    outcome: str
    sample: Sample
    values: Floats

    @property
    def answered(self) -> Bools:
        return self.sample.inside & ~np.isnan(self.values)


def effect_findings(
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
    """The effect of one contrast on one outcome at one wave, then its bounds and tipping points.

    Args:
        at: the wave; for an outcome from a column without waves, the empty text.
        text: the contrast.
        planned: whether the locked protocol names the analysis.
    """
    sample = sample_of(study, data, analysis, supported_contrast(study, text))
    values = data.numbers(study.protocol.frame_column(outcome, at or None))
    measured = _Measured(study, data, analysis, outcome, sample, values)
    shared = _provenance(measured, name, at, text, planned=planned)
    words = model_words(analysis, outcome, ())
    try:
        covariates = covariates_of(study, data, analysis, outcome, measured.answered, sample.stage)
        strata = strata_of(study, data, sample.stage) if "strata" in (analysis.adjust or ()) else None
        told = covariates.names if strata is None else (*covariates.names, "strata")
        words = model_words(analysis, outcome, told)
        estimate = _estimate(measured, covariates, strata)
    except DesignError as error:
        yield shared.model_copy(update={"not_estimable": str(error), "model": words})
        return
    alone = () if strata is None else alone_in_stratum(strata, measured.answered)
    yield with_estimate(
        shared,
        estimate,
        standardised=_standardised(measured, estimate),
        model=words,
        warnings=(*sample.notes, *covariates.notes, *alone),
    )
    if strata is not None and analysis.model == "linear" and shared.tier in ("primary", "secondary"):
        level = analysis.interval
        yield from weighted_as_randomised(shared, sample, values, measured.answered, strata, level)
    yield from _for_all_randomised(shared, measured, estimate)


def _provenance(measured: _Measured, name: str, at: str, text: str, *, planned: bool) -> Finding:
    study, analysis, sample = measured.study, measured.analysis, measured.sample
    return planned_effect(
        study,
        name,
        analysis,
        measured.outcome,
        at,
        text,
        planned=planned,
        estimand=estimand(study, analysis, measured.outcome, at or None, text),
        n_randomised=sample.counts(sample.inside),
        n=sample.counts(measured.answered),
        n_missing=sample.counts(sample.inside & np.isnan(measured.values)),
    )


def _estimate(measured: _Measured, covariates: Covariates, strata: Labels | None) -> Estimate:
    """The contrast by the model that the analysis names."""
    analysis, sample, rows = measured.analysis, measured.sample, measured.answered
    y, arm, weights = measured.values[rows], sample.code[rows], sample.cells.weights
    level, names = analysis.interval, sample.cells.names
    if analysis.model == "difference-in-means" and strata is not None:
        sizes = randomised_sizes(strata[sample.inside])
        return difference_in_means(
            y, arm, weights, strata=strata[rows], randomised=sizes, level=level, arm_names=names
        )
    linear = analysis.model in ("linear", "lin-interacted")
    return estimate_effect(
        str(analysis.model),
        y,
        arm,
        weights,
        covariates=covariates.columns if covariates.columns.shape[1] else None,
        strata=None if strata is None else strata[rows],
        cluster=_cluster(measured),
        variance=analysis.variance,
        dof=cast(Dof, analysis.dof) if linear else None,
        level=level,
        arm_names=names,
    )


def _cluster(measured: _Measured) -> Labels | None:
    cluster = measured.analysis.cluster
    if cluster is None or cluster == "participant":
        return None
    return labels_of(measured.data, cluster)[measured.answered]


def _standardised(measured: _Measured, estimate: Estimate) -> Standardised | None:
    """Hedges' g, by the SD before allocation where enough of the analysed have it; None without an SD."""
    data, sample, answered = measured.data, measured.sample, measured.answered
    waves = waves_before(measured.study.protocol, sample.stage)
    before = [column for wave in waves if data.has(column := f"{measured.outcome}_{wave}")]
    score = data.numbers(before[-1])[answered] if before else None
    control = int(np.flatnonzero(sample.cells.weights < 0)[0])
    try:
        sd = reference_sd(measured.values[answered], score, sample.code[answered], control)
        found = hedges_g(estimate, sd)
    except DesignError:
        return None
    return standardised_of(found, sd.of.replace("the control arm", f"the arm {sample.cells.names[control]}"))


def _for_all_randomised(shared: Finding, measured: _Measured, estimate: Estimate) -> Iterator[Finding]:
    """Bounds that need no assumption, and how wrong one arm's missing answers would have to be."""
    tier = "sensitivity" if shared.planned else "exploratory"
    base = shared.model_copy(update={"kind": "bound", "tier": tier})
    asked = measured.analysis.missing or ()
    if "bounds" in asked:
        yield _bounds(base, measured)
    if "tipping-point" in asked:
        yield from _tipping(base, measured, estimate)


def _bounds(base: Finding, measured: _Measured) -> Finding:
    finding = base.model_copy(update={"id": f"{base.id}.bounds", "model": _BOUNDS})
    span, sample = measured.study.protocol.outcomes[measured.outcome].range, measured.sample
    if span is None:
        why = "the outcome has no lowest and highest possible value"
        return finding.model_copy(update={"not_estimable": why})
    inside = sample.inside
    found = manski_bounds(
        measured.values[inside], measured.answered[inside], sample.code[inside], sample.cells.weights, span
    )
    return finding.model_copy(update={"interval": Interval(level=None, low=found.low, high=found.high)})


def _tipping(base: Finding, measured: _Measured, estimate: Estimate) -> Iterator[Finding]:
    sample, span = measured.sample, measured.study.protocol.outcomes[measured.outcome].range
    inside = sample.inside
    points = tipping_points(
        estimate,
        measured.values[inside],
        measured.answered[inside],
        sample.code[inside],
        sample.cells.weights,
        span,
    )
    for point in points:
        name = sample.cells.names[point.arm]
        impossible = point.possible is False
        yield base.model_copy(
            update={
                "id": f"{base.id}.tipping-point.{name}",
                "arm": name,
                "estimate": point.to_change,
                "not_estimable": _NO_TIPPING if point.to_change is None else None,
                "model": _TIPPING,
                "warnings": ("such a shift lies outside what the outcome can be",) if impossible else (),
            }
        )
