"""What a report is made from: loaded studies, each with its findings where there are any."""

from equipoise.findings.results import Finding, Findings
from equipoise.protocol.study import Study

__all__ = ["StudyAndFindings", "place_of", "select", "total_people"]


StudyAndFindings = tuple[Study, Findings | None]


def place_of(study: Study, stem: str) -> str:
    """The place of a narrative file as problems name it: `swing/narrative/background.md`."""
    return f"{study.folder.name}/narrative/{stem}.md"


def select(findings: Findings | None, prefix: str) -> list[Finding]:
    """The findings whose id is the prefix or begins with it at a dot, in their order."""
    if findings is None:
        return []
    return [one for one in findings if one.id == prefix or one.id.startswith(prefix + ".")]


def total_people(study: Study, findings: Findings | None) -> tuple[int, str] | None:
    """The number of people of a study, and in which sense: randomised, taking part, or planned."""
    for step, sense in (("randomised", "randomised"), ("enrolled", "enrolled"), ("eligible", "eligible")):
        counted = _counted(findings, f"flow.{step}")
        if counted is not None:
            return counted, sense
    protocol = study.protocol
    planned = [partner.people for partner in protocol.partners.values() if partner.people]
    if planned:
        return sum(planned), "invited"
    if protocol.participants is not None and protocol.participants.expected:
        return protocol.participants.expected, "expected"
    if protocol.interviews:
        return sum(plan.people for plan in protocol.interviews.values()), "to be interviewed"
    return None


def _counted(findings: Findings | None, prefix: str) -> int | None:
    counts = [one for one in select(findings, prefix) if one.kind == "count" and one.estimate is not None]
    total = [one for one in counts if one.id == prefix]
    chosen = total or [one for one in counts if one.arm is not None]
    return round(sum(one.estimate or 0 for one in chosen)) if chosen else None
