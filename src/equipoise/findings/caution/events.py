"""What was done about events after the allocation, and what that assumes."""

from collections.abc import Iterator

from equipoise.findings.sampling.measured import Measured
from equipoise.findings.sampling.strategies import events_met

__all__ = ["events_dealt_with"]


def events_dealt_with(measured: Measured) -> Iterator[str]:
    """How many people an event's strategy concerns, by event; treatment policy concerns nobody."""
    for event, met in events_met(measured.study, measured.data, "composite"):
        count = int((met & measured.sample.inside).sum())
        if count:
            yield f"{event.replace('_', ' ')}: {count} people count with the worst value (composite strategy)"
    for event, met in events_met(measured.study, measured.data, "hypothetical"):
        count = int((met & measured.sample.inside).sum())
        if count:
            yield (
                f"{event.replace('_', ' ')}: the answers of {count} people are set aside (hypothetical "
                "strategy), which assumes that without it they would have answered as people like them did"
            )
