"""What one person was sent, when, and what came back. That somebody was sent a contact can tell their arm."""

from typing import Any

from equipoise.platform.delivery.queries import dispatches_of
from equipoise.platform.office.messages.words import CHANNELS, REASONS, STATES, minute, named
from equipoise.platform.people.models import Participant
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of
from equipoise.protocol.sends import sends

__all__ = ["sent_to"]


def sent_to(study: Study, participant: Participant) -> list[dict[str, Any]]:
    """The dispatches of a person, for a table; only for whoever may know the arms."""
    zone = folder_of(study).protocol.study.timezone
    known = sends(folder_of(study).protocol)
    rows = []
    for row in dispatches_of(participant):
        send = known.get(row.contact)
        why = f": {REASONS.get(row.reason, row.reason).lower()}" if row.reason else ""
        rows.append(
            {
                "what": named(send.label, row.occasion, send.times) if send is not None else row.contact,
                "channel": CHANNELS[row.channel],
                "due": minute(row.due_at, zone),
                "state": f"{STATES[row.state]}{why}",
                "sent": minute(row.sent_at, zone),
            }
        )
    return rows
