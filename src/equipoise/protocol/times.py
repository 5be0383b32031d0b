"""The language of times: `2021-03-01 09:00`, `launch - 3 weeks`, `after.closes + 1 week`, `Tuesday 12:30`.

Days, weeks, months and years are calendar arithmetic in the study's zone, and only then UTC: `launch + 8
weeks` is the same time on the clock eight weeks later, whatever the clocks did between. A month that is too
short takes its last day (31 January + 1 month is 28 or 29 February). Hours and minutes are elapsed time.

When the clocks go forward, a time that they skip is read by the offset before the change, so it falls as
much after the change as it was after the clocks' last valid minute (01:30 becomes 02:30 in London). When
they go back, a time that comes twice is its first coming.
"""

import calendar
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Literal

from equipoise.errors import EquipoiseError, ProtocolError, nearest

__all__ = [
    "Duration",
    "Role",
    "TimeExpression",
    "Unit",
    "Weekly",
    "as_utc",
    "next_occurrence",
    "parse_duration",
    "parse_time",
    "parse_weekly",
    "resolve",
    "resolve_all",
    "shift",
]

Role = Literal["opens", "closes", "sends"]
Unit = Literal["minute", "hour", "day", "week", "month", "year"]

UNITS: tuple[Unit, ...] = ("minute", "hour", "day", "week", "month", "year")
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SENDING_TIME = time(9, 0)
LONGEST_COUNT = 10_000

_DURATION = r"(?P<count>\d+)\s+(?P<unit>[A-Za-z]+)"
_DATE = r"(?P<date>\d{4}-\d{2}-\d{2})(?:[ T](?P<clock>\d{1,2}:\d{2}))?"
_ANCHOR = r"(?P<anchor>[a-z][a-z0-9_]*(?:\.[a-z]+|\(\s*[a-z0-9_]+\s*\))?)"
_TIME = re.compile(rf"(?:{_DATE}|{_ANCHOR})(?:\s*(?P<sign>[+-])\s*{_DURATION})?")
_ALLOWED = (
    "a date (2021-03-01, 2021-03-01 09:00), launch, enrolled, WAVE.opens, WAVE.closes, allocated(STAGE), "
    "period(NUMBER) or a period's name, each with `+ 2 weeks` or `- 1 day` after it if wanted"
)


@dataclass(frozen=True)
class Duration:
    """A length of time as it is written: `2 weeks`."""

    count: int
    unit: Unit

    @property
    def text(self) -> str:
        """The canonical form."""
        return f"{self.count} {self.unit}{'' if self.count == 1 else 's'}"


@dataclass(frozen=True)
class TimeExpression:
    """A date or an anchor, and how far from it. Exactly one of `moment` and `anchor` is there.

    `moment` is local time in the study's zone; a plain `date` when no hour was written. `offset` is
    negative for times before the anchor.
    """

    anchor: str | None
    moment: date | None
    offset: int = 0
    unit: Unit = "day"

    @property
    def text(self) -> str:
        """The canonical form, with single spaces."""
        start: str | None
        if isinstance(self.moment, datetime):
            start = self.moment.strftime("%Y-%m-%d %H:%M")
        else:
            start = self.anchor if self.moment is None else self.moment.isoformat()
        if self.offset == 0:
            return str(start)
        return f"{start} {'+' if self.offset > 0 else '-'} {Duration(abs(self.offset), self.unit).text}"


@dataclass(frozen=True)
class Weekly:
    """A time of the week, or of the day where `weekday` is None; Monday is 0."""

    weekday: int | None
    at: time

    @property
    def text(self) -> str:
        """The canonical form."""
        clock = self.at.strftime("%H:%M")
        return clock if self.weekday is None else f"{WEEKDAYS[self.weekday]} {clock}"


def parse_time(text: str) -> TimeExpression:
    """Read a time.

    Raises:
        ProtocolError: the text is not a time; the message says what may be written.
    """
    match = _TIME.fullmatch(" ".join(str(text).split()))
    if match is None:
        raise ProtocolError(f'"{text}" is not a time. Write {_ALLOWED}.')
    offset, unit = 0, "day"
    if match["sign"]:
        duration = parse_duration(f"{match['count']} {match['unit']}")
        offset, unit = (1 if match["sign"] == "+" else -1) * duration.count, duration.unit
    if match["date"]:
        return TimeExpression(None, _moment(match["date"], match["clock"]), offset, unit)  # type: ignore[arg-type]
    return TimeExpression(_anchor(match["anchor"]), None, offset, unit)  # type: ignore[arg-type]


