"""What is confirmed and due, and for which nobody has a dispatch: it is in no count of dispatches."""

from dataclasses import dataclass
from datetime import datetime

from equipoise.platform.delivery.models import Occasion
from equipoise.platform.delivery.planning.confirming import confirmed
from equipoise.platform.delivery.planning.expected import expected_people
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of
from equipoise.protocol.occasions import each_their_own, occasions
from equipoise.protocol.sends import sends

__all__ = ["Unplanned", "unplanned"]


@dataclass(frozen=True)
class Unplanned:
    """How many messages should have been planned, and since when the oldest of them is due."""

    people: int
    oldest: datetime | None


def unplanned(study: Study, limit: datetime) -> Unplanned:
    """What was due before a moment, may still go out, and was never planned.

    The planner has failed, a stage of allocation is not drawn though its arms are to get something, or nobody
    carries a channel. What waits to be confirmed does not count: a person knows of it.

    Args:
        study: live.
        limit: what is due later has time.
    """
    protocol = folder_of(study).protocol
    known = sends(protocol)
    planned = set(Occasion.objects.filter(study=study).values_list("contact", "number", "digest"))
    people, oldest = 0, None
    for name, told in confirmed(study).items():
        if known[name].kind == "thank" or each_their_own(protocol, known[name]):
            continue
        for each in occasions(protocol, known[name]):
            lacks = (name, each.number, told.digest) not in planned
            if lacks and each.due < limit < each.last and told.at < limit:
                people += expected_people(study, known[name], each.due).people
                oldest = min(each.due, oldest or each.due)
    return Unplanned(people, oldest if people else None)
