"""How much of the intervention reached a participant: the columns of it in the frame, and what each counts.

They are about contacts alone: invitations, reminders and thanks are no intervention. What counts is what
happened until the study was closed. `sent_CONTACT` and `sent_WAVE_invite` say when something was first sent.
"""

from dataclasses import dataclass
from typing import Literal

from equipoise.protocol.models.protocol import Protocol
from equipoise.protocol.sends import sends

__all__ = ["DoseColumn", "dose_columns", "sent_columns"]


@dataclass(frozen=True)
class DoseColumn:
    """A column of how much arrived; `meaning` is its definition, as the codebook prints it."""

    name: str
    type: Literal["integer", "number", "moment"]
    meaning: str
    high: float | None = None


_OF_MESSAGES = (
    DoseColumn("dose_sent", "integer", "Messages of the intervention that a provider took to be delivered"),
    DoseColumn(
        "dose_delivered",
        "integer",
        "Messages of the intervention that a provider said were delivered; by e-mail few providers say it",
    ),
    DoseColumn(
        "dose_weeks_received",
        "integer",
        "Weeks since the launch in which a message was sent and not known to have failed",
    ),
    DoseColumn("dose_opted_out_at", "moment", "When the participant stopped messages; empty if they did not"),
)
_OF_PAGES = (
    DoseColumn("dose_opened", "integer", "Messages whose page the participant opened by its button"),
    DoseColumn("dose_started", "integer", "Films or recordings that were started, as far as players told"),
    DoseColumn(
        "dose_share_watched",
        "number",
        "Of the films or recordings sent to the participant, the mean share that was played, as far as "
        "players told: 0 where they told nothing; empty where none was sent",
        1.0,
    ),
)


def dose_columns(protocol: Protocol) -> tuple[DoseColumn, ...]:
    """The columns that a study has: none without contacts, those of pages where contacts lead to some."""
    if not protocol.contacts:
        return ()
    leads = any(contact.asset for contact in protocol.contacts.values())
    return (*_OF_MESSAGES, *(_OF_PAGES if leads else ()))


def sent_columns(protocol: Protocol) -> dict[str, str]:
    """The columns that say when something was first sent, each with its label in words."""
    found: dict[str, str] = {}
    for name, send in sends(protocol).items():
        found.setdefault(protocol.sent_column(name), send.label)
    return found
