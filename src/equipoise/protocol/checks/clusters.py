"""Analyses that say how clusters count and by which of them errors go together."""

from collections.abc import Iterator

from equipoise.errors import Problem
from equipoise.protocol.checks.places import at
from equipoise.protocol.models.analyses import Analysis
from equipoise.protocol.study import Study

__all__ = ["check_clusters"]

Path = tuple[str | int, ...]
_LEE = (
    "Lee's bounds are not defined where each cluster counts once: they trim as many people of an arm as the "
    "other would not have brought to answer, and how many of these a cluster has is not known cluster by "
    "cluster; ask for them in an analysis that averages over people"
)
_OF_MEANS = ("difference-in-means", "linear", "lin-interacted")


def check_clusters(study: Study, path: Path, analysis: Analysis, *, rated: bool) -> Iterator[Problem]:
    """Two ways of clustering are two, and an average over clusters has clusters."""
    if analysis.variance == "two-way":
        yield from _two_ways(study, path, analysis, rated=rated)
    if analysis.average_over == "clusters":
        yield from _average(study, path, analysis, rated=rated)


def _two_ways(study: Study, path: Path, analysis: Analysis, *, rated: bool) -> Iterator[Problem]:
    """Errors by two ways are by the unit of allocation (of ratings, by participant) and by `cluster`."""
    units = {"participant"} if rated else {stage.unit for stage in study.protocol.allocation.values()}
    if not rated and units == {"participant"}:
        message = (
            "two-way errors are by the unit of allocation and by `cluster`; people were allocated one by "
            "one, so errors by the cluster alone (CR2) hold both"
        )
        yield at(study, *path, "variance", message=message)
    elif analysis.cluster in units:
        message = f"two-way errors are by {analysis.cluster} and by another column; name that in `cluster`"
        yield at(study, *path, "variance", message=message)


def _of_people(analysis: Analysis) -> str | None:
    """What else the analysis asks for that knows people only, as a protocol writes it."""
    if analysis.target != "all":
        return f"`target: {analysis.target}`"
    return f"`by: {analysis.by}`" if analysis.by is not None else None


def _average(study: Study, path: Path, analysis: Analysis, *, rated: bool) -> Iterator[Problem]:
    """An average over clusters compares one mean a cluster."""
    message = None
    if rated or analysis.cluster in (None, "participant"):
        message = "there are no clusters to average over: people were allocated one by one; leave it out"
    elif analysis.variance == "two-way":
        message = "means of clusters are one row each, so their errors are not two-way; choose CR2"
    elif analysis.model not in _OF_MEANS:
        message = f"means of clusters are compared by {', '.join(_OF_MEANS)}, not by {analysis.model}"
    elif "lee" in (analysis.missing or ()):
        message = _LEE
    elif of_people := _of_people(analysis):
        message = f"{of_people} would average over people; leave one of the two out"
    if message is not None:
        yield at(study, *path, "average-over", message=message)
