"""The effects that were found, held against those that were planted."""

from collections.abc import Iterator, Mapping

from equipoise.findings import Findings
from equipoise.findings.results import Finding, Interval
from equipoise.platform.rehearsal.verdict import Check
from equipoise.protocol import Study

__all__ = ["effect_check", "planted_effects"]

_LINEAR = ("linear", "lin-interacted", "difference-in-means", "mixed")
# One 95% interval in twenty misses what was planted although all is well. Three in ten thousand miss it by
# this many of their half widths.
_FAR = 1.85


def planted_effects(
    study: Study, found: Findings, planted: Mapping[str, Mapping[str, float]]
) -> Iterator[tuple[Finding, Interval, float]]:
    """The main effects that can be compared, with what was planted in the same unit.

    Args:
        study: says which analyses there are, and what is assumed.
        found: of the analysis.
        planted: the mean effect on everybody allocated, by outcome and arm.
    """
    main = {
        name: analysis
        for name, analysis in study.protocol.analyses.items()
        if analysis.sensitivity_of is None and analysis.model in _LINEAR
    }
    for finding in found:
        arms = (finding.contrast or "").split(" - ")
        whole = finding.analysis in main and finding.by is None and finding.among is None
        assumed = finding.outcome in study.protocol.diagnosis.assume.outcomes
        interval = finding.interval if whole and assumed and len(arms) == 2 else None
        if interval is not None and interval.level is not None:  # bounds have no level, and always hold it
            effects = planted.get(str(finding.outcome), {})
            yield finding, interval, effects.get(arms[0], 0.0) - effects.get(arms[1], 0.0)


def effect_check(study: Study, found: Findings, planted: Mapping[str, Mapping[str, float]]) -> Check:
    """Whether the analysis finds what was planted.

    An interval that misses it narrowly is for a person to look at, as one in twenty does; one that misses it
    by far is broken.
    """
    faults, notes, counted = [], [], 0
    for finding, interval, truth in planted_effects(study, found, planted):
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
