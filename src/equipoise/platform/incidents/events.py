"""What was logged, as events of participants after allocation: columns of the frame, and counts by arm."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import polars as pl
from django.db.models import QuerySet

from equipoise.errors import InputError, Problem
from equipoise.platform.incidents.choices import MISTAKE, NOT_SERIOUS, OTHER, kinds_of
from equipoise.platform.incidents.models import Statement
from equipoise.platform.incidents.queries import KindCount, newest_statements
from equipoise.platform.people.models import Allocation
from equipoise.platform.registry.models import Stage, Study
from equipoise.platform.registry.queries import folder_of
from equipoise.protocol.recorded import times_of_events

__all__ = ["counts_by_arm", "logged_events"]


def logged_events(study: Study, keys: Sequence[str]) -> list[pl.Series]:
    """Whether what can be logged happened to each participant, a column for each kind of the protocol.

    Where the study has to know when, a further column has the end of the first day on which it did.

    What happened before somebody was first allocated is no consequence of it and no event. On the day itself
    nobody knows the hour, so it counts.

    Args:
        study: of this workspace.
        keys: of the participants, in the order of the rows.
    """
    rows, first = list(_named(study)), dict[int, date]()
    for allocation in _allocations(study):
        day = _day(study, allocation)
        first[allocation.participant_id] = min(day, first.get(allocation.participant_id, day))
    protocol = folder_of(study).protocol
    met: dict[str, dict[str, date]] = {kind: {} for kind in kinds_of(study) if kind != OTHER}
    for row in rows:
        since = first.get(row.participant_id)
        after = not protocol.allocation if since is None else row.happened_on >= since
        if after and row.kind in met:
            day = met[row.kind].get(row.key, row.happened_on)
            met[row.kind][row.key] = min(day, row.happened_on)
    found = [pl.Series(kind, [key in days for key in keys], dtype=pl.Boolean) for kind, days in met.items()]
    zone = ZoneInfo(protocol.study.timezone)
    for event, column in times_of_events(protocol).items():
        if event in met:
            at = [_end_of(met[event].get(key), zone) for key in keys]
            found.append(pl.Series(column, at, dtype=pl.Datetime("us", "UTC")))
    return found


def counts_by_arm(stage: Stage) -> dict[str, dict[str, KindCount]]:
    """How often each kind was logged since the allocation of this stage, by the arm of whoever was named.

    Args:
        stage: drawn, with its study.
    Raises:
        InputError: the results are not unmasked; harms by arm would tell which arm is which.
    """
    study = stage.study
    if study.results != "unmasked":
        message = f"are {study.results}; incidents are counted by arm once they are unmasked"
        raise InputError(Problem(study.name, "results", message))
    allocated = {each.participant_id: each for each in _allocations(study).filter(stage=stage)}
    found: dict[str, dict[str, _Tally]] = {kind: {} for kind in kinds_of(study)}
    for row in _named(study):
        allocation = allocated.get(row.participant_id)
        if allocation is not None and row.happened_on >= _day(study, allocation):
            found.setdefault(row.kind, {}).setdefault(allocation.arm, _Tally()).add(row)
    arms = folder_of(study).protocol.allocation[stage.name].arms
    return {
        kind: {arm: by_arm.get(arm, _Tally()).count for arm in dict.fromkeys((*arms, *by_arm))}
        for kind, by_arm in found.items()
    }


@dataclass(frozen=True)
class _Named:
    """An incident that happened to a participant."""

    participant_id: int
    key: str
    kind: str
    happened_on: date
    serious: str


@dataclass
class _Tally:
    incidents: int = 0
    serious: int = 0
    people: set[int] = field(default_factory=set)

    def add(self, row: _Named) -> None:
        self.incidents += 1
        self.serious += row.serious != NOT_SERIOUS
        self.people.add(row.participant_id)

    @property
    def count(self) -> KindCount:
        return KindCount(self.incidents, len(self.people), self.serious)


def _named(study: Study) -> Iterator[_Named]:
    fields = ("participant_id", "participant__key", "kind", "happened_on", "serious")
    for row in _statements(study).order_by("pk").values_list(*fields):
        yield _Named(*row)


def _statements(study: Study) -> "QuerySet[Statement]":
    return newest_statements(study).exclude(outcome=MISTAKE).filter(participant__isnull=False)


def _allocations(study: Study) -> "QuerySet[Allocation]":
    return Allocation.objects.filter(participant__in=_statements(study).values("participant"))


def _end_of(day: date | None, zone: ZoneInfo) -> datetime | None:
    """The last moment of a day: of an answer on the same day nobody knows whether it came after."""
    if day is None:
        return None
    return datetime.combine(day, time.max, zone).astimezone(UTC)


def _day(study: Study, allocation: Allocation) -> date:
    return allocation.at.astimezone(ZoneInfo(folder_of(study).protocol.study.timezone)).date()
