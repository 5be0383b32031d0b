"""What goes out when, and what became of it: a row for each occasion of everything that a study sends."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from equipoise.platform.clock import now
from equipoise.platform.delivery.forecasts import forecast
from equipoise.platform.delivery.tallies import TO_GO_OUT, Counted, Tally
from equipoise.platform.office.messages.words import named
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of
from equipoise.protocol.occasions import Occasion, each_their_own, occasions
from equipoise.protocol.sends import Send, sends

__all__ = ["Row", "rows_of"]


@dataclass(frozen=True)
class Row:
    """An occasion of a send.

    Attributes:
        name: of the send.
        occasion: from 1.
        label: in words.
        channel: email, sms or letter.
        send: what the protocol says; None where an amendment took it out.
        due: when; None where each person has a time of their own.
        last: until when it may still go out.
        counted: the dispatches that there are.
        expected: how many it goes to, as long as there are no dispatches.
    """

    name: str
    occasion: int
    label: str
    channel: str
    send: Send | None
    due: datetime | None
    last: datetime | None
    counted: Counted
    expected: int | None = None

    @property
    def people(self) -> int | None:
        """To how many it goes or went; None where nobody knows yet."""
        return self.counted.people if self.counted.states else self.expected

    @property
    def when(self) -> str:
        """Whose time it has, where that is not the schedule's."""
        thanks = self.send is not None and self.send.kind == "thank"
        return "Once they have answered" if thanks else "Each at their own time"

    def comes(self, moment: datetime) -> bool:
        """Whether it is still to come, or not over."""
        if self.due is None or self.due >= moment or self.counted.of(*TO_GO_OUT):
            return True
        return not self.counted.states and self.last is not None and self.last > moment


def rows_of(study: Study, counted: Tally, *, ahead: bool = False) -> list[Row]:
    """Every occasion, in the order of their times; those without one come last.

    Args:
        study: as its folder in force says.
        counted: its dispatches.
        ahead: also say to how many something will go that is not planned yet.
    """
    protocol = folder_of(study).protocol
    found = [row for send in sends(protocol).values() for row in _of_send(study, send, counted)]
    known = {(row.name, row.occasion) for row in found}
    found += [
        Row(name, number, name, "", None, None, None, each)
        for (name, number), each in counted.occasions.items()
        if (name, number) not in known
    ]
    return sorted(_expecting(study, found, counted) if ahead else found, key=_order)


def _order(row: Row) -> tuple[bool, float, str]:
    return row.due is None, row.due.timestamp() if row.due else 0.0, row.name


def _expecting(study: Study, rows: list[Row], counted: Tally) -> Iterator[Row]:
    """Rows with how many they will go to, where nothing is planned yet and something is to come."""
    moment = now()
    empty = {row.name for row in rows if not row.counted.states and row.comes(moment)}
    over = study.state not in ("locked", "live", "paused")
    expected = {} if over or not empty else counted.expected
    if expected is None:
        expected = forecast(study, empty)
    for row in rows:
        yield replace(row, expected=expected.get(row.name)) if row.name in empty else row


def _of_send(study: Study, send: Send, counted: Tally) -> Iterator[Row]:
    for number, when in _times(study, send):
        yield Row(
            name=send.name,
            occasion=number,
            label=named(send.label, number, send.times),
            channel=send.channel,
            send=send,
            due=when.due if when is not None else None,
            last=when.last if when is not None else None,
            counted=counted.one(send.name, number),
        )


def _times(study: Study, send: Send) -> Iterator[tuple[int, Occasion | None]]:
    protocol = folder_of(study).protocol
    if send.kind == "thank" or each_their_own(protocol, send):
        yield from ((number, None) for number in range(1, send.times + 1))
    else:
        yield from ((each.number, each) for each in occasions(protocol, send))
