"""What Notify's words for the state of a message mean."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from equipoise.platform.delivery.channels.contract import Record

__all__ = ["Told", "record_of"]

# What has not ended is `sent`: Notify has it, and tries for up to three days.
_ENDED: dict[str, Literal["delivered", "failed"]] = {
    "delivered": "delivered",
    "permanent-failure": "failed",
    "temporary-failure": "failed",
    "technical-failure": "failed",
    "validation-failed": "failed",
    "virus-scan-failed": "failed",
    "cancelled": "failed",
    "returned-letter": "failed",
}
_CLOSES = ("permanent-failure",)


@dataclass(frozen=True)
class Told:
    """What Notify says of one message.

    Attributes:
        provider_id: Notify's id of it.
        reference: ours.
        status: in Notify's word.
        at: when it came to be so, as Notify dates it.
    """

    provider_id: str
    reference: str
    status: str
    at: datetime


def record_of(told: Told) -> Record:
    """The same in words that all channels share."""
    return Record(
        provider_id=told.provider_id,
        status=_ENDED.get(told.status, "sent"),
        code=told.status,
        closes_address=told.status in _CLOSES,
    )
