"""Films and recordings that contacts show: whether everybody can follow them."""

from collections.abc import Iterator

from equipoise.errors import Problem
from equipoise.protocol.assets import asset_problems
from equipoise.protocol.study import Study

__all__ = ["check_media"]


def check_media(study: Study) -> Iterator[Problem]:
    """Captions and transcripts, before the lock; a study that is locked keeps its meaning, and is told when
    it is launched."""
    if study.registration is None:
        yield from asset_problems(study)
