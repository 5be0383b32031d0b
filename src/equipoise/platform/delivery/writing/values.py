"""What the fields of a message stand for: facts of the roster and the occasion, in the reader's language."""

from datetime import date, datetime
from typing import Any

from django.conf import settings

from equipoise.platform.pages.filters import day, moment
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of, wave_times
from equipoise.protocol.faults import plain_number
from equipoise.protocol.models.participants import RosterColumn
from equipoise.protocol.sends import Send

__all__ = ["OCCASION", "example_word", "occasion_word", "roster_word"]

OCCASION = ("n", "study", "contact", "closes", "minutes")  # besides the links
_YES_NO = {"cy": ("ie", "na")}


def roster_word(column: RosterColumn, value: Any, language: str) -> str | None:
    """What stands in a message for a value of the roster; None where it is missing.

    Args:
        column: as it is declared.
        value: as it is stored: a date as ISO text.
        language: of the message.
    """
    if value is None or value == "":
        return None
    if column.type == "yes-no":
        return _YES_NO.get(language.partition("-")[0].lower(), ("yes", "no"))[0 if value else 1]
    if column.type == "date":
        return day(date.fromisoformat(value), lang=language)
    return plain_number(float(value)) if column.type == "number" else str(value)


def occasion_word(
    name: str, study: Study, send: Send, occasion: int, language: str, enrolled: datetime | None
) -> str | None:
    """What one of `OCCASION` stands for; None where there is no such thing, as the end of no wave.

    Args:
        name: of the field.
        study: whose message it is.
        send: what is sent.
        occasion: its number.
        language: of the message.
        enrolled: when the participant came in, where waves are each person's own.
    """
    protocol = folder_of(study).protocol
    if name == "n":
        return str(occasion)
    if name == "study":
        return protocol.study.title
    if name == "contact":
        return protocol.study.contact or settings.WORKSPACE.settings.contact
    if send.wave is None:
        return None
    if name == "closes":
        closes = wave_times(study, enrolled)[send.wave].closes
        return moment(closes, protocol.study.timezone, lang=language)
    minutes = folder_of(study).surveys[protocol.waves[send.wave].survey].minutes
    return None if minutes is None else plain_number(minutes)


def example_word(name: str, column: RosterColumn) -> str:
    """What an example shows for a column: its longest level, or its name in braces."""
    return max(column.levels, key=len) if column.levels else f"{{{name}}}"
