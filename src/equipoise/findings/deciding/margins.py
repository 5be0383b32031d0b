"""A result held against its plan: the margin, and the effect that the design assumed."""

from equipoise.estimation import inference
from equipoise.estimation.meaning.second_generation import second_generation_p_value
from equipoise.findings.deciding.assumed import assumed_effect
from equipoise.findings.results import Finding
from equipoise.protocol.study import Study

__all__ = ["against_plan"]


def against_plan(study: Study, finding: Finding) -> Finding:
    """The finding with its second-generation p-value where it has a margin, and with what the plan supposed.

    Args:
        study: whose design assumes effects.
        finding: as judged.
    """
    interval = _interval(finding)
    if interval is None:
        return finding
    update: dict[str, object] = {}
    if finding.margin is not None:
        update["second_generation"] = second_generation_p_value(interval, finding.margin)
    assumed = assumed_effect(study, finding.outcome or "", finding.contrast)
    if finding.tier not in ("sensitivity", "supplementary") and assumed and not interval.contains(assumed):
        said = f"the interval does not hold the effect that the design assumed ({assumed:g})"
        update["warnings"] = (*finding.warnings, said)
    return finding.model_copy(update=update)


def _interval(finding: Finding) -> inference.Interval | None:
    found = finding.interval
    if finding.kind != "effect" or found is None or found.low is None or found.high is None:
        return None
    if found.level is None or not found.low < found.high:
        return None
    return inference.Interval(found.level, found.low, found.high)
