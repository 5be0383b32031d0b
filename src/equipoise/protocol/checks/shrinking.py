"""Analyses whose effects are drawn towards each other: several of one kind, of different people."""

import re
from collections.abc import Iterator

from equipoise.errors import Problem
from equipoise.protocol.checks.places import at
from equipoise.protocol.models.analyses import Analysis
from equipoise.protocol.study import Study

__all__ = ["check_shrinking"]

Path = tuple[str | int, ...]
_AGAINST = re.compile(r"^([a-z]\w*) - ([a-z]\w*)$")
_NUMBERS = ("number", "integer", "date")
FEWEST = 3


def check_shrinking(study: Study, path: Path, analysis: Analysis, *, rated: bool) -> Iterator[Problem]:
    """What `shrink` needs: levels of a category, or three arms or more against one control."""
    if not analysis.shrink:
        return
    message = None
    if rated or analysis.cluster is not None:
        whose = "ratings" if rated else f"people of clusters ({analysis.cluster})"
        message = f"effects of {whose} go together in ways that shrinkage does not know; leave it out"
    elif analysis.target != "all" or analysis.kind != "as-randomised":
        message = "effects as randomised are shrunk, not those of who took something up; leave it out"
    elif analysis.by is not None and not _category(study, analysis.by):
        message = f"by {analysis.by} there are no levels of a category whose effects could be shrunk"
    elif analysis.by is None and not _shared_control(analysis):
        message = (
            f"shrinkage is of the levels of a category (`by`), or of {FEWEST} arms or more against one "
            "control; this analysis has neither"
        )
    if message is not None:
        yield at(study, *path, "shrink", message=message)


def _category(study: Study, by: str) -> bool:
    roster = study.protocol.participants.roster if study.protocol.participants else {}
    derived = study.protocol.participants.derived if study.protocol.participants else {}
    return by in derived or (by in roster and roster[by].type not in _NUMBERS)


def _shared_control(analysis: Analysis) -> bool:
    sides = [found.groups() for text in analysis.contrast if (found := _AGAINST.match(text))]
    alike = len({control for _, control in sides}) == 1 and len({arm for arm, _ in sides}) >= FEWEST
    return alike and len(sides) == len(analysis.contrast)
