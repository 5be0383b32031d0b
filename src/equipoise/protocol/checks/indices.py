"""Outcomes that are an index of others: of parts that exist, have a good direction and are asked together."""

from collections.abc import Iterator

from equipoise.errors import Problem
from equipoise.protocol.checks.places import at, unknown
from equipoise.protocol.models.outcomes import Outcome
from equipoise.protocol.study import Study

__all__ = ["check_index"]


def check_index(study: Study, name: str, outcome: Outcome) -> Iterator[Problem]:
    """What an index needs of its parts; what only an index has, of an outcome that is none."""
    path = ("outcomes", name)
    if outcome.index is None:
        if outcome.weights is not None or outcome.least_answered is not None:
            message = "`weights` and `least-answered` are of an `index:` of several outcomes; leave them out"
            yield at(study, *path, message=message)
        return
    if len(set(outcome.index)) < max(2, len(outcome.index)):
        yield at(study, *path, "index", message="an index is made of two outcomes or more, each once")
    if outcome.good != "high":
        message = "an index is turned so that high is good, whatever its parts; leave `good` out"
        yield at(study, *path, "good", message=message)
    if outcome.scale != "continuous" or outcome.range is not None or outcome.score is not None:
        message = "an index is a number of standard deviations; leave `scale`, `range` and `score` out"
        yield at(study, *path, message=message)
    if any(study.protocol.gives_sequences(stage) for stage in study.protocol.allocation):
        message = "an index is in SDs of a control arm, and with a `schedule:` there is none; take its parts"
        yield at(study, *path, "index", message=message)
    for place, part in enumerate(outcome.index):
        yield from _part(study, name, outcome, place, part)


def _part(study: Study, name: str, outcome: Outcome, place: int, part: str) -> Iterator[Problem]:
    path, outcomes = ("outcomes", name, "index", place), study.protocol.outcomes
    if part not in outcomes:
        yield unknown(study, path, part, "an outcome of this study", outcomes, "Outcomes")
        return
    spec = outcomes[part]
    if spec.index is not None or spec.task is not None:
        what = "an index itself" if spec.index is not None else "of ratings"
        yield at(study, *path, message=f'"{part}" is {what}; an index is made of outcomes that people have')
    elif spec.good not in ("high", "low"):
        message = (
            f'"{part}" has no good direction, so it cannot be turned; give it `good: high` or `good: low`'
        )
        yield at(study, *path, message=message)
    elif not set(outcome.waves) <= set(spec.waves) or bool(outcome.waves) != bool(spec.waves):
        own, its = ", ".join(outcome.waves) or "no wave", ", ".join(spec.waves) or "no wave"
        message = f'the index is at {own} and "{part}" at {its}; an index is of outcomes of the same waves'
        yield at(study, *path, message=message)
