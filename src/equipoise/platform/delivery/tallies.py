"""How many dispatches are in which state, by contact and occasion.

Counting a million rows takes longer than a page may. So a study with very many dispatches is counted by the
worker, and its pages say when; every other study is counted as it is asked about.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Max, Sum

from equipoise.platform.clock import now
from equipoise.platform.database import writing
from equipoise.platform.delivery.forecasts import forecast
from equipoise.platform.delivery.models import Dispatch, DispatchEvent, DispatchTally
from equipoise.platform.people.models import Participant
from equipoise.platform.registry.models import Study

__all__ = [
    "GONE_OUT",
    "MANY",
    "MANY_PEOPLE",
    "TO_GO_OUT",
    "Counted",
    "Tally",
    "count_dispatches",
    "dispatch_states",
    "tally",
]

TO_GO_OUT = ("planned", "claimed", "sending")
GONE_OUT = ("sent", "delivered")
UNSENT = ("failed", "missed", "cancelled")
MANY = 20_000  # dispatches of a study; counting so many takes about 20 ms
MANY_PEOPLE = 5_000  # of a study; saying to how many of them something will go takes as long
_EXPECTED = "expected"  # among the counts: to how many a send will go
_AT_LEAST_EVERY = timedelta(minutes=10)


@dataclass(frozen=True)
class Counted:
    """Dispatches that belong together: how many are in each state, and how many parts their texts had."""

    states: Mapping[str, int] = field(default_factory=dict)
    parts: int = 0

    @property
    def people(self) -> int:
        """How many dispatches there are that were not called off."""
        return sum(number for state, number in self.states.items() if state != "cancelled")

    def of(self, *states: str) -> int:
        """How many are in one of these states."""
        return sum(self.states.get(state, 0) for state in states)


@dataclass(frozen=True)
class Tally:
    """The dispatches of a study.

    Attributes:
        occasions: by the contact and the number of the occasion.
        at: when they were counted, where that was not just now.
        expected: to how many people each send will go, where the worker has counted that.
    """

    occasions: Mapping[tuple[str, int], Counted]
    at: datetime | None = None
    expected: Mapping[str, int] | None = None

    def one(self, contact: str, occasion: int) -> Counted:
        """An occasion; nothing where it has no dispatches yet."""
        return self.occasions.get((contact, occasion), Counted())

    @property
    def everything(self) -> Counted:
        """All occasions together."""
        return _together(self.occasions.values())


def tally(study: Study) -> Tally:
    """The dispatches of a study, as they are now or as the worker last counted them."""
    kept = DispatchTally.objects.filter(study=study).first()
    if kept is None:
        return Tally(_read(_rows(study)))
    expected = {contact: number for contact, _, state, number, _ in kept.counts if state == _EXPECTED}
    if kept.number < MANY:
        return Tally(_read(_rows(study)), None, expected)
    return Tally(_read(row for row in kept.counts if row[2] != _EXPECTED), kept.at, expected)


def count_dispatches() -> int:
    """Count the studies with very many dispatches or people again, where anything has happened since.

    Returns:
        How many were counted.
    """
    return sum(_count(study) for study in Study.objects.filter(state__in=("locked", "live", "paused")))


def dispatch_states() -> dict[str, int]:
    """How many dispatches of all studies are in each state."""
    found = _together(tally(study).everything for study in Study.objects.exclude(launched_at=None))
    return {state: found.of(state) for state in Dispatch.STATES}


def _count(study: Study) -> bool:
    kept = DispatchTally.objects.filter(study=study).first()
    if kept is None and not _many(study):
        return False
    moment = now()
    if kept is not None and not _changed(kept, moment):
        return False
    rows = _rows(study)
    number = sum(row[3] for row in rows)
    rows += [[name, 0, _EXPECTED, people, 0] for name, people in forecast(study).items()]
    with writing():
        said = {"counts": rows, "number": number, "at": moment}
        DispatchTally.objects.update_or_create(study=study, defaults=said)
    return True


def _many(study: Study) -> bool:
    """Whether there are very many; no more of them are looked at than that takes."""
    if Participant.objects.filter(study=study).order_by()[:MANY_PEOPLE].count() == MANY_PEOPLE:
        return True
    return Dispatch.objects.filter(study=study).order_by()[:MANY].count() == MANY


def _changed(kept: DispatchTally, moment: datetime) -> bool:
    """Whether anything was sent or told since; what is only planned waits for its turn."""
    last = DispatchEvent.objects.aggregate(at=Max("at"))["at"]
    return moment - kept.at >= _AT_LEAST_EVERY or (last is not None and last >= kept.at)


def _rows(study: Study) -> list[list[Any]]:
    rows = Dispatch.objects.filter(study=study).order_by().values_list("contact", "occasion", "state")
    texts = Dispatch.objects.filter(study=study, channel="sms").order_by().values_list("contact", "occasion")
    parts = {(contact, number): total for contact, number, total in texts.annotate(Sum("parts"))}
    found = rows.annotate(Count("pk")).order_by("contact", "occasion", "state")
    return [[*row, parts.get((row[0], row[1])) or 0] for row in found]


def _read(rows: Iterable[Sequence[Any]]) -> dict[tuple[str, int], Counted]:
    states: dict[tuple[str, int], dict[str, int]] = {}
    parts: dict[tuple[str, int], int] = {}
    for contact, occasion, state, number, of_texts in rows:
        states.setdefault((contact, occasion), {})[state] = number
        parts[contact, occasion] = of_texts
    return {key: Counted(found, parts[key]) for key, found in states.items()}


def _together(found: Iterable[Counted]) -> Counted:
    states: dict[str, int] = {}
    parts = 0
    for each in found:
        parts += each.parts
        for state, number in each.states.items():
            states[state] = states.get(state, 0) + number
    return Counted(states, parts)
