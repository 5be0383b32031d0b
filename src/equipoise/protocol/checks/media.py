"""Films and recordings that contacts show: whether everybody can follow them; and that no picture spies."""

from collections.abc import Iterator

from equipoise.errors import Problem
from equipoise.protocol.assets import asset_problems
from equipoise.protocol.checks.places import at
from equipoise.protocol.study import Study

__all__ = ["check_media"]

_NO_PICTURES = (
    "is refused: mail programs load pictures unread and leave them out of what is read, so it would count "
    "machines and not people. Leave it out; `dose_opened` counts whoever pressed the button of a message's "
    "page"
)


def check_media(study: Study) -> Iterator[Problem]:
    """Captions and transcripts, before the lock; a study that is locked keeps its meaning, and is told when
    it is launched."""
    if study.registration is None:
        yield from asset_problems(study)
    if study.protocol.sending.track_opens:  # see docs/decisions/0012
        yield at(study, "sending", "track-opens", message=_NO_PICTURES)
