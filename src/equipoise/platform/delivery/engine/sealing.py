"""Sealing what happened to messages: every minute a Merkle root over the new events enters the chain."""

import hashlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import Count, Exists, Max, Min, OuterRef

from equipoise.platform.audit.canonical import canonical
from equipoise.platform.audit.sealing import SealedKind, rows_unsealed, seal_rows, sealing_faults
from equipoise.platform.delivery.erasing import ERASED
from equipoise.platform.delivery.models import DispatchEvent, SealedDispatchEvent
from equipoise.platform.registry.models import Study

__all__ = ["event_faults", "events_waiting", "seal_events", "unsealed_events"]

# Events are by far the most rows; those of a minute are not looked for among all that ever were. A
# transaction of them takes milliseconds, in which fewer than as many others are numbered.
_WINDOW = 20_000


def seal_events() -> int:
    """Seal what is new in every study; how many events that were."""
    return sum(
        seal_rows(_EVENTS, name) for name in Study.objects.order_by("pk").values_list("name", flat=True)
    )


def unsealed_events(study: Study) -> Any:
    """The events that no seal covers yet, as a query."""
    return rows_unsealed(_EVENTS, study.name)


def events_waiting() -> tuple[int, datetime | None]:
    """How many of the newest events no seal covers yet, over all studies, and since when the oldest waits."""
    newest = DispatchEvent.objects.aggregate(newest=Max("pk"))["newest"] or 0
    covered = SealedDispatchEvent.objects.filter(event_id=OuterRef("pk"))
    rows = DispatchEvent.objects.filter(~Exists(covered), pk__gt=newest - _WINDOW)
    found = rows.aggregate(number=Count("pk"), since=Min("at"))
    return found["number"], found["since"]


def event_faults(study: Study) -> Iterator[str]:
    """What does not fit between the seals and the events; each named by its number."""
    return sealing_faults(_EVENTS, study.name)


def _digest(row: DispatchEvent) -> str:
    said = {
        "number": row.pk,
        "dispatch": row.dispatch_id,
        "kind": row.kind,
        "code": row.code,
        "source": row.source,
        "at": row.at.isoformat(),
    }
    return hashlib.sha256(canonical(said)).hexdigest()


_EVENTS = SealedKind(
    kind="messages",
    one="event of a message",
    rows=DispatchEvent,
    covers=SealedDispatchEvent,
    number="event_id",
    study="dispatch__study__name",
    erased=ERASED,
    digest=_digest,
    window=_WINDOW,
)
