"""The estimand of an effect and its model, in words that a reader of the report can follow."""

from dataclasses import replace

from equipoise.findings.wording.attributes import estimand_of
from equipoise.protocol.models.analyses import Analysis
from equipoise.protocol.names import in_words
from equipoise.protocol.study import Study

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
_WEIGHTED = {
    "hajek": "difference in means weighted by one over the chance of each person's arm (Hajek), by least "
    "squares",
    "horvitz-thompson": "difference of totals over the chances of the arms, divided by everybody "
    "randomised (Horvitz and Thompson), normal distribution",
}


def estimand(
    study: Study,
    analysis: Analysis,
    outcome: str,
    at: str | None,
    contrast: str,
    *,
    estimated: str | None = None,
) -> str:
    """The five attributes and how it is estimated, as one paragraph.

    Args:
        study, analysis, outcome, at, contrast: as in `estimand_of`.
        estimated: how, where it is not from those who answered.
    """
    found = estimand_of(study, analysis, outcome, at, contrast)
    return (found if estimated is None else replace(found, estimated=estimated)).paragraph()


def model_words(analysis: Analysis, outcome: str, covariates: tuple[str, ...]) -> str:
    """The model as fitted: what was regressed on what, with which errors."""
    words = _MODELS.get(str(analysis.model), str(analysis.model))
    if analysis.target == "complier":
        words = f"two-stage least squares, {in_words(analysis.take_up)} moved by the allocation alone"
    words = _WEIGHTED.get(analysis.weights or "", words)
    if analysis.model == "mmrm" and analysis.cluster is not None:
        words += f", and a random intercept for each {in_words(analysis.cluster)}"
    if analysis.model == "mixed" and analysis.cluster is not None:
        words += f" for each {in_words(analysis.cluster)}"
    if covariates:
        words += f", adjusted for {' and '.join(covariates)}"
    elif analysis.adjust and outcome in analysis.unadjusted:
        words += ", not adjusted (this outcome was not asked before)"
    if analysis.change_from is not None:
        words += f", of the change since {analysis.change_from}"
    if analysis.average_over == "clusters":
        words += ", of cluster means"
    if analysis.variance in _CLUSTERED_OTHERWISE:
        return f"{words}; {_CLUSTERED_OTHERWISE[analysis.variance]} {analysis.cluster}"
    freedom = f", {_DOF[analysis.dof]} degrees of freedom" if analysis.model in _WITH_FREEDOM else ""
    return f"{words}; {_errors(analysis)}{freedom}"


def _errors(analysis: Analysis) -> str:
    if analysis.model in ("mixed", "mmrm"):
        return "the model's standard errors"
    neyman = "Aronow and Samii's variance" if analysis.weights else "Neyman's variance"
    errors = {"neyman": neyman}.get(str(analysis.variance), f"{analysis.variance} standard errors")
    return errors if analysis.cluster is None else f"{errors} clustered by {analysis.cluster}"
