"""Analyses of a change since a wave before: there is such a wave, and numbers that can be subtracted."""

from collections.abc import Iterator

from equipoise.errors import Problem
from equipoise.protocol.checks.places import at, unknown
from equipoise.protocol.factors import waves_measuring
from equipoise.protocol.models.analyses import Analysis
from equipoise.protocol.study import Study
from equipoise.protocol.timeline import waves_before
from equipoise.protocol.waves import SLOPE

__all__ = ["check_change"]

Path = tuple[str | int, ...]
_MODELS = ("difference-in-means", "linear", "lin-interacted", "mixed")


def check_change(
    study: Study, path: Path, analysis: Analysis, stage: str, *, rated: bool
) -> Iterator[Problem]:
    """What the change since a wave needs, and what it does not go with."""
    if analysis.change_from is None:
        return
    where = (*path, "change-from")
    before = waves_before(study.protocol, stage)
    if analysis.change_from not in before:
        what = "a wave before the allocation"
        yield unknown(study, where, analysis.change_from, what, before, "Waves before")
        return
    message = _not_a_change(study, analysis, stage, rated=rated)
    if message is not None:
        yield at(study, *where, message=message)
    yield from _never_asked(study, where, analysis)


def _not_a_change(study: Study, analysis: Analysis, stage: str, *, rated: bool) -> str | None:
    if rated or study.protocol.gives_sequences(stage):
        return "a change is of people, measured once before and once after; leave it out"
    if analysis.model not in _MODELS:
        return f"a change is analysed by {', '.join(_MODELS)}, not by {analysis.model}"
    if analysis.by == "wave" or SLOPE in (analysis.at or ()):
        return "a course over waves is a change already; leave `change-from` out"
    return None


def _never_asked(study: Study, where: Path, analysis: Analysis) -> Iterator[Problem]:
    outcomes = study.protocol.outcomes
    for name in (name for name in analysis.outcomes or () if name in outcomes):
        if analysis.change_from not in waves_measuring(study.protocol, study.surveys, outcomes[name]):
            message = f'"{name}" is not asked at {analysis.change_from}, so it has no change since then'
            yield at(study, *where, message=message)
        elif outcomes[name].scale in ("yes-no", "ordinal"):
            message = (
                f'"{name}" is {outcomes[name].scale}, and a difference of two such answers is no number; '
                f"adjust for {analysis.change_from} in place of it"
            )
            yield at(study, *where, message=message)
