"""What was done about events after the allocation, and what that assumes."""

from collections.abc import Iterator

from equipoise.findings.sampling.measured import Measured
from equipoise.findings.sampling.strategies import events_met
from equipoise.protocol.names import in_words

__all__ = ["events_dealt_with"]


def events_dealt_with(measured: Measured) -> Iterator[str]:
    """How many people an event's strategy concerns, by event; treatment policy concerns nobody."""
    study, data, inside = measured.study, measured.data, measured.sample.inside
    for event, met in events_met(study, data, "composite"):
        count = int((met & inside).sum())
        if count:
            yield f"{in_words(event)}: {count} people count with the worst value (composite strategy)"
    for event, met in events_met(study, data, "while-on-treatment"):
        count, without = int((met & inside).sum()), int((met & inside & ~measured.answered).sum())
        if count:
            yield (
                f"{in_words(event)}: of {count} people to whom it happened {count - without} count with what "
                f"they had last answered by then, {without} are missing (while-on-treatment strategy)"
            )
    for event, met in events_met(study, data, "hypothetical"):
        count = int((met & inside).sum())
        if count:
            yield (
                f"{in_words(event)}: the answers of {count} people are set aside (hypothetical "
                "strategy), which assumes that without it they would have answered as people like them did"
            )
