"""Claiming what is due: each dispatch by one worker, for a time, under a number that only goes up.

On SQLite one transaction writes at a time. On PostgreSQL workers take rows past which others hold. What is
found late is not claimed but missed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import CharField, F, Func, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from equipoise.platform.clock import now
from equipoise.platform.database import writing
from equipoise.platform.delivery.engine.beats import hasty, real_now, this_worker
from equipoise.platform.delivery.engine.events import add_all
from equipoise.platform.delivery.engine.pausing import allowance, paused_until
from equipoise.platform.delivery.models import Dispatch
from equipoise.platform.kept import KeptQuery
from equipoise.platform.registry.models import Study

__all__ = ["LEASE_SECONDS", "Claimed", "claim", "next_due", "release"]

LEASE_SECONDS = 60.0


@dataclass(frozen=True)
class Claimed:
    """What a worker now holds, all of one study, and how many it found too late."""

    study: Study | None
    dispatches: tuple[Dispatch, ...]
    missed: int

    def __bool__(self) -> bool:
        """Whether there was anything to do."""
        return bool(self.dispatches or self.missed)


NOTHING = Claimed(None, (), 0)


class _NewReference(Func):
    """32 hexadecimal digits of chance, made by the database, so that a batch is one statement."""

    template = "replace(gen_random_uuid()::text, '-', '')"
    output_field = CharField(max_length=32)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """The same in SQLite's words."""
        return self.as_sql(compiler, connection, template="lower(hex(randomblob(16)))", **context)


def next_due(carrier: str) -> datetime | None:
    """When the next message of a carrier is due, or when its pause is over; None where nothing is planned."""
    found = _FIRST.first(carrier)
    if found is None:
        return None
    pause = paused_until(carrier)
    return found[0] if pause is None else max(found[0], pause)


def claim(carrier: str, number: int) -> Claimed:
    """Take up to so many messages that are due, of the study that has waited longest."""
    moment = now()
    study = _oldest(carrier).filter(first__lte=moment).first()
    if study is None:
        return NOTHING
    with writing():
        if paused_until(carrier) is not None or not (number := allowance(carrier, number)):
            return NOTHING
        due = _due(study, carrier, moment)[:number]
        late = [pk for pk, last in due if last < moment]
        held = _hold(study, [pk for pk, last in due if last >= moment])
        _miss(late)
    return Claimed(study, held, len(late))


def release(dispatches: Sequence[Dispatch]) -> None:
    """Give back what this worker holds and has not spoken to the provider about."""
    ours = Q(pk__in=[dispatch.pk for dispatch in dispatches], state="claimed", worker=this_worker())
    with writing():
        Dispatch.objects.filter(ours).update(state="planned", worker="", lease_until=None)


def _oldest(carrier: str) -> Any:
    """Live studies that have something planned, whoever has waited longest first."""
    waiting = Dispatch.objects.filter(study=OuterRef("pk"), carrier=carrier, state="planned")
    first = Subquery(waiting.order_by("next_at").values("next_at")[:1])
    studies = Study.objects.filter(state="live").annotate(first=first)
    return studies.filter(first__isnull=False).order_by("first", "pk")


# Asked every second by every worker, also while nothing is due.
_FIRST: KeptQuery[tuple[datetime]] = KeptQuery(
    lambda carrier: _oldest(carrier).values_list("first")[:1], "a carrier"
)


def _due(study: Study, carrier: str, moment: datetime) -> Any:
    rows = Dispatch.objects.filter(
        study=study, study__state="live", carrier=carrier, state="planned", next_at__lte=moment
    )
    if connection.features.has_select_for_update_skip_locked:
        rows = rows.select_for_update(skip_locked=True, of=("self",))
    return rows.order_by("next_at").values_list("pk", "last_at")  # as the index has them, and no further


def _hold(study: Study, numbers: Sequence[int]) -> tuple[Dispatch, ...]:
    """Take them, whoever waited longest first. All are of this study, which need not be read once more."""
    if not numbers:
        return ()
    rows = Dispatch.objects.filter(pk__in=numbers)
    rows.update(
        state="claimed",
        fence=F("fence") + 1,
        worker=this_worker(),
        lease_until=real_now() + timedelta(seconds=hasty(LEASE_SECONDS)),
        reference=Coalesce("reference", _NewReference()),
    )
    held = tuple(rows.order_by("next_at", "pk"))
    for dispatch in held:
        dispatch.study = study
    return held


def _miss(numbers: Sequence[int]) -> None:
    if numbers:
        Dispatch.objects.filter(pk__in=numbers).update(state="missed", reason="late")
        add_all([(number, "missed", "late") for number in numbers], "worker")
