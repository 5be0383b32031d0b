"""The estimand of an effect and its model, in words that a reader of the report can follow."""

from equipoise.findings.results import Tier
from equipoise.protocol.folder import Study
from equipoise.protocol.models.analyses import Analysis
from equipoise.protocol.models.outcomes import Role

__all__ = ["claimed", "estimand", "model_words", "tier_of"]

_MODELS = {
    "difference-in-means": "difference in means",
    "linear": "linear regression",
    "lin-interacted": "linear regression by arm on centred covariates (Lin's estimator)",
    "logistic": "logistic regression, average marginal effect",
    "poisson": "Poisson regression, average marginal effect",
}


def estimand(study: Study, analysis: Analysis, outcome: str, at: str | None, contrast: str) -> str:
    """Treatment, population, variable and time, intercurrent events, summary and weighting, in one paragraph."""
    protocol = study.protocol
    spec = protocol.outcomes[outcome]
    rated = spec.task is not None
    who = "all ratings" if rated else "everybody randomised"
    if analysis.among:
        who += f" for whom {analysis.among}"
    when = f" at {_label(study, at)}" if at else ""
    events = "; ".join(f"{event.replace('_', ' ')}: {strategy}" for event, strategy in protocol.events.items())
    handled = f" Events after allocation: {events}." if events else ""
    missing = "as randomised, among those who answered" if not rated else "all ratings that were given"
    weighting = " Each cluster counts once." if analysis.average_over == "clusters" else " Each person counts once."
    if rated:
        weighting = " Each rating counts once; these stimuli only."
    return (
        f"Mean difference in {spec.label}{when} ({contrast}) for {who}; estimated {missing}.{handled}{weighting}"
    )


def model_words(analysis: Analysis, outcome: str, covariates: tuple[str, ...]) -> str:
    """The model as fitted: what was regressed on what, with which errors."""
    words = _MODELS.get(str(analysis.model), str(analysis.model))
    if covariates:
        words += f", adjusted for {' and '.join(covariates)}"
    elif analysis.adjust and outcome in analysis.unadjusted:
        words += ", not adjusted (this outcome was not asked before)"
    errors = {"neyman": "Neyman's variance"}.get(str(analysis.variance), f"{analysis.variance} standard errors")
    if analysis.cluster is not None:
        errors += f" clustered by {analysis.cluster}"
    freedom = "" if analysis.model == "difference-in-means" else f", {analysis.dof} degrees of freedom"
    return f"{words}; {errors}{freedom}"


def tier_of(analysis: Analysis, role: Role, *, planned: bool, claimed: bool) -> Tier:
    """Primary, secondary, sensitivity, supplementary or exploratory: derived, never typed in."""
    if not planned or role == "exploratory":
        return "exploratory"
    if analysis.sensitivity_of is not None:
        return "sensitivity"
    if analysis.supplementary_to is not None or analysis.kind == "per-protocol" or analysis.target == "complier":
        return "supplementary"
    return role if claimed and analysis.by is None and analysis.among is None else "exploratory"


def claimed(study: Study, analysis: str, outcome: str) -> bool:
    """Whether a step of the testing order names the outcome, alone or as this analysis's."""
    named = {outcome, f"{analysis}.{outcome}"}
    claims = [claim for step in study.protocol.testing or () for claim in step.claims]
    return any(claim in named or claim.partition(".")[0] == outcome for claim in claims)


def _label(study: Study, at: str) -> str:
    wave = study.protocol.waves.get(at)
    return (wave.label or at) if wave else at
