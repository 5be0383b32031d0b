"""The worst that an outcome can be."""

from equipoise.protocol.models.outcomes import Outcome

__all__ = ["worst_value"]


def worst_value(outcome: Outcome) -> float | None:
    """The end of the outcome's range that is not good; None without a range or without a good direction."""
    span = (0.0, 1.0) if outcome.scale == "yes-no" and outcome.range is None else outcome.range
    if span is None or outcome.good not in ("high", "low"):
        return None
    return span[0] if outcome.good == "high" else span[1]
