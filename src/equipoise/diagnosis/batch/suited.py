"""What the quick way can do: why a study has to be simulated in full, or an effect walked trial by trial."""

from itertools import combinations

from equipoise.diagnosis.batch.deciding import METHODS
from equipoise.diagnosis.claims import Claim
from equipoise.estimation.least_squares.covariance import CLUSTERED
from equipoise.findings.sampling.sample import supported_contrast
from equipoise.findings.scheduled import compares_periods
from equipoise.instruments.definition import Instrument
from equipoise.instruments.library import load
from equipoise.instruments.scoring import rule_of
from equipoise.protocol.expressions import compile_expression
from equipoise.protocol.factors import compared_stage, waves_asking
from equipoise.protocol.facts import before_allocation
from equipoise.protocol.models.analyses import Analysis
from equipoise.protocol.models.outcomes import Outcome
from equipoise.protocol.study import Study
from equipoise.protocol.timeline import timeline, waves_before

__all__ = ["why_not_drawn", "why_not_fitted"]

_MODELS = ("difference-in-means", "linear", "lin-interacted")
_VARIANCES = ("neyman", "classical", "HC0", "HC1", "HC2", "HC3")


def why_not_drawn(study: Study, claims: tuple[Claim, ...]) -> str | None:
    """Why trials of a study cannot be drawn as arrays, and each needs a whole data set; None where they can.

    Args:
        study: as loaded.
        claims: the effects that are looked at.
    """
    protocol = study.protocol
    if protocol.looks:
        return "interim looks"
    if any(step.method not in METHODS for step in protocol.testing or ()):
        return "claims tested together by more than their p-values"
    if any(strategy != "treatment-policy" for strategy in protocol.events.values()):
        return "events that change an outcome"
    if not protocol.allocation:
        return "nobody is allocated"
    for name, stage in protocol.allocation.items():
        if stage.among is not None or protocol.gives_sequences(name):
            return f"the stage {name}"
    if len(timeline(protocol).opens) < len(protocol.waves):
        return "waves whose time is not known"
    reasons = (_claim_not_drawn(study, claim) for claim in claims)
    return next((reason for reason in (*reasons, _overlapping(study)) if reason), None)


def why_not_fitted(study: Study, claim: Claim, columns: tuple[str, ...]) -> str | None:
    """Why an effect that can be drawn cannot be fitted for many trials at once; None where it can.

    Args:
        study: as loaded.
        claim: the effect.
        columns: of the participants.
    """
    analysis, protocol = study.protocol.analyses[claim.analysis], study.protocol
    if analysis.model not in _MODELS or analysis.variance not in (*_VARIANCES, *CLUSTERED):
        return f"{analysis.model} with {analysis.variance}"
    if analysis.weights is not None:
        return "weights by the chance of an arm"
    if analysis.test.by != "t":
        return "a test by re-drawing"
    if analysis.average_over == "clusters" or _clustered_otherwise(study, analysis, claim, columns):
        return "clusters"
    if analysis.model == "difference-in-means" and set(analysis.adjust or ()) - {"strata"}:
        return "means that are adjusted"
    stage = compared_stage(protocol, [supported_contrast(study, claim.contrast)])
    if analysis.among is not None:
        rule = compile_expression(analysis.among, before_allocation(protocol, stage))
        if not set(rule.columns) <= set(columns):
            return "a choice of people by what they answer"
    if protocol.outcomes[claim.outcome].column is not None and analysis.adjust not in (None, (), ("strata",)):
        return "a column that is adjusted"
    derived = protocol.participants.derived if protocol.participants else {}
    known = {*columns, "strata", *waves_before(protocol, stage)}
    lacking = [name for name in analysis.adjust or () if name not in known or name in derived]
    return f"adjustment for {lacking[0]}" if lacking else None


def _clustered_otherwise(study: Study, analysis: Analysis, claim: Claim, columns: tuple[str, ...]) -> bool:
    """Whether clusters are analysed in a way that is not worked out for many trials at once."""
    if analysis.cluster in (None, "participant"):
        return False
    stage = compared_stage(study.protocol, [supported_contrast(study, claim.contrast)])
    in_strata = bool("strata" in (analysis.adjust or ()) and study.protocol.allocation[stage].drawn_within)
    loose = analysis.variance in ("CR0", "CR1") and in_strata  # refused where strata hold two clusters
    means = analysis.model == "difference-in-means"
    return means or loose or analysis.cluster not in columns


def _claim_not_drawn(study: Study, claim: Claim) -> str | None:
    analysis, spec = study.protocol.analyses[claim.analysis], study.protocol.outcomes[claim.outcome]
    if spec.task is not None or compares_periods(study, claim.contrast):
        return "ratings, or periods of a schedule"
    if analysis.target != "all" or analysis.kind != "as-randomised":
        return "an effect of what people took up"
    if spec.instrument is None and spec.question is None and spec.column is None:
        return f"{claim.outcome}, made of other outcomes"
    if spec.instrument is not None and not isinstance(load(spec.instrument), Instrument):
        return f"{claim.outcome}, made of several instruments"
    if spec.column is None and not waves_asking(study.protocol, study.surveys, spec):
        return f"{claim.outcome}, which no survey asks"
    if analysis.auxiliaries or analysis.change_from is not None:
        return "an analysis that looks at more than one outcome, or at its change"
    return "questions that not everybody is shown" if _routed(study, spec) else None


def _routed(study: Study, spec: Outcome) -> bool:
    """Whether a question that makes an outcome may be kept back."""
    for survey in study.surveys.values():
        for page in survey.pages:
            for question in page.questions:
                asks = _names(spec, question.id)
                if spec.instrument is not None:
                    asks = question.instrument == spec.instrument
                if asks and (page.show_if is not None or question.show_if is not None):
                    return True
    return False


def _names(spec: Outcome, question: str | None) -> bool:
    return question is not None and spec.question is not None and spec.question.endswith(f".{question}")


def _overlapping(study: Study) -> str | None:
    """Scores of one instrument that share items: they are not drawn apart."""
    scored = [spec for spec in study.protocol.outcomes.values() if spec.instrument is not None]
    for first, second in combinations(scored, 2):
        if first.instrument == second.instrument:
            definition = load(str(first.instrument))
            if not isinstance(definition, Instrument):
                return "two scores of one instrument"
            items = [set(rule_of(definition, spec.score).items) for spec in (first, second)]
            if items[0] & items[1]:
                return "two scores that share items"
    return None
