"""Analyses of those who took something up: they say of what, on which assumption, and ask for nothing that
only an effect as randomised has."""

from collections.abc import Iterator

from equipoise.errors import Problem
from equipoise.protocol.checks.places import at
from equipoise.protocol.models.analyses import Analysis
from equipoise.protocol.study import Study

__all__ = ["check_take_up"]

Path = tuple[str | int, ...]


def check_take_up(study: Study, path: Path, analysis: Analysis, *, rated: bool) -> Iterator[Problem]:
    """What effects among compliers and per-protocol analyses need, and what they cannot be asked for."""
    compliers, per_protocol = analysis.target == "complier", analysis.kind == "per-protocol"
    if not compliers and not per_protocol:
        return
    key = "target" if compliers else "kind"
    what = "an effect among compliers" if compliers else "a per-protocol analysis"
    if compliers and analysis.assumption is None:
        message = f"{what} needs `assumption:`, the exclusion restriction in words"
        yield at(study, *path, key, message=message)
    yield from _column(study, path, analysis, key, what)
    if compliers and per_protocol:
        yield at(study, *path, "kind", message=f"{what} is as randomised; leave `kind: per-protocol` out")
    if rated:
        message = f"{what} is of people, and these outcomes are ratings; name outcomes that people have"
        yield at(study, *path, key, message=message)
    yield from _not_asked(study, path, analysis, what)


def _column(study: Study, path: Path, analysis: Analysis, key: str, what: str) -> Iterator[Problem]:
    participants = study.protocol.participants
    if analysis.take_up is None:
        message = (
            f"{what} needs `take-up:`, the column that says who took up what was offered: an outcome, an "
            "event, a dose such as dose_opened, or a column of the data"
        )
        yield at(study, *path, key, message=message)
    elif participants is not None and analysis.take_up in (*participants.roster, *participants.derived):
        message = (
            f"{analysis.take_up} is known from before the allocation, so it does not say what was taken up"
        )
        yield at(study, *path, "take-up", message=message)


def _not_asked(study: Study, path: Path, analysis: Analysis, what: str) -> Iterator[Problem]:
    if analysis.by is not None:
        yield at(study, *path, "by", message=f"{what} is not told apart by levels; leave `by` out")
    if analysis.missing:
        message = f"bounds and tipping points are of the effect as randomised, not of {what}; leave them out"
        yield at(study, *path, "missing", message=message)
    if analysis.test.by == "randomisation" and analysis.kind == "per-protocol":
        message = f"{what} has no randomisation test: no draw says who follows; test the effect as randomised"
        yield at(study, *path, "test", message=message)
    if analysis.target == "complier" and analysis.model != "linear":
        message = f"{what} is estimated by two-stage least squares; write the model `linear`, or leave it out"
        yield at(study, *path, "model", message=message)
    if analysis.target == "complier" and analysis.variance in ("two-way", "wild-bootstrap"):
        message = f"{what} has HC or CR errors, not {analysis.variance}"
        yield at(study, *path, "variance", message=message)
