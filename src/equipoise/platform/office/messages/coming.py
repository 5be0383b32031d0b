"""Messages at a glance: how many have gone out of those that were due, and what goes out next."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.urls import reverse

from equipoise.platform.clock import now
from equipoise.platform.delivery.watch.tallies import GONE_OUT, tally
from equipoise.platform.office.messages.schedule import Row, rows_of
from equipoise.platform.office.messages.words import CHANNELS, minute
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of

__all__ = ["messages_at_a_glance", "so_far"]

_NEXT = 3  # sends


def messages_at_a_glance(study: Study) -> dict[str, Any]:
    """For the overview of a study: due against sent, and what goes out next."""
    moment, zone = now(), folder_of(study).protocol.study.timezone
    rows = rows_of(study, tally(study))
    coming = [row for row in rows if row.due is not None and row.due > moment]
    if study.state not in ("locked", "live", "paused"):
        coming = []
    return {
        "sent": so_far(rows, moment),
        "next": [
            {
                "what": {
                    "text": row.label,
                    "href": reverse("message", args=[study.name, row.name, row.occasion]),
                },
                "due": minute(row.due, zone),
                "channel": CHANNELS[row.channel],
            }
            for row in coming[:_NEXT]
        ],
    }


def so_far(rows: Sequence[Row], moment: datetime) -> list[dict[str, Any]]:
    """Of each send: how many have gone out, of those that were due and not called off."""
    found: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row.counted.people and (row.due is None or row.due <= moment):
            label = row.planned.send.label if row.planned is not None else row.name
            bar = found.setdefault(row.name, {"text": label, "value": 0, "of": 0})
            bar["value"] += row.counted.of(*GONE_OUT)
            bar["of"] += row.counted.people
    return list(found.values())
