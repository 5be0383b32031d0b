"""Analyses that weigh people by one over the chance of their arm: what goes with such weights."""

from collections.abc import Iterator

from equipoise.errors import Problem
from equipoise.protocol.checks.places import at
from equipoise.protocol.models.analyses import Analysis
from equipoise.protocol.study import Study

__all__ = ["check_weights"]

Path = tuple[str | int, ...]
_MODELS = {"hajek": "linear", "horvitz-thompson": "difference-in-means"}


def check_weights(
    study: Study, path: Path, analysis: Analysis, stage: str, *, rated: bool
) -> Iterator[Problem]:
    """What weights by the chance of an arm cannot be combined with."""
    weights = analysis.weights
    if weights is None:
        return
    if rated or stage not in study.protocol.allocation or study.protocol.gives_sequences(stage):
        message = "weights are by the chance of an arm that people have at one time; leave `weights` out"
        yield at(study, *path, "weights", message=message)
        return
    if analysis.model != _MODELS[weights]:
        message = f"{weights} weights go with the model {_MODELS[weights]}, not with {analysis.model}"
        yield at(study, *path, "model", message=message)
    if "strata" in (analysis.adjust or ()):
        message = "weights by the chance of an arm allow for strata already; leave `strata` out, or `weights`"
        yield at(study, *path, "adjust", message=message)
    yield from _not_weighted(study, path, analysis)


def _not_weighted(study: Study, path: Path, analysis: Analysis) -> Iterator[Problem]:
    asked = {
        "by": analysis.by is not None,
        "target": analysis.target != "all",
        "kind": analysis.kind != "as-randomised",
        "missing": bool(analysis.missing),
        "average-over": analysis.average_over == "clusters",
        "test": analysis.test.by != "t",
        "variance": analysis.variance in ("two-way", "wild-bootstrap"),
    }
    for key in (key for key, given in asked.items() if given):
        message = f"`{key}` is not worked out with `weights: {analysis.weights}`; leave one of the two out"
        yield at(study, *path, key, message=message)
