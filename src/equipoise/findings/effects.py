"""One analysis of an outcome that people have: the contrast, and what stands beside it."""

from collections.abc import Iterator

import numpy as np

from equipoise.errors import DesignError
from equipoise.estimation.inference import Estimate
from equipoise.estimation.meaning.standardised import hedges_g, reference_sd
from equipoise.findings.beside import besides
from equipoise.findings.beside.stratum import bounded_in_stratum, has_stratum
from equipoise.findings.caution import cautions
from equipoise.findings.deciding.claims import planned_effect
from equipoise.findings.estimates import standardised_of, with_estimate
from equipoise.findings.fitting import fit
from equipoise.findings.reading.data import StudyData
from equipoise.findings.results import Finding, Standardised
from equipoise.findings.sampling.measured import Measured
from equipoise.findings.sampling.points import analysed_at
from equipoise.findings.sampling.sample import sample_of, supported_contrast
from equipoise.findings.wording.estimands import estimand, model_words
from equipoise.protocol.models.analyses import Analysis
from equipoise.protocol.study import Study
from equipoise.protocol.timeline import waves_before
from equipoise.protocol.waves import SLOPE

__all__ = ["effect_findings"]


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
    """The effect of one contrast on one outcome at one point of time, then what stands beside it.

    Args:
        at: the wave, or an average or slope of waves; for an outcome without waves, the empty text.
        text: the contrast.
        planned: whether the locked protocol names the analysis.
    """
    sample = sample_of(study, data, analysis, supported_contrast(study, text))
    values = analysed_at(study, data, analysis, outcome, at)
    measured = Measured(study, data, name, analysis, outcome, at, sample, values)
    shared = _provenance(measured, text, planned=planned)
    if has_stratum(study):
        yield from bounded_in_stratum(shared, measured)
        return
    words = model_words(analysis, outcome, ())
    try:
        words = model_words(analysis, outcome, measured.adjusted_for)
        fitted = fit(measured)
        whole = fitted.analysed or measured
    except DesignError as error:
        yield shared.model_copy(update={"not_estimable": str(error), "model": words})
        return
    effect = with_estimate(
        shared,
        fitted.estimate,
        **{
            "standardised": _standardised(measured, fitted.estimate),
            "model": words,
            "n": sample.counts(whole.answered),
            "n_missing": sample.counts(sample.inside & ~whole.answered),
            "warnings": (*sample.notes, *whole.covariates.notes, *fitted.notes, *cautions(measured)),
        }
        | fitted.fields,
    )
    yield effect
    yield from besides(effect, measured, fitted)


def _provenance(measured: Measured, text: str, *, planned: bool) -> Finding:
    study, analysis, sample = measured.study, measured.analysis, measured.sample
    return planned_effect(
        study,
        measured.name,
        analysis,
        measured.outcome,
        measured.at,
        text,
        planned=planned,
        estimand=estimand(study, analysis, measured.outcome, measured.at or None, text),
        n_randomised=sample.counts(sample.inside),
        n=sample.counts(measured.answered),
        n_missing=sample.counts(sample.inside & np.isnan(measured.values)),
    )


def _standardised(measured: Measured, estimate: Estimate) -> Standardised | None:
    """Hedges' g, by the SD before allocation where enough of the analysed have it; None without an SD.

    A slope has none: its SD would be of change a week, not of the outcome.
    """
    if measured.at == SLOPE:
        return None
    data, sample, answered = measured.data, measured.sample, measured.answered
    waves = waves_before(measured.study.protocol, sample.stage)
    before = [column for wave in waves if data.has(column := f"{measured.outcome}_{wave}")]
    score = data.numbers(before[-1])[answered] if before else None
    control = int(np.flatnonzero(sample.cells.weights < 0)[0])
    try:
        sd = reference_sd(measured.y, score, measured.arm, control, measured.cluster)
        found = hedges_g(estimate, sd)
    except DesignError:
        return None
    return standardised_of(found, sd.of.replace("the control arm", f"the arm {sample.cells.names[control]}"))
