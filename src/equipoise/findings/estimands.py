"""The estimand of an effect and its model, in words that a reader of the report can follow."""

from equipoise.protocol.models.analyses import Analysis
from equipoise.protocol.study import Study

__all__ = ["estimand", "model_words"]

_DOF = {"satterthwaite": "Satterthwaite", "kenward-roger": "Kenward-Roger", "residual": "residual"}
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
    when = f" at {_label(study, at)}" if at else ""
    events = "; ".join(
        f"{event.replace('_', ' ')}: {strategy}" for event, strategy in protocol.events.items()
    )
    handled = f" Events after allocation: {events}." if events else ""
    missing = "as randomised, among those who answered" if not rated else "all ratings that were given"
    weighting = (
        " Each cluster counts once." if analysis.average_over == "clusters" else " Each person counts once."
    )
    if rated:
        weighting = " Each rating counts once; these stimuli only."
    what = f"Mean difference in {spec.label}{when} ({contrast}) for {who}"
    if analysis.target == "complier":
        what += f", assuming: {analysis.assumption}"
    return f"{what}; estimated {missing}.{handled}{weighting}"


def model_words(analysis: Analysis, outcome: str, covariates: tuple[str, ...]) -> str:
    """The model as fitted: what was regressed on what, with which errors."""
    words = _MODELS.get(str(analysis.model), str(analysis.model))
    if analysis.target == "complier":
        words = f"two-stage least squares, {_plain(analysis.take_up)} moved by the allocation alone"
    if covariates:
        words += f", adjusted for {' and '.join(covariates)}"
    elif analysis.adjust and outcome in analysis.unadjusted:
        words += ", not adjusted (this outcome was not asked before)"
    if analysis.average_over == "clusters":
        words += ", of cluster means"
    if analysis.variance in _CLUSTERED_OTHERWISE:
        return f"{words}; {_CLUSTERED_OTHERWISE[analysis.variance]} {analysis.cluster}"
    errors = {"neyman": "Neyman's variance"}.get(
        str(analysis.variance), f"{analysis.variance} standard errors"
    )
    if analysis.cluster is not None:
        errors += f" clustered by {analysis.cluster}"
    linear = analysis.model in ("linear", "lin-interacted")
    freedom = f", {_DOF[analysis.dof]} degrees of freedom" if linear else ""
    return f"{words}; {errors}{freedom}"


def _label(study: Study, at: str) -> str:
    wave = study.protocol.waves.get(at)
    return (wave.label or at) if wave else at


def _plain(name: str | None) -> str:
    return str(name).replace("_", " ")
