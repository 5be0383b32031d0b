"""When each send goes out: its occasions, moved out of the quiet hours, each with the last moment for it.

A contact begins at `from:`, or at the first time of `at:` from then on, and comes again `every:` so long.
Invitations go when their wave opens, reminders so long after, thanks to each person as soon as they have
answered: those have no moment of their own. What is later than `within` says is missed: where nothing is
said, a contact can wait until its next occasion or for a week, an invitation until its wave closes, a
reminder until the next one or until the wave closes.

A participant with a time zone of their own gets a contact when their clock shows what the schedule says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from equipoise.errors import ProtocolError
from equipoise.protocol.models.fieldwork import Contact
from equipoise.protocol.models.protocol import Protocol
from equipoise.protocol.quiet import allowed
from equipoise.protocol.sends import Send
from equipoise.protocol.timeline import UNDATED_LAUNCH, timeline
from equipoise.protocol.times import (
    Duration,
    Weekly,
    as_utc,
    next_occurrence,
    parse_duration,
    parse_time,
    parse_weekly,
    resolve,
    shift,
)
from equipoise.protocol.zones import is_zone

__all__ = ["Occasion", "arms_at", "each_their_own", "occasions", "thanks", "zone_of"]

_A_WEEK = Duration(1, "week")
_DAYS_APART = 10  # two days of enrolment that give other moments, whatever lies between


@dataclass(frozen=True)
class Occasion:
    """One time that something goes out; all moments are in UTC.

    Attributes:
        number: from 1.
        due: when it goes out: not in quiet hours.
        last: until when it may still go out.
        written: when the protocol says, whatever the hour.
    """

    number: int
    due: datetime
    last: datetime
    written: datetime

    @property
    def missed(self) -> bool:
        """Whether the quiet hours leave no time for it."""
        return self.due >= self.last

    @property
    def moved(self) -> bool:
        """Whether the quiet hours put it off."""
        return self.due != self.written


def occasions(
    protocol: Protocol, send: Send, enrolled: datetime | None = None, zone: tzinfo | None = None
) -> list[Occasion]:
    """Every occasion of a send, in order; none for thanks, which go out on completion.

    Args:
        protocol: of the study.
        send: one of its sends.
        enrolled: when a participant came in, for moments that are each person's own; the launch's when left
            out.
        zone: the participant's, where it is not the study's.
    Raises:
        ProtocolError: a time or a rule of sending cannot be read.
    """
    if send.kind == "thank":
        return []
    theirs = zone or zone_of(protocol)
    written = _written(protocol, send, enrolled, theirs)
    lasts = _lasts(protocol, send, written, enrolled)
    return [
        Occasion(number, allowed(protocol.sending, moment, theirs), last, moment)
        for number, (moment, last) in enumerate(zip(written, lasts, strict=True), start=1)
    ]


def thanks(protocol: Protocol, completed: datetime, zone: tzinfo | None = None) -> Occasion:
    """The thanks to somebody who has just answered.

    Args:
        protocol: of the study.
        completed: when they did.
        zone: theirs, where it is not the study's.
    """
    theirs = zone or zone_of(protocol)
    last = shift(completed, _A_WEEK.count, _A_WEEK.unit, theirs)
    return Occasion(1, allowed(protocol.sending, completed, theirs), last, completed)


def each_their_own(protocol: Protocol, send: Send) -> bool:
    """Whether the moments of a send hang on when a participant came in."""
    if send.kind == "thank":
        return False
    zone = zone_of(protocol)
    first = resolve(parse_time(protocol.study.launch or UNDATED_LAUNCH), {}, zone, "sends")
    later = first + timedelta(days=_DAYS_APART)
    return _written(protocol, send, first, zone) != _written(protocol, send, later, zone)


def arms_at(protocol: Protocol, send: Send, moment: datetime) -> tuple[str, ...]:
    """Of the stage that a send names, what people are drawn into that get it at a moment.

    These are the arms themselves or, where sequences are drawn, those that have one of the arms at that time.
    Empty where everybody gets it, and where nobody does: `send.arms` tells which.
    """
    stage = protocol.allocation.get(send.stage or "")
    if stage is None or stage.to != "sequences" or protocol.schedule is None:
        return send.arms
    begun = [name for name, begins in timeline(protocol, None).periods.items() if begins <= moment]
    place = len(begun) - 1
    return tuple(
        name
        for name, steps in protocol.schedule.sequences.items()
        if place >= 0 and steps[place] in send.arms
    )


def zone_of(protocol: Protocol) -> ZoneInfo:
    """The study's time zone."""
    name = protocol.study.timezone
    return ZoneInfo(name if is_zone(name) else "UTC")  # the checks report one that is none


def _written(protocol: Protocol, send: Send, enrolled: datetime | None, zone: tzinfo) -> list[datetime]:
    times = timeline(protocol, enrolled)
    if send.wave is None:
        return _of_contact(protocol, protocol.contacts[send.name], _begins(times.starts, send), zone)
    opens = _begins(times.opens, send)
    remind = protocol.waves[send.wave].remind
    if send.kind == "invite" or remind is None:
        return [opens]
    delays = (parse_duration(text) for text in remind.after)
    return sorted(shift(opens, delay.count, delay.unit, zone_of(protocol)) for delay in delays)


def _of_contact(protocol: Protocol, contact: Contact, starts: datetime, zone: tzinfo) -> list[datetime]:
    """In the participant's zone, so that a change of the clocks there moves none of them on their clock."""
    at = parse_weekly(contact.at) if contact.at else None
    if at is None and zone != zone_of(protocol):
        at = Weekly(None, starts.astimezone(zone_of(protocol)).time())
    every = parse_duration(contact.every) if contact.every else None
    first = starts if at is None else next_occurrence(at, starts, zone)
    steps = range(contact.times if every is not None else 1)
    found = [first if every is None else shift(first, step * every.count, every.unit, zone) for step in steps]
    return found if at is None else [next_occurrence(at, _start_of_day(each, zone), zone) for each in found]


def _start_of_day(moment: datetime, zone: tzinfo) -> datetime:
    """Midnight of its day: a shift may have landed beside a time that the clocks skipped or repeated."""
    return as_utc(
        moment.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None), zone
    )


def _lasts(
    protocol: Protocol, send: Send, written: Sequence[datetime], enrolled: datetime | None
) -> list[datetime]:
    if send.wave is not None:
        closes = _begins(timeline(protocol, enrolled).closes, send)
        return [min(each, closes) for each in (*written[1:], closes)]
    within = protocol.contacts[send.name].within
    if within is not None:
        length = parse_duration(within)
        return [shift(each, length.count, length.unit, zone_of(protocol)) for each in written]
    last = shift(written[-1], _A_WEEK.count, _A_WEEK.unit, zone_of(protocol))
    return [*written[1:], last]


def _begins(moments: Mapping[str, datetime], send: Send) -> datetime:
    """The moment of a send's contact or wave."""
    name = send.wave or send.name
    if name not in moments:
        raise ProtocolError(f"the times of {name} cannot be read")
    return moments[name]