def parse_duration(text: str) -> Duration:
    """Read a length of time, such as `2 weeks`.

    Raises:
        ProtocolError: the text is not a whole number of a unit of time.
    """
    match = re.fullmatch(_DURATION, " ".join(str(text).split()))
    if match is None:
        raise ProtocolError(
            f'"{text}" is not a length of time. Write a whole number and a unit, such as `2 weeks`.'
        )
    singular = match["unit"].lower().removesuffix("s")
    if singular not in UNITS:
        plurals = [f"{unit}s" for unit in UNITS]
        raise ProtocolError(
            f'"{match["unit"]}" is not a unit of time. Units: {nearest(match["unit"], plurals)}'
        )
    if len(match["count"]) > 6 or int(match["count"]) > LONGEST_COUNT:
        raise ProtocolError(f'"{text}" is too long: at most {LONGEST_COUNT:,} of a unit.')
    return Duration(int(match["count"]), singular)


def parse_weekly(text: str) -> Weekly:
    """Read a time of the week (`Tuesday 12:30`) or of the day (`12:30`).

    Raises:
        ProtocolError: no such day, or no such time.
    """
    words = str(text).split()
    if len(words) not in (1, 2):
        raise ProtocolError(
            f'"{text}" is not a time of the week. Write a day and a time, such as `Tuesday 12:30`.'
        )
    clock = _clock(words[-1], str(text))
    if len(words) == 1:
        return Weekly(None, clock)
    if words[0].capitalize() not in WEEKDAYS:
        raise ProtocolError(f'"{words[0]}" is not a day of the week. Days: {nearest(words[0], WEEKDAYS)}')
    return Weekly(WEEKDAYS.index(words[0].capitalize()), clock)


def resolve(
    expression: TimeExpression, anchors: Mapping[str, datetime], zone: tzinfo, role: Role = "opens"
) -> datetime:
    """The moment in UTC that an expression means.

    Args:
        expression: as parsed.
        anchors: moments by the name that expressions use (`launch`, `after.closes`, `allocated(main)`);
            with a zone.
        zone: the study's.
        role: what a date without an hour means: it opens at 00:00, closes at 24:00, sends at 09:00.
    Raises:
        ProtocolError: the anchor is not known, or the moment is outside the calendar.
    """
    if expression.anchor is None:
        start = as_utc(_start_of(expression.moment, role), zone)
    elif expression.anchor in anchors:
        start = anchors[expression.anchor]
    else:
        raise ProtocolError(_unknown_anchor(expression.anchor, anchors))
    return shift(start, expression.offset, expression.unit, zone)


def resolve_all(
    written: Mapping[str, tuple[TimeExpression, Role]], zone: tzinfo
) -> tuple[dict[str, datetime], dict[str, EquipoiseError]]:
    """All times that hang on each other.

    Args:
        written: each name that may be an anchor, with its expression and role.
        zone: the study's.
    Returns:
        The moments in UTC of what could be resolved, and what is wrong by the name where it is wrong. What
        only hangs on something wrong is in neither.
    """
    resolved: dict[str, datetime] = {}
    failed: dict[str, EquipoiseError] = {}
    stuck: set[str] = set()
    for name in written:
        chain: list[str] = []
        step: str | None = name
        while step is not None and step in written and step not in resolved and step not in stuck:
            if step in chain:
                loop = " -> ".join([*chain[chain.index(step) :], step])
                failed[step] = ProtocolError(
                    f"these times hang on each other in a circle: {loop}. Date one of them."
                )
                break
            chain.append(step)
            step = written[step][0].anchor
        for link in reversed(chain):
            _settle(link, written, zone, resolved, failed, stuck)
    return resolved, failed


