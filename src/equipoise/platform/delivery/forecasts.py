"""To how many each send will go, as things stand: before there are dispatches that can be counted."""

from collections.abc import Collection

from equipoise.platform.clock import now
from equipoise.platform.delivery.expected import expected_people
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of
from equipoise.protocol.sends import sends

__all__ = ["forecast"]


def forecast(study: Study, names: Collection[str] | None = None) -> dict[str, int]:
    """To how many people a send will go, by its name. It takes a moment for each hundred thousand people.

    Args:
        study: whose people are counted.
        names: of the sends; all of them when left out.
    """
    moment = now()
    found = sends(folder_of(study).protocol).items()
    return {
        name: expected_people(study, send, moment).people
        for name, send in found
        if names is None or name in names
    }
