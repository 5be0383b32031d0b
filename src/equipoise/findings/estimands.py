"""The estimand of an effect and its model, in words that a reader of the report can follow."""

from equipoise.protocol.models.analyses import Analysis
from equipoise.protocol.study import Study
from equipoise.protocol.waves import SLOPE, points_of

__all__ = ["estimand", "model_words"]

_DOF = {"satterthwaite": "Satterthwaite", "kenward-roger": "Kenward-Roger", "residual": "residual"}
_WITH_FREEDOM = ("linear", "lin-interacted", "mixed", "mmrm")
_CLUSTERED_OTHERWISE = {
    "two-way": "CR1 standard errors clustered two ways, by the unit of allocation and by",
    "wild-bootstrap": "CR1 standard errors, p-value and interval by the wild bootstrap, clustered by",
}
_MODELS = {
    "difference-in-means": "difference in means",
    "linear": "linear regression",
    "lin-interacted": "linear regression by arm on centred covariates (Lin's estimator)",
    "logistic": "logistic regression, average marginal effect",
    "ordinal": "proportional-odds regression, average marginal effect on the mean score",
    "poisson": "Poisson regression, average marginal effect",
    "mixed": "linear mixed model (REML) with a random intercept",
    "mmrm": "mixed model for repeated measures (REML), arms and covariates by wave; covariance of the waves "
    "unstructured, else Toeplitz, else AR(1)",
}


def estimand(study: Study, analysis: Analysis, outcome: str, at: str | None, contrast: str) -> str:
    """Treatment, population, variable and time, intercurrent events, summary, weighting: one paragraph."""
    protocol = study.protocol
    spec = protocol.outcomes[outcome]
    rated = spec.task is not None
    who = "all ratings" if rated else "everybody randomised"
    if analysis.target == "complier":
        who = f"those whose {_plain(analysis.take_up)} follows their arm"
    elif analysis.kind == "per-protocol":
        who = f"those who followed their arm by {_plain(analysis.take_up)} (not randomised)"
    if analysis.among:
        who += f" for whom {analysis.among}"
    events = "; ".join(
        f"{event.replace('_', ' ')}: {strategy}" for event, strategy in protocol.events.items()
    )
    handled = f" Events after allocation: {events}." if events else ""
    missing = "as randomised, among those who answered" if not rated else "all ratings that were given"
    if analysis.model == "mmrm":
        missing = f"{missing} a wave, missing waves taken to depend on what was answered only"
    elif at and len(points_of(at)) != 1:
        missing += " every one of these waves"
    weighting = (
        " Each cluster counts once." if analysis.average_over == "clusters" else " Each person counts once."
    )
    if rated:
        weighting = " Each rating counts once; these stimuli only."
    what = f"Mean difference in {_measured(study, str(spec.label), at)} ({contrast}) for {who}"
    if analysis.target == "complier":
        what += f", assuming: {analysis.assumption}"
    return f"{what}; estimated {missing}.{handled}{weighting}"


def model_words(analysis: Analysis, outcome: str, covariates: tuple[str, ...]) -> str:
    """The model as fitted: what was regressed on what, with which errors."""
    words = _MODELS.get(str(analysis.model), str(analysis.model))
    if analysis.target == "complier":
        words = f"two-stage least squares, {_plain(analysis.take_up)} moved by the allocation alone"
    if analysis.model == "mixed" and analysis.cluster is not None:
        words += f" for each {_plain(analysis.cluster)}"
    if covariates:
        words += f", adjusted for {' and '.join(covariates)}"
    elif analysis.adjust and outcome in analysis.unadjusted:
        words += ", not adjusted (this outcome was not asked before)"
    if analysis.average_over == "clusters":
        words += ", of cluster means"
    if analysis.variance in _CLUSTERED_OTHERWISE:
        return f"{words}; {_CLUSTERED_OTHERWISE[analysis.variance]} {analysis.cluster}"
    freedom = f", {_DOF[analysis.dof]} degrees of freedom" if analysis.model in _WITH_FREEDOM else ""
    return f"{words}; {_errors(analysis)}{freedom}"


def _errors(analysis: Analysis) -> str:
    if analysis.model in ("mixed", "mmrm"):
        return "the model's standard errors"
    errors = {"neyman": "Neyman's variance"}.get(
        str(analysis.variance), f"{analysis.variance} standard errors"
    )
    return errors if analysis.cluster is None else f"{errors} clustered by {analysis.cluster}"


def _measured(study: Study, label: str, at: str | None) -> str:
    """The outcome, and when: at a wave, on average over waves, or as its change a week."""
    if at == SLOPE:
        return f"the change per week in {label} over the waves after the allocation"
    if not at:
        return label
    waves = [_label(study, wave) for wave in points_of(at)]
    return f"{label} at {waves[0]}" if len(waves) == 1 else f"{label} on average over {' and '.join(waves)}"


def _label(study: Study, at: str) -> str:
    wave = study.protocol.waves.get(at)
    return (wave.label or at) if wave else at


def _plain(name: str | None) -> str:
    return str(name).replace("_", " ")
