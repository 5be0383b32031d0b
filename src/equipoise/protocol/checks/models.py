"""Analyses whose model, variance, adjustment and cluster go together."""

from collections.abc import Iterator

from equipoise.errors import Problem
from equipoise.protocol.checks.clusters import check_clusters
from equipoise.protocol.checks.places import at
from equipoise.protocol.models.analyses import Analysis
from equipoise.protocol.study import Study

__all__ = ["check_model"]

Path = tuple[str | int, ...]
GENERALISED = ("logistic", "ordinal", "poisson")
CLUSTERED = ("CR0", "CR1", "CR2", "CR3", "two-way", "wild-bootstrap")


def check_model(study: Study, path: Path, analysis: Analysis, *, rated: bool) -> Iterator[Problem]:
    """What an analysis asks of its model, and the model cannot give."""
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


def _variance(study: Study, path: Path, analysis: Analysis) -> Iterator[Problem]:
    variance, model = str(analysis.variance), analysis.model
    allowed = _variances(analysis)
    if variance not in allowed:
        about = f" with errors clustered by {analysis.cluster}" if analysis.cluster else " without a cluster"
        listed = ", ".join(allowed) or "none; choose the model `linear`"
        message = f"the variance {variance} does not go with {model}{about}. Allowed: {listed}"
        yield at(study, *path, "variance", message=message)


def _variances(analysis: Analysis) -> tuple[str, ...]:
    clustered = analysis.cluster is not None
    if analysis.model == "difference-in-means":
        return () if clustered else ("neyman", "HC2")
    if analysis.model in GENERALISED:
        return ("CR0", "CR1") if clustered else ("HC0", "HC1")
    if analysis.model in ("linear", "lin-interacted"):
        return CLUSTERED if clustered else ("classical", "HC0", "HC1", "HC2", "HC3")
    return (str(analysis.variance),)


def _strata(study: Study) -> bool:
    return any(stage.drawn_within for stage in study.protocol.allocation.values())
