"""What goes out when, and what became of it: a row for each occasion of everything that a study sends."""

from dataclasses import dataclass
from datetime import datetime

from equipoise.platform.clock import now
from equipoise.platform.delivery.planning.calendar import Row as Planned
from equipoise.platform.delivery.planning.calendar import calendar
from equipoise.platform.delivery.watch.tallies import TO_GO_OUT, Counted, Tally
from equipoise.platform.office.messages.words import named
from equipoise.platform.registry.models import Study

__all__ = ["Row", "rows_of"]


@dataclass(frozen=True)
class Row:
    """An occasion of a send.

    Attributes:
        name: of the send.
        occasion: from 1.
        label: in words.
        counted: the dispatches that there are.
        planned: what the protocol says; None where an amendment took the send out.
        over: nothing of it is planned, and its time is over.
    """

    name: str
    occasion: int
    label: str
    counted: Counted
    planned: Planned | None
    over: bool = False

    @property
    def channel(self) -> str:
        """By which it goes; empty where nothing says so any more."""
        return self.planned.send.channel if self.planned is not None else ""

    @property
    def due(self) -> datetime | None:
        """When it goes out; None where each person has a time of their own."""
        return self.planned.due if self.planned is not None else None

    @property
    def last(self) -> datetime | None:
        """Until when it may still go out."""
        return self.planned.last if self.planned is not None else None

    @property
    def when(self) -> str:
        """Whose time it has, where that is not the schedule's."""
        if self.planned is None:
            return "–"
        if self.planned.send.kind == "thank":
            return "Once they have answered"
        return self.planned.when[:1].upper() + self.planned.when[1:]

    @property
    def people(self) -> int:
        """To how many it goes or went, as far as is known."""
        if self.over:
            return 0
        return self.planned.people if self.planned is not None else self.counted.people

    @property
    def to(self) -> str:
        """The same in words: an estimate says so."""
        if self.over:
            return "–"
        guess = self.planned is not None and self.planned.estimated
        return f"About {self.people:,}" if guess else f"{self.people:,}"

    def comes(self, moment: datetime) -> bool:
        """Whether it is still to come, or not over."""
        if self.counted.of(*TO_GO_OUT):
            return True
        if self.planned is None or self.over:
            return False
        return self.due is None or self.due >= moment or not self.counted.states


def rows_of(study: Study, counted: Tally, *, ahead: bool = False) -> list[Row]:
    """Every occasion, in the order of their times; those without one come last.

    Args:
        study: as its folder in force says.
        counted: its dispatches.
        ahead: also say to how many something will go that is not planned yet.
    """
    moment = now()
    found = [
        Row(
            name=each.name,
            occasion=each.occasion,
            label=named(each.send.label, each.occasion, each.send.times),
            counted=counted.one(each.name, each.occasion),
            planned=each,
            over=not each.planned and each.last is not None and each.last < moment,
        )
        for each in calendar(study, counted=counted, ahead=ahead)
    ]
    known = {(row.name, row.occasion) for row in found}
    gone = [key for key in counted.occasions if key not in known]
    return found + [Row(name, number, name, counted.one(name, number), None) for name, number in sorted(gone)]
