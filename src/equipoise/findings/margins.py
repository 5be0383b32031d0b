"""What an interval says of effects too small to matter, beside its sentence."""

from equipoise.estimation import inference
from equipoise.estimation.meaning.second_generation import second_generation_p_value
from equipoise.findings.results import Finding

__all__ = ["by_margin"]


def by_margin(finding: Finding) -> Finding:
    """The finding with its second-generation p-value, where it has an interval and a margin."""
    interval, margin = finding.interval, finding.margin
    if finding.kind != "effect" or interval is None or margin is None:
        return finding
    low, high, level = interval.low, interval.high, interval.level
    if low is None or high is None or level is None or not low < high:
        return finding
    found = second_generation_p_value(inference.Interval(level, low, high), margin)
    return finding.model_copy(update={"second_generation": found})
