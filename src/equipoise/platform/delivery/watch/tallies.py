"""How many dispatches are in which state, by contact and occasion.

Counting a million rows takes longer than a page may. So a study with very many dispatches is counted by the
worker, and its pages say when; every other study is counted as it is asked about.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, Sum

from equipoise.platform.delivery.models import Dispatch, DispatchTally
from equipoise.platform.delivery.planning.expected import Expected
from equipoise.platform.registry.models import Study

__all__ = [
    "GONE_OUT",
    "MANY",
    "TO_GO_OUT",
    "UNSENT",
    "Counted",
    "Tally",
    "counted_now",
    "dispatch_states",
    "kept_rows",
    "tally",
]

TO_GO_OUT = ("planned", "claimed", "sending")
GONE_OUT = ("sent", "delivered")
UNSENT = ("failed", "missed", "cancelled")
MANY = 20_000  # dispatches of a study; counting so many takes about 20 ms
_EXPECTED = "expected"  # stands in the place of a state: to how many an occasion will go


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
        expected: to how many people each occasion will go, where the worker has counted that.
    """

    occasions: Mapping[tuple[str, int], Counted]
    at: datetime | None = None
    expected: Mapping[tuple[str, int], Expected] = field(default_factory=dict)

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
        return counted_now(study)
    ahead = {(row[0], row[1]): Expected(*row[3:]) for row in kept.counts if row[2] == _EXPECTED}
    if kept.number < MANY:
        return Tally(counted_now(study).occasions, None, ahead)
    return Tally(_read(row for row in kept.counts if row[2] != _EXPECTED), kept.at, ahead)


def counted_now(study: Study) -> Tally:
    """The dispatches of a study, counted now, however long it takes."""
    return Tally(_read(_rows(study)))


def kept_rows(found: Tally) -> list[list[Any]]:
    """A tally as it is kept, and read again by `tally`."""
    rows: list[list[Any]] = [
        [*key, state, number, counted.parts]
        for key, counted in found.occasions.items()
        for state, number in counted.states.items()
    ]
    return rows + [
        [*key, _EXPECTED, each.people, each.unknown, each.estimated] for key, each in found.expected.items()
    ]


def dispatch_states() -> dict[str, int]:
    """How many dispatches of all studies are in each state."""
    found = _together(tally(study).everything for study in Study.objects.exclude(launched_at=None))
    return {state: found.of(state) for state in Dispatch.STATES}


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
