"""What a study still lacks before it can go live: the set-up checklist, and the refusal of a launch."""

from collections.abc import Iterator

from django.conf import settings

from equipoise.errors import Problem
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of
from equipoise.protocol.privacy import missing_privacy

__all__ = ["readiness"]


def readiness(study: Study) -> list[Problem | None]:
    """Every condition of a launch in a fixed order: None where it is met, else what is missing."""
    return list(_conditions(study))


def _conditions(study: Study) -> Iterator[Problem | None]:
    loaded = folder_of(study)
    yield from missing_privacy(loaded) or (None,)
    protocol = loaded.protocol
    if protocol.support is None or not protocol.support.contacts:
        yield Problem(
            study.name, "support.contacts", "nobody is named whom a participant can turn to; add a contact"
        )
    if protocol.study.contact is None:
        yield Problem(study.name, "study.contact", "is empty; every page names whom a participant can ask")
    if protocol.study.synthetic and settings.WORKSPACE.live:
        message = "the study says that it is synthetic, so it can only be rehearsed"
        yield Problem(study.name, "study.synthetic", message)