def shift(start: datetime, offset: int, unit: Unit, zone: tzinfo) -> datetime:
    """A moment so many units later (or earlier), in UTC.

    Raises:
        ProtocolError: the result is outside the calendar.
    """
    try:
        if unit in ("minute", "hour"):
            return start.astimezone(UTC) + timedelta(minutes=offset * (60 if unit == "hour" else 1))
        if offset == 0:
            return start.astimezone(UTC)
        local = start.astimezone(zone).replace(tzinfo=None)
        if unit in ("day", "week"):
            return as_utc(local + timedelta(days=offset * (7 if unit == "week" else 1)), zone)
        return as_utc(_months_later(local, offset * (12 if unit == "year" else 1)), zone)
    except (OverflowError, ValueError) as error:
        raise ProtocolError(f"{offset} {unit}s from {start:%Y-%m-%d} is outside the calendar") from error


def as_utc(local: datetime, zone: tzinfo) -> datetime:
    """A time on the clocks of a zone, in UTC; for what the clocks skip or repeat, see the module."""
    return local.replace(tzinfo=zone, fold=0).astimezone(UTC)


def next_occurrence(weekly: Weekly, not_before: datetime, zone: tzinfo) -> datetime:
    """The first moment, in UTC, of a time of the week or day that is not before another moment."""
    day = not_before.astimezone(zone).date() - timedelta(days=1)
    while True:
        found = as_utc(datetime.combine(day, weekly.at), zone)
        if weekly.weekday in (None, day.weekday()) and found >= not_before:
            return found
        day += timedelta(days=1)


def _settle(
    name: str,
    written: Mapping[str, tuple[TimeExpression, Role]],
    zone: tzinfo,
    resolved: dict[str, datetime],
    failed: dict[str, EquipoiseError],
    stuck: set[str],
) -> None:
    expression, role = written[name]
    if name in failed or (expression.anchor in stuck | set(failed)):
        stuck.add(name)
        return
    try:
        if expression.anchor is not None and expression.anchor not in written:
            raise ProtocolError(_unknown_anchor(expression.anchor, written))
        resolved[name] = resolve(expression, resolved, zone, role)
    except ProtocolError as error:
        failed[name] = error
        stuck.add(name)


def _start_of(moment: date | None, role: Role) -> datetime:
    if isinstance(moment, datetime):
        return moment
    if moment is None:
        raise ProtocolError("a time needs a date or an anchor")
    if role == "closes":  # 24:00 of that day
        return datetime.combine(moment + timedelta(days=1), time())
    return datetime.combine(moment, SENDING_TIME if role == "sends" else time())


def _months_later(local: datetime, months: int) -> datetime:
    year, month = divmod(local.year * 12 + local.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return local.replace(year=year, month=month + 1, day=min(local.day, last))


def _moment(day: str, clock: str | None) -> date:
    try:
        found = date.fromisoformat(day)
    except ValueError as error:
        raise ProtocolError(f'"{day}" is not a day of the calendar. Dates are year-month-day.') from error
    if not date.min.year < found.year < date.max.year:
        raise ProtocolError(f'"{day}" is outside the calendar. Dates are year-month-day.')
    return found if clock is None else datetime.combine(found, _clock(clock, f"{day} {clock}"))


def _clock(clock: str, text: str) -> time:
    match = re.fullmatch(r"(\d{1,2}):(\d{2})", clock)
    if match is None or int(match[1]) > 23 or int(match[2]) > 59:
        raise ProtocolError(
            f'"{clock}" in "{text}" is not a time of day. Write hours and minutes, such as `12:30`.'
        )
    return time(int(match[1]), int(match[2]))


def _anchor(text: str) -> str:
    name, dot, edge = text.partition(".")
    if dot and edge not in ("opens", "closes"):
        raise ProtocolError(f'"{text}" is not a time: a wave has .opens and .closes. Write `{name}.opens`.')
    call = re.fullmatch(r"([a-z][a-z0-9_]*)\(\s*([a-z0-9_]+)\s*\)", text)
    if call is None:
        return text
    if call[1] not in ("allocated", "period"):
        raise ProtocolError(
            f'"{text}" is not a time. With brackets: {nearest(call[1], ["allocated", "period"])}'
        )
    if call[1] == "period" and not call[2].isdigit():
        raise ProtocolError(
            f'"{text}" is not a time: `period` takes a number; a named period is written alone.'
        )
    return f"{call[1]}({int(call[2]) if call[1] == 'period' else call[2]})"


def _unknown_anchor(anchor: str, anchors: Mapping[str, object]) -> str:
    return f'"{anchor}" is not a time of this study. Times: {nearest(anchor, sorted(anchors))}'
