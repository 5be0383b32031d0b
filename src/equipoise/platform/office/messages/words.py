"""Messages in words: channels, states, and why something was not sent."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.urls import reverse

from equipoise.platform.pages.filters import day
from equipoise.platform.registry.models import Study

__all__ = ["CHANNELS", "REASONS", "STATES", "minute", "named", "way"]

CHANNELS = {"email": "E-mail", "sms": "Text", "letter": "Letter"}
STATES = {
    "planned": "Waits to be sent",
    "claimed": "Is about to be sent",
    "sending": "Is being sent",
    "sent": "Sent",
    "delivered": "Delivered",
    "failed": "Could not be sent",
    "unknown": "In doubt",
    "cancelled": "Called off",
    "missed": "Missed",
}
REASONS = {
    "left": "Left the study",
    "stopped": "Stopped messages",
    "answered": "Has answered",
    "not-consented": "Did not agree to it",
    "no-address": "There is no address",
    "closed-address": "The address is closed",
    "cap": "Was sent as much as is allowed",
    "late": "Its time was over",
    "field-missing": "The roster lacks a field of the text",
    "data-collection-ended": "Data collection has ended",
    "withdrawn-send": "An amendment took it out",
    "refused": "The provider refused it",
    "no-answer": "The provider did not answer",
    "interrupted": "The worker was interrupted",
    "by-person": "Settled by a person",
}


def minute(value: datetime | None, zone: str) -> str:
    """A time for tables, whose caption names the zone."""
    if value is None:
        return "–"
    return f"{day(value, zone)}, {value.astimezone(ZoneInfo(zone)):%H:%M}"


def named(label: str, occasion: int, times: int) -> str:
    """A send with its occasion, where it has several."""
    return f"{label}, {occasion} of {times}" if times > 1 else label


def way(study: Study, *further: dict[str, str]) -> list[dict[str, str]]:
    """The way up from a page below the messages."""
    return [{"text": "Messages", "href": reverse("messages", args=[study.name])}, *further]
