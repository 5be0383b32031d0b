"""What an early end of data collection called off: the messages that were still to come."""

from datetime import date

from equipoise.errors import EquipoiseError
from equipoise.protocol.models.files import Amendment
from equipoise.protocol.occasions import occasions, zone_of
from equipoise.protocol.sends import Send, sends
from equipoise.protocol.study import Study

__all__ = ["STOPPED", "called_off"]

STOPPED = "Data collection stops."  # what `equipoise amend` writes where nothing else has changed


def called_off(study: Study, amendment: Amendment) -> str:
    """What was due after the day of an amendment that ends data collection, in words; empty for nothing.

    Such as `Weekly text (3 of 8), Invitation: After the texts`.
    """
    if study.protocol.study.launch is None:
        return ""
    day = date.fromisoformat(amendment.date)
    told = (_left(study, send, day) for send in sends(study).values())
    return ", ".join(words for words in told if words)


def _left(study: Study, send: Send, day: date) -> str:
    try:
        found = occasions(study.protocol, send)
    except EquipoiseError:
        return ""  # a lock of old may have times that cannot be read; nothing was ever sent by them
    left = [each for each in found if each.due.astimezone(zone_of(study.protocol)).date() > day]
    if not left:
        return ""
    return send.label if len(found) == 1 else f"{send.label} ({len(left)} of {len(found)})"
