"""Values of a row as their declared types have them: levels as text, dates as midnights in the zone."""

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from equipoise.protocol.expressions.checking import normal
from equipoise.protocol.expressions.schema import Constant
from equipoise.protocol.times import as_utc

__all__ = ["CONVERSIONS", "EXPECTATIONS", "constant", "functions", "is_missing", "moment"]


def is_missing(value: object) -> bool:
    """Whether a value is no value: None, or not a number."""
    return value is None or (isinstance(value, float) and math.isnan(value))


def constant(value: Constant, zone: ZoneInfo) -> Constant:
    """A constant as the library takes it."""
    if isinstance(value, bool | str) or value is None:
        return value
    return float(value) if isinstance(value, int | float) else moment(value, zone)


def moment(value: object, zone: ZoneInfo) -> datetime:
    """A date is its midnight in the study's zone; a time without a zone is on the clocks there."""
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo is not None else as_utc(value, zone)
    if isinstance(value, date):
        return as_utc(datetime.combine(value, time()), zone)
    if isinstance(value, str):
        return moment(date.fromisoformat(value), zone)
    raise TypeError


def _number(value: object, _: ZoneInfo) -> float:
    if isinstance(value, str | bool) or not math.isfinite(number := float(value)):  # type: ignore[arg-type]
        raise ValueError
    return number


def _text(value: object, _: ZoneInfo) -> str:
    """Levels are text, so a code that a file gave as a number is its digits."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, str | int):
        return normal(str(value))
    raise TypeError


def _yes_no(value: object, _: ZoneInfo) -> bool:
    if value in (0, 1):
        return bool(value)
    if isinstance(value, str) and value.lower() in ("yes", "no", "true", "false"):
        return value.lower() in ("yes", "true")
    raise ValueError


def _any(value: object, zone: ZoneInfo) -> object:
    if isinstance(value, bool | str):
        return normal(value) if isinstance(value, str) else value
    return _number(value, zone) if isinstance(value, int | float) else moment(value, zone)


CONVERSIONS: Mapping[str, Callable[[object, ZoneInfo], object]] = {
    **dict.fromkeys(("text", "email", "phone", "category"), _text),
    **dict.fromkeys(("integer", "number"), _number),
    "date": moment,
    "yes-no": _yes_no,
    "any": _any,
}
EXPECTATIONS = {
    **dict.fromkeys(("text", "email", "phone", "category"), "a text"),
    **dict.fromkeys(("integer", "number"), "a finite number"),
    "date": "a date",
    "yes-no": "yes or no",
    "any": "a text, a number, a date, or yes or no",
}


def functions(used: Iterable[str], zone: ZoneInfo) -> dict[str, Callable[..., object]]:
    """The functions that the library does not have, of those used."""

    def years_between(earlier: datetime, later: datetime) -> float:
        return _years(earlier.astimezone(zone).date(), later.astimezone(zone).date())

    ours: dict[str, Callable[..., object]] = {
        "years_between": years_between,
        "lower": str.lower,
        "upper": str.upper,
    }
    return {name: function for name, function in ours.items() if name in used}


def _years(earlier: date, later: date) -> float:
    """Completed years by the calendar; from 29 February one is complete on 1 March of a common year."""
    if later < earlier:
        return -_years(later, earlier)
    before_anniversary = (later.month, later.day) < (earlier.month, earlier.day)
    return float(later.year - earlier.year - before_anniversary)
