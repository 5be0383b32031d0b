"""What an analysis finds where sequences of arms were drawn: stepped wedges, waiting lists, crossovers."""

from collections.abc import Iterator

from equipoise.errors import DesignError
from equipoise.findings.deciding.claims import planned_effect
from equipoise.findings.estimates import with_estimate
from equipoise.findings.fitting.crossover import fit_crossed
from equipoise.findings.fitting.in_periods import Further, InPeriods
from equipoise.findings.fitting.sequences import Permuted, permuted
from equipoise.findings.fitting.wedge import fit_wedge
from equipoise.findings.reading.data import StudyData
from equipoise.findings.results import Finding
from equipoise.findings.sampling.periods import Periods, periods_of
from equipoise.findings.sampling.sample import Sample, sample_of, supported_contrast
from equipoise.findings.wording.estimands import estimand, model_words
from equipoise.protocol.factors import compared_stage, contrast_factors
from equipoise.protocol.models.analyses import Analysis
from equipoise.protocol.study import Study

__all__ = ["compares_periods", "scheduled_findings"]

_ALIKE = "intracluster correlation of people of one period, from the variances of the model"
_NOTHING: dict[str, None] = dict.fromkeys(
    ("estimate", "std_error", "dof", "statistic", "p_value", "interval")
)


def compares_periods(study: Study, text: str) -> bool:
    """Whether a contrast is of arms that people have in turn."""
    return study.protocol.gives_sequences(compared_stage(study.protocol, [supported_contrast(study, text)]))


def scheduled_findings(
    study: Study, data: StudyData, name: str, analysis: Analysis, outcome: str, text: str, *, planned: bool
) -> Iterator[Finding]:
    """The effect of one contrast over all periods, then what stands beside it.

    Args:
        name: of the analysis.
        text: the contrast.
        planned: whether the locked protocol names the analysis.
    """
    sample = sample_of(study, data, analysis, supported_contrast(study, text))
    base = planned_effect(
        study,
        name,
        analysis,
        outcome,
        "",
        text,
        planned=planned,
        n_randomised=sample.counts(sample.inside),
    )
    try:
        schedule = study.protocol.schedule
        if schedule is None:
            raise DesignError("there is no `schedule:` that says which arm each sequence has when")
        weights = _weights(study, sample, text)
        periods = periods_of(study, data, analysis, outcome, sample, schedule, weights)
        fitted = fit_crossed(periods) if schedule.switch is None else fit_wedge(periods)
        drawn = permuted(periods) if analysis.test.by == "randomisation" else None
    except DesignError as error:
        yield base.model_copy(update={"not_estimable": str(error)})
        return
    effect = _effect(base, periods, fitted, text)
    yield effect if drawn is None else _redrawn(effect, drawn)
    yield from (_further(effect, one) for one in fitted.further)
    yield from _variances(effect, fitted)


def _weights(study: Study, sample: Sample, text: str) -> dict[str, float]:
    """The contrast's weight on each arm of the schedule.

    Raises:
        DesignError: the contrast names more than the arms of one schedule.
    """
    arms = contrast_factors(study.protocol, study.vignettes)[study.protocol.arm_column(sample.stage)]
    found = supported_contrast(study, text).weights(arms)
    return {arm: float(weight) for arm, weight in zip(arms, found, strict=True)}


def _effect(base: Finding, periods: Periods, fitted: InPeriods, text: str) -> Finding:
    sample, analysis = periods.sample, periods.analysis
    words = model_words(analysis, periods.outcome, _adjusted_for(periods)).partition(")")[2]
    measured = int(periods.there.sum())
    told = f"{measured} values of {int(periods.analysed.sum())} people in {periods.values.shape[1]} periods"
    return with_estimate(
        base,
        fitted.effect,
        estimand=estimand(periods.study, analysis, periods.outcome, None, text) + fitted.averaged,
        n=sample.counts(periods.analysed),
        n_missing=sample.counts(sample.inside & ~periods.analysed),
        model=f"{fitted.model}{words}",
        warnings=(told, *periods.notes, *periods.covariates.notes, *fitted.notes),
    )


def _redrawn(effect: Finding, drawn: Permuted) -> Finding:
    """The effect with the p-value of the draw; its interval stays the model's."""
    return effect.model_copy(
        update={
            "p_value": drawn.test.p_value,
            "statistic": drawn.test.statistic,
            "dof": None,
            "draws": drawn.test.draws,
            "mc_error": drawn.test.mc_error,
            "model": f"{effect.model}; {drawn.how}",
            "warnings": (*effect.warnings, *drawn.notes),
        }
    )


def _adjusted_for(periods: Periods) -> tuple[str, ...]:
    return (*periods.covariates.names, *(() if periods.strata is None else ("strata",)))


def _further(effect: Finding, one: Further) -> Finding:
    finding = effect.model_copy(
        update={
            "id": f"{effect.id}.{one.name}",
            "tier": one.tier if effect.planned else "exploratory",
            "by": None if one.level is None else "exposure",
            "level": one.level,
            "model": one.model,
            "margin": None,
            "warnings": one.notes,
        }
    )
    if isinstance(one.found, str):
        return finding.model_copy(update=_NOTHING | {"not_estimable": one.found})
    return with_estimate(finding, one.found)


def _variances(effect: Finding, fitted: InPeriods) -> Iterator[Finding]:
    base = effect.model_copy(
        update=_NOTHING
        | {
            "kind": "variance-component",
            "contrast": None,
            "tier": "descriptive",
            "margin": None,
            "warnings": (),
        }
    )
    stem = f"{effect.analysis}.{effect.outcome}"
    if fitted.alike is not None:
        yield base.model_copy(
            update={"id": f"{stem}.icc", "units": "correlation", "estimate": fitted.alike, "model": _ALIKE}
        )
    for name, variance in fitted.variances.items():
        words = f"variance of {name}, restricted maximum likelihood"
        yield base.model_copy(
            update={
                "id": f"{stem}.variance.{name}",
                "units": "variance",
                "estimate": variance,
                "model": words,
            }
        )
