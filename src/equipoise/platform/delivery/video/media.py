"""Whether every film and paper that messages lead to is there, and can be followed by everybody."""

from collections.abc import Iterator

from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of
from equipoise.platform.registry.readiness import Condition, adds_conditions
from equipoise.protocol.assets import asset_problems, missing_assets

__all__ = ["media_conditions"]


@adds_conditions
def media_conditions(study: Study) -> Iterator[Condition]:
    """A line of the checklist for each file that is missing; one where all are there."""
    loaded = folder_of(study)
    if not any(contact.asset for contact in loaded.protocol.contacts.values()):
        return
    problems = [*missing_assets(loaded), *asset_problems(loaded)]
    title = "Films have captions and transcripts"
    yield from (Condition("media", title, problem) for problem in problems or (None,))
