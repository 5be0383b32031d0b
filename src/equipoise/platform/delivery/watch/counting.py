"""The worker's count of studies with very many dispatches or people, which their pages show."""

from dataclasses import replace
from datetime import datetime, timedelta

from django.db.models import Max

from equipoise.platform.clock import now
from equipoise.platform.database import writing
from equipoise.platform.delivery.models import Dispatch, DispatchEvent, DispatchTally
from equipoise.platform.delivery.planning.calendar import calendar
from equipoise.platform.delivery.planning.expected import Expected
from equipoise.platform.delivery.watch.tallies import MANY, counted_now, kept_rows
from equipoise.platform.people.models import Participant
from equipoise.platform.registry.models import Study

__all__ = ["MANY_PEOPLE", "count_dispatches"]

MANY_PEOPLE = 5_000  # of a study; to say to how many of them something will go takes about 20 ms
_AT_LEAST_EVERY = timedelta(minutes=10)


def count_dispatches() -> int:
    """Count the studies that have very many again, where anything has happened since.

    Returns:
        How many were counted.
    """
    return sum(_count(study) for study in Study.objects.filter(state__in=("locked", "live", "paused")))


def _count(study: Study) -> bool:
    kept = DispatchTally.objects.filter(study=study).first()
    if kept is None and not _many(study):
        return False
    moment = now()
    if kept is not None and not _changed(kept, moment):
        return False
    found = counted_now(study)
    rows = calendar(study, counted=found)
    ahead = {
        (row.name, row.occasion): Expected(row.people, row.unknown, row.estimated)
        for row in rows
        if not row.planned
    }
    number = sum(sum(each.states.values()) for each in found.occasions.values())
    said = {"counts": kept_rows(replace(found, expected=ahead)), "number": number, "at": moment}
    with writing():
        DispatchTally.objects.update_or_create(study=study, defaults=said)
    return True


def _many(study: Study) -> bool:
    """Whether there are very many; no more of them are looked at than that takes."""
    people = Participant.objects.filter(study=study).order_by()[:MANY_PEOPLE]
    dispatches = Dispatch.objects.filter(study=study).order_by()[:MANY]
    return people.count() == MANY_PEOPLE or dispatches.count() == MANY


def _changed(kept: DispatchTally, moment: datetime) -> bool:
    """Whether anything was sent or told since; what is only planned waits for its turn."""
    last = DispatchEvent.objects.aggregate(at=Max("at"))["at"]
    return moment - kept.at >= _AT_LEAST_EVERY or (last is not None and last >= kept.at)
