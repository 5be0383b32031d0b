"""Due against sent: whether messages go out as they should, and telling somebody by another way when not.

    behind    messages are due and do not go out, are not even planned, or were missed
    carrier   a provider refuses us, or its limit is reached
    unknown   messages may have gone out or not, and wait for a person
    bounces   more than one in twenty of the last messages came back

Somebody is told once for each; it ends when it is over. What is told are numbers and titles of studies.
"""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import nlargest
from typing import Any

from django.conf import settings
from django.db.models import Min, Q, QuerySet

from equipoise.platform.audit.actions import WORKSPACE_CHAIN, hold
from equipoise.platform.clock import now
from equipoise.platform.database import writing
from equipoise.platform.delivery.models import Alarm, CarrierPause, Dispatch
from equipoise.platform.delivery.planning.unplanned import unplanned
from equipoise.platform.delivery.queries import unknown_in
from equipoise.platform.delivery.watch.telling import tell
from equipoise.platform.registry.models import Study

__all__ = ["Behind", "behind", "watch"]

_log = logging.getLogger("equipoise.delivery")
_BY_ITSELF = ("smtp", "notify", "rehearsal")  # the others wait for a person who makes a file
_LAST = 200  # messages whose fate says whether addresses are good
_BOUNCES = 0.05  # of them; providers begin to refuse a sender of whose mail as much comes back
_BOUNCES_AT_LEAST = 5
_CAME_BACK = ("refused", "closed-address")
_MISSED_FOR = timedelta(hours=24)
_PAUSE = timedelta(minutes=5)  # what is shorter is a provider's pace, not a refusal

Found = dict[tuple[int | None, str, str], dict[str, Any]]


@dataclass(frozen=True)
class Behind:
    """How far messages are behind, over all live studies.

    Attributes:
        due: to go out now.
        late: of them, those that should have gone out longer ago than the workspace allows.
        oldest: since when the oldest of them is due.
        unknown: that may have gone out or not, and wait for a person.
        alarms: that have not ended.
    """

    due: int
    late: int
    oldest: datetime | None
    unknown: int
    alarms: int


def behind() -> Behind:
    """Due against sent at this moment."""
    moment, live = now(), _live()
    due = _due(live, moment)
    found = due.aggregate(oldest=Min("due_at"))
    doubtful = sum(unknown_in(Study.objects.all()).values())
    alarms = Alarm.objects.filter(ended_at=None).count()
    return Behind(due.count(), _late(due, moment).count(), found["oldest"], doubtful, alarms)


def watch() -> int:
    """Look at every live study and every carrier; begin, keep and end alarms, and tell of the new ones.

    Returns:
        How many began.
    """
    moment = now()
    found = dict(_found(moment))
    with writing():
        hold(WORKSPACE_CHAIN)  # so that two workers do not begin the same alarm
        standing = {_key(each): each for each in Alarm.objects.filter(ended_at=None)}
        for key, alarm in standing.items():
            if key in found:
                Alarm.objects.filter(pk=alarm.pk).update(numbers=found[key])
            else:
                Alarm.objects.filter(pk=alarm.pk).update(ended_at=moment)
        fresh = [key for key in found if key not in standing]
        for study, kind, carrier in fresh:
            numbers = found[study, kind, carrier]
            Alarm.objects.create(study_id=study, kind=kind, numbers=numbers, since=moment)
    tell(Alarm.objects.filter(ended_at=None, told_at=None).select_related("study").order_by("pk"))
    return len(fresh)


def _key(alarm: Alarm) -> tuple[int | None, str, str]:
    return alarm.study_id, alarm.kind, alarm.numbers.get("carrier", "")


def _found(moment: datetime) -> Iterator[tuple[tuple[int | None, str, str], dict[str, Any]]]:
    """What parts from the plan now, by study, kind and carrier."""
    for pause in CarrierPause.objects.filter(until__gt=moment + _PAUSE):
        numbers = {"carrier": pause.carrier, "reason": pause.reason, "until": pause.until.isoformat()}
        yield (None, "carrier", pause.carrier), numbers
    for study in Study.objects.filter(state="live"):
        for kind, parted in (("behind", _behind(study, moment)), ("bounces", _bounces(study))):
            if parted:
                yield (study.pk, kind, ""), parted
    for study_id, number in sorted(unknown_in(Study.objects.all()).items()):
        yield (study_id, "unknown", ""), {"number": number}


def _behind(study: Study, moment: datetime) -> dict[str, Any]:
    """What should have gone out and did not, what nobody has planned, what was missed in the last day."""
    late, lacking = _late(_due([study.pk], moment), moment), unplanned(study, _after(moment))
    number = late.count() + lacking.people
    missed = Dispatch.objects.filter(
        study=study, state="missed", due_at__gt=moment - timedelta(days=30), last_at__gt=moment - _MISSED_FOR
    ).count()
    if not number and not missed:
        return {}
    since = [late.aggregate(oldest=Min("due_at"))["oldest"], lacking.oldest]
    oldest = min((each for each in since if each is not None), default=None)
    return {"late": number, "missed": missed, "oldest": oldest and oldest.isoformat()}


def _bounces(study: Study) -> dict[str, Any]:
    """How many of the last messages came back, where they are too many."""
    settled: Iterable[tuple[datetime, int, bool]] = (
        (due, pk, reason in _CAME_BACK)
        for state in ("sent", "delivered", "failed")
        for due, pk, reason in Dispatch.objects.filter(study=study, state=state)
        .order_by("-due_at")
        .values_list("due_at", "pk", "reason")[:_LAST]
    )
    last = nlargest(_LAST, settled)
    back = sum(came for *_, came in last)
    if back < _BOUNCES_AT_LEAST or back <= _BOUNCES * len(last):
        return {}
    return {"number": back, "of": len(last)}


def _due(studies: "list[int]", moment: datetime) -> "QuerySet[Dispatch]":
    """What waits to go out, by itself, though it is time."""
    rows = Dispatch.objects.filter(study__in=studies, state__in=("planned", "claimed"), due_at__lte=moment)
    return rows.filter(Q(next_at__lte=moment) | Q(attempts__gt=0), carrier__in=_BY_ITSELF)


def _late(due: "QuerySet[Dispatch]", moment: datetime) -> "QuerySet[Dispatch]":
    """Of what is due, what should have gone out before; what was tried and put off counts as well."""
    limit = _after(moment)
    return due.filter(Q(next_at__lte=limit) | Q(attempts__gt=0), due_at__lte=limit)


def _after(moment: datetime) -> datetime:
    return moment - timedelta(minutes=settings.WORKSPACE.settings.watching.after_minutes)


def _live() -> "list[int]":
    return list(Study.objects.filter(state="live").values_list("pk", flat=True))
