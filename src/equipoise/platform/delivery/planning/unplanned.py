"""What is confirmed and due, and for which nobody has a dispatch: it is in no count of dispatches."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from equipoise.platform.delivery.models import ConfirmedContact, Occasion
from equipoise.platform.delivery.planning.carriers import carrier_of
from equipoise.platform.delivery.planning.confirming import confirmed
from equipoise.platform.delivery.planning.expected import expected_people
from equipoise.platform.delivery.planning.own_times import Lacking, lacking_own, lacking_thanks
from equipoise.platform.delivery.planning.planned import Slot
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of
from equipoise.protocol.occasions import each_their_own, occasions
from equipoise.protocol.sends import Send, sends

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
    known = sends(folder_of(study))
    told = [(known[name], each) for name, each in confirmed(study).items() if each.at < limit]
    found = [each for send, said in told for each in _of_send(study, send, said, limit)]
    people = sum(number for number, _ in found)
    return Unplanned(people, min((due for _, due in found), default=None) if people else None)


def _of_send(
    study: Study, send: Send, told: ConfirmedContact, limit: datetime
) -> Iterator[tuple[int, datetime]]:
    """How many lack it, and since when."""
    slot = Slot(study, send, carrier_of(send) or "")
    if send.kind == "thank":
        yield from _each(lacking_thanks(slot, told), limit)
    elif each_their_own(folder_of(study).protocol, send):
        yield from _each(lacking_own(slot, told, limit), limit)
    else:
        yield from _of_occasions(study, send, told, limit)


def _each(lacking: Lacking, limit: datetime) -> Iterator[tuple[int, datetime]]:
    for _, moments in lacking:
        for each in moments.values():
            if not each.missed and each.due < limit < each.last:
                yield 1, each.due


def _of_occasions(
    study: Study, send: Send, told: ConfirmedContact, limit: datetime
) -> Iterator[tuple[int, datetime]]:
    planned = Occasion.objects.filter(study=study, contact=send.name, digest=told.digest)
    there = set(planned.values_list("number", flat=True))
    for each in occasions(folder_of(study).protocol, send):
        if each.number not in there and each.due < limit < each.last:
            yield expected_people(study, send, each.due).people, each.due
