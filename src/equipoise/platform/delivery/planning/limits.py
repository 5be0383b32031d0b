"""Whether what is planned fits what a carrier takes a minute and a day, and how long it takes where not."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil
from zoneinfo import ZoneInfo

from django.conf import settings

from equipoise.errors import Problem
from equipoise.platform.delivery.planning.calendar import Row, calendar
from equipoise.platform.delivery.planning.carriers import limits_of
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of
from equipoise.protocol.occasions import zone_of
from equipoise.protocol.quiet import allowed, parse_quiet_hours

__all__ = ["limit_problems"]

_LONG_MINUTES = 60
_MINUTES_A_DAY = 24 * 60
_LONGEST_DAYS = 400
_WHAT_TO_DO = (
    "let it begin earlier, spread it over days by `where`, or agree a higher limit with the provider"
)


@dataclass(frozen=True)
class _Capacity:
    """How many messages a carrier takes a minute and, within the hours that are not quiet, a day."""

    per_minute: int | None
    per_day: int


def limit_problems(study: Study) -> list[Problem]:
    """What takes long under the limits of who carries it, in sentences: how long, and what to do.

    All that one carrier has on a day is taken together. Without limits in the workspace there is nothing to
    say.
    """
    if not settings.WORKSPACE.settings.carriers.limits:
        return []
    zone = zone_of(folder_of(study).protocol)
    days: dict[tuple[str, date], list[Row]] = defaultdict(list)
    for row in calendar(study):
        if row.carrier is not None and row.due is not None and not row.missed and row.people:
            days[row.carrier, row.due.astimezone(zone).date()].append(row)
    problems = []
    for (carrier, day), rows in sorted(days.items(), key=lambda item: item[0]):
        capacity = _capacity(study, carrier)
        if capacity is not None:
            problems += list(_of_day(study, carrier, day, rows, capacity))
    return problems


def _capacity(study: Study, carrier: str) -> _Capacity | None:
    per_minute, per_day = limits_of(carrier)
    if per_minute is None and per_day is None:
        return None
    hours = parse_quiet_hours(folder_of(study).protocol.sending.quiet_hours)
    clocks = (timedelta(hours=each.hour, minutes=each.minute) for each in (hours.starts, hours.ends))
    starts, ends = (int(each.total_seconds() // 60) for each in clocks)
    minutes = _MINUTES_A_DAY - (ends - starts) % _MINUTES_A_DAY
    most = [per_day] if per_day is not None else []
    most += [per_minute * minutes] if per_minute is not None else []
    return _Capacity(per_minute, min(most))


def _of_day(study: Study, carrier: str, day: date, rows: list[Row], capacity: _Capacity) -> Iterator[Problem]:
    people = sum(row.people for row in rows)
    named = ", ".join(f"{row.name} {row.occasion}" for row in rows)
    said = f"{people:,} messages ({named}) fall on {day}, and {carrier} takes"
    first = min(row.due for row in rows if row.due is not None)
    if people > capacity.per_day:
        ends = _ends(study, first, people, capacity)
        number = ceil(people / capacity.per_day)
        told = f"{said} {capacity.per_day:,} a day: they take {number} days, until {_said(study, ends)}"
        late = _too_late(study, rows, first, capacity)
        lost = f", which is too late for some of {', '.join(late)}" if late else ""
        yield Problem(study.name, rows[0].name, f"{told}{lost}; {_WHAT_TO_DO}")
    elif capacity.per_minute is not None and people > capacity.per_minute * _LONG_MINUTES:
        minutes = ceil(people / capacity.per_minute)
        took = f"{minutes // 60} h {minutes % 60:02} min"
        yield Problem(study.name, rows[0].name, f"{said} {capacity.per_minute:,} a minute: they take {took}")


def _ends(study: Study, first: datetime, people: int, capacity: _Capacity) -> datetime:
    """The day on which the last of so many messages goes out, when they begin to at a moment."""
    sending, zone = folder_of(study).protocol.sending, zone_of(folder_of(study).protocol)
    moment, left = first, people - capacity.per_day
    for _ in range(_LONGEST_DAYS):
        if left <= 0:
            break
        moment = allowed(sending, _next_day(moment, zone), zone)
        left -= capacity.per_day
    return moment


def _too_late(study: Study, rows: list[Row], first: datetime, capacity: _Capacity) -> list[str]:
    """Which of a day's messages are not through by the last moment for them, taken in the order of time."""
    before, late = 0, []
    for row in sorted(rows, key=lambda row: row.due or first):
        before += row.people
        if row.last is not None and _ends(study, first, before, capacity) > row.last:
            late.append(f"{row.name} {row.occasion}")
    return late


def _next_day(moment: datetime, zone: ZoneInfo) -> datetime:
    local = moment.astimezone(zone) + timedelta(days=1)
    return local.replace(hour=0, minute=0, second=0, microsecond=0)


def _said(study: Study, moment: datetime) -> str:
    return f"{moment.astimezone(zone_of(folder_of(study).protocol)):%Y-%m-%d}"
