"""When nothing is sent, and at most how often: quiet hours, weekends, bank holidays, the cap.

Hours and days are those on the clock of whoever gets the message. Bank holidays are of `england-and-wales`,
`scotland` or `northern-ireland`, as their governments publish them; `none` stands for no holiday at all.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache
from typing import Literal

from equipoise.errors import ProtocolError, nearest
from equipoise.protocol.models.conduct import Sending
from equipoise.protocol.times import as_utc, parse_weekly

__all__ = ["COUNTRIES", "Cap", "QuietHours", "allowed", "parse_cap", "parse_holidays", "parse_quiet_hours"]

# The subdivision by which the library of holidays knows each.
COUNTRIES = {"england-and-wales": "ENG", "scotland": "SCT", "northern-ireland": "NIR"}
Period = Literal["day", "week", "month"]
PERIODS: tuple[Period, ...] = ("day", "week", "month")
_DAYS = {"day": 1, "week": 7, "month": 30}
_SATURDAY = 5
_LONGEST_DAYS = 60  # no run of weekends and holidays is as long


@dataclass(frozen=True)
class QuietHours:
    """From a time of the day to another, across midnight where the second is earlier; the same: never."""

    starts: time
    ends: time

    def holds(self, clock: time) -> bool:
        """Whether a time on the clock lies in [starts, ends)."""
        if self.starts <= self.ends:
            return self.starts <= clock < self.ends
        return clock >= self.starts or clock < self.ends


@dataclass(frozen=True)
class Cap:
    """At most `number` messages to one person in any `days` days of their calendar in a row."""

    number: int
    period: Period

    @property
    def days(self) -> int:
        """How many days of the calendar are counted, today included."""
        return _DAYS[self.period]

    @property
    def text(self) -> str:
        """As it is written: `3 per week`."""
        return f"{self.number} per {self.period}"

    def since(self, moment: datetime, zone: tzinfo) -> datetime:
        """From when on messages count against one that would go out at a moment, in UTC.

        Whole days, so that a weekly message is not held up by having gone out a second later last week.
        """
        first = moment.astimezone(zone).date() - timedelta(days=self.days - 1)
        return as_utc(datetime.combine(first, time()), zone)


def parse_cap(text: str | None) -> Cap | None:
    """Read a cap, such as `3 per week`; None where there is none.

    Raises:
        ProtocolError: it is no number of messages in a day, a week or a month.
    """
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,4}) per ([a-z]+)", " ".join(text.lower().split()))
    if match is None or int(match[1]) == 0:
        raise ProtocolError(f'"{text}" is not a cap. Write how many messages in which time: `3 per week`.')
    if match[2] not in PERIODS:
        raise ProtocolError(f'"{match[2]}" is not what a cap counts in. Write {nearest(match[2], PERIODS)}')
    return Cap(int(match[1]), next(period for period in PERIODS if period == match[2]))


def parse_quiet_hours(hours: tuple[str, str]) -> QuietHours:
    """Read two times of the day.

    Raises:
        ProtocolError: one of them is none.
    """
    starts, ends = (parse_weekly(text) for text in hours)
    for text, read in zip(hours, (starts, ends), strict=True):
        if read.weekday is not None:
            raise ProtocolError(f'"{text}" names a day; quiet hours are the same every day: write `20:00`.')
    return QuietHours(starts.at, ends.at)


def parse_holidays(text: str | None) -> str | None:
    """Whose bank holidays are kept; None for nobody's.

    Raises:
        ProtocolError: they are not known.
    """
    if text is None or text == "none":
        return None
    if text not in COUNTRIES:
        listed = nearest(text, [*COUNTRIES, "none"])
        raise ProtocolError(f'"{text}" is not a place whose bank holidays are known. Known: {listed}')
    return text


def allowed(sending: Sending, moment: datetime, zone: tzinfo) -> datetime:
    """The first moment, in UTC, from another on at which something may be sent.

    Args:
        sending: the study's rules.
        moment: with its zone.
        zone: of whoever gets it.
    Raises:
        ProtocolError: a rule cannot be read.
    """
    hours, holidays = parse_quiet_hours(sending.quiet_hours), parse_holidays(sending.bank_holidays)
    found = moment.astimezone(UTC)
    for _ in range(2 * _LONGEST_DAYS):
        local = found.astimezone(zone)
        if _rests(local.date(), holidays, weekends=sending.weekends):
            found = _later(found, datetime.combine(local.date() + timedelta(days=1), time()), zone)
        elif hours.holds(local.time()):
            tomorrow = hours.ends <= local.time()
            found = _later(found, datetime.combine(local.date() + timedelta(days=tomorrow), hours.ends), zone)
        else:
            return found
    raise ProtocolError("nothing could ever be sent under these rules")


def _later(before: datetime, local: datetime, zone: tzinfo) -> datetime:
    """A time on the clock; its second coming, where the clocks go back and the first is over already."""
    found = as_utc(local, zone)
    return found if found > before else local.replace(tzinfo=zone, fold=1).astimezone(UTC)


def _rests(day: date, holidays: str | None, *, weekends: bool) -> bool:
    if not weekends and day.weekday() >= _SATURDAY:
        return True
    return holidays is not None and day in _bank_holidays(holidays, day.year)


@cache
def _bank_holidays(country: str, year: int) -> frozenset[date]:
    """A year's; the library takes a while to import, so only where somebody asks."""
    from holidays import country_holidays

    return frozenset(country_holidays("GB", subdiv=COUNTRIES[country], years=year))
