"""Analyses whose model, variance, adjustment and cluster go together."""

from collections.abc import Iterator

from equipoise.errors import Problem
from equipoise.protocol.checks.clusters import check_clusters
from equipoise.protocol.checks.places import at
from equipoise.protocol.models.analyses import MODEL_BASED, Analysis
from equipoise.protocol.study import Study

__all__ = ["check_model"]

Path = tuple[str | int, ...]
GENERALISED = ("logistic", "ordinal", "poisson")
CLUSTERED = ("CR0", "CR1", "CR2", "CR3", "two-way", "wild-bootstrap")


def check_model(
    study: Study, path: Path, analysis: Analysis, stage: str, *, rated: bool
) -> Iterator[Problem]:
    """What an analysis asks of its model, and the model cannot give.

    Args:
        stage: whose arms the analysis compares.
        rated: whether it is of ratings.
    """
    covariates = [name for name in analysis.adjust or () if name != "strata"]
    if analysis.model == "difference-in-means" and covariates:
        message = (
            f"a difference in means cannot be adjusted for {', '.join(covariates)}; "
            "take `strata` alone, or the model `linear` or `lin-interacted`"
        )
        yield at(study, *path, "adjust", message=message)
    if "strata" in (analysis.adjust or ()) and not rated and not _strata(study):
        message = "there are no strata: no stage of allocation is drawn within any; leave `strata` out"
        yield at(study, *path, "adjust", message=message)
    yield from _variance(study, path, analysis)
    yield from check_clusters(study, path, analysis, rated=rated)
    yield from _freedom(study, path, analysis)
    if study.protocol.gives_sequences(stage):
        yield from _of_periods(study, path, analysis)
    else:
        yield from _mixed(study, path, analysis, rated=rated)


def _variance(study: Study, path: Path, analysis: Analysis) -> Iterator[Problem]:
    variance, model = str(analysis.variance), analysis.model
    allowed = _variances(analysis)
    if variance not in allowed:
        about = f" with errors clustered by {analysis.cluster}" if analysis.cluster else " without a cluster"
        listed = ", ".join(allowed)
        message = f"the variance {variance} does not go with {model}{about}. Allowed: {listed}"
        yield at(study, *path, "variance", message=message)


def _variances(analysis: Analysis) -> tuple[str, ...]:
    clustered = analysis.cluster is not None
    if analysis.model == "difference-in-means":
        return ("neyman",) if clustered else ("neyman", "HC2")
    if analysis.model in GENERALISED:
        return ("CR0", "CR1") if clustered else ("HC0", "HC1")
    if analysis.model in ("linear", "lin-interacted"):
        return CLUSTERED if clustered else ("classical", "HC0", "HC1", "HC2", "HC3")
    return ("classical",) if analysis.model in MODEL_BASED else (str(analysis.variance),)


def _freedom(study: Study, path: Path, analysis: Analysis) -> Iterator[Problem]:
    wrong = "residual" if analysis.model in MODEL_BASED else "kenward-roger"
    if analysis.dof == wrong:
        message = f"{wrong} degrees of freedom do not go with {analysis.model}; satterthwaite does"
        yield at(study, *path, "dof", message=message)


def _of_periods(study: Study, path: Path, analysis: Analysis) -> Iterator[Problem]:
    """Sequences are compared over all periods together, by one model."""
    if analysis.model != "mixed":
        message = f"sequences of arms are analysed over their periods by `mixed`, not by {analysis.model}"
        yield at(study, *path, "model", message=message)
    asked = {
        "at": analysis.at != ("each",),
        "by": analysis.by is not None,
        "target": analysis.target != "all",
        "kind": analysis.kind != "as-randomised",
        "missing": bool(analysis.missing),
        "average-over": analysis.average_over == "clusters",
    }
    for key in (key for key, given in asked.items() if given):
        message = (
            f"`{key}` does not go with sequences of arms, which are compared over all periods; leave it out"
        )
        yield at(study, *path, key, message=message)


def _mixed(study: Study, path: Path, analysis: Analysis, *, rated: bool) -> Iterator[Problem]:
    """Mixed models need rows that share something, and people whom the model itself may choose."""
    model = analysis.model
    if model not in MODEL_BASED:
        return
    if rated and model == "mmrm":
        message = "ratings cannot be analysed by mmrm; take `linear`, or `mixed` for names as a random draw"
        yield at(study, *path, "model", message=message)
    elif rated and analysis.by is not None:
        message = "levels of ratings are told apart by the model `linear`, not by mixed"
        yield at(study, *path, "model", message=message)
    elif model == "mixed" and not rated and analysis.cluster is None:
        message = "a mixed model needs people in clusters; name them in `cluster:`, or take `linear`"
        yield at(study, *path, "model", message=message)
    if model == "mmrm" and analysis.kind == "per-protocol":
        message = "mmrm is of everybody with a wave; take `linear` for those who followed their arm"
        yield at(study, *path, "model", message=message)


def _strata(study: Study) -> bool:
    return any(stage.drawn_within for stage in study.protocol.allocation.values())
