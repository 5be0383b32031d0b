"""The effects that were found, held against those that were planted."""

from collections.abc import Iterator, Mapping

from equipoise.findings import Findings
from equipoise.findings.results import Finding, Interval
from equipoise.platform.rehearsal.verdict import Check

__all__ = ["effect_check", "planted_effects"]

_LINEAR = ("linear", "lin-interacted", "difference-in-means", "mixed")
# One 95% interval in twenty misses what was planted although all is well. Three in ten thousand miss it by
# this many of their half widths.
_FAR = 1.85


def planted_effects(
    found: Findings, planted: Mapping[str, Mapping[str, float]]
) -> Iterator[tuple[Finding, Interval, float]]:
    """The main effects that can be compared, with what was planted in the same unit.

    Args:
        found: of the analysis.
        planted: the mean effect on everybody allocated, by outcome and arm.
    """
    for finding in found:
        arms = (finding.contrast or "").split(" - ")
        comparable = finding.kind == "effect" and finding.by is None and finding.among is None
        if not comparable or len(arms) != 2 or finding.model not in _LINEAR or finding.interval is None:
            continue
        if finding.outcome in planted or finding.role == "primary":
            effects = planted.get(str(finding.outcome), {})
            yield finding, finding.interval, effects.get(arms[0], 0.0) - effects.get(arms[1], 0.0)


def effect_check(found: Findings, planted: Mapping[str, Mapping[str, float]]) -> Check:
    """Whether the analysis finds what was planted.

    An interval that misses it narrowly is for a person to look at, as one in twenty does; one that misses it
    by far is broken.
    """
    faults, notes, counted = [], [], 0
    for finding, interval, truth in planted_effects(found, planted):
        if interval.low is None or interval.high is None:
            continue
        counted += 1
        middle, half = (interval.low + interval.high) / 2, (interval.high - interval.low) / 2
        said = f"{finding.id}: planted {truth:.3g}, found {interval.low:.3g} to {interval.high:.3g}"
        if abs(truth - middle) > _FAR * half:
            faults.append(said)
        elif abs(truth - middle) > half:
            notes.append(f"{said}; one interval in twenty misses it by chance")
    if not counted:
        notes.append("no effect could be estimated, so nothing shows that the analysis finds what is there")
    title = "The analysis finds the effect that was planted"
    return Check("effect", title, counted, tuple(faults), tuple(notes))
