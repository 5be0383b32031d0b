"""How moments and numbers are printed on pages."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from equipoise.platform.pages.words import words_for

__all__ = ["day", "iso", "moment", "number"]

_MINUS = "\u2212"


def day(value: date | datetime, zone: str = "UTC", lang: str = "en-GB") -> str:
    """A date in words; a time is first taken to its day in the zone.

    >>> day(date(2021, 3, 1))
    '1 March 2021'
    """
    local = value.astimezone(ZoneInfo(zone)) if isinstance(value, datetime) else value
    return f"{local.day} {words_for(lang)['months'][local.month - 1]} {local.year}"


def moment(value: datetime, zone: str, lang: str = "en-GB") -> str:
    """A time in the study's zone, with the zone named.

    Args:
        value: aware; a time without a zone has no meaning here and is refused.
        zone: the study's zone, such as `Europe/London`.
        lang: the tag of the page's language.
    Returns:
        `Monday 1 March 2021, 09:00 (London time)`.
    Raises:
        ValueError: the time is naive.
    """
    if value.tzinfo is None:
        raise ValueError("a time on a page must say its zone; this one is naive")
    words, local = words_for(lang), value.astimezone(ZoneInfo(zone))
    written = words["moment"].format(
        weekday=words["weekdays"][local.weekday()],
        day=local.day,
        month=words["months"][local.month - 1],
        year=local.year,
        time=f"{local:%H:%M}",
    )
    return str(words["moment_zone"].format(moment=written, zone=_place(zone)))


def iso(value: date | datetime) -> str:
    """What stands in the `datetime` attribute of a `time` element."""
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else value.isoformat()


def number(value: float | None, places: int = 0) -> str:
    """Thousands apart and a true minus; what is missing is a dash.

    >>> number(12345), number(-0.5, 2), number(None)
    ('12,345', '−0.50', '–')
    """
    if value is None:
        return "–"
    printed = f"{abs(value):,.{places}f}"
    negative = value < 0 and any(digit in printed for digit in "123456789")
    return (_MINUS if negative else "") + printed


def _place(zone: str) -> str:
    """`Europe/London` is London to a reader; UTC is itself."""
    return zone.rpartition("/")[2].replace("_", " ")
