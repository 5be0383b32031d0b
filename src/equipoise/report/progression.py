"""A pilot's criteria for going on, fixed in advance: zone, value and interval."""

import re
from dataclasses import dataclass

from markupsafe import Markup

from equipoise.findings.results import Finding, Findings
from equipoise.protocol.models.conduct import Progression
from equipoise.protocol.study import Study
from equipoise.report import words
from equipoise.report.names import Names
from equipoise.report.numbers import percentage
from equipoise.report.references import linked
from equipoise.report.tables import PROVENANCE, Cell, Column, Table

__all__ = ["Verdict", "table", "verdicts"]

_RULE = re.compile(r"^\s*(>=|>|<=|<)\s*(-?[0-9.]+)\s*$")


@dataclass(frozen=True)
class Verdict:
    """A criterion, what was found, the zone of the estimate and the zones that its interval reaches."""

    label: str
    rule: Progression
    finding: Finding | None
    zone: str
    reached: tuple[str, ...]
    names: Names
    chances: tuple[Finding, ...] = ()

    def sentence(self, page: str = PROVENANCE) -> Markup:
        """`Adoption: amber, 35% (95% interval 20% to 54%), which reaches from red to green.`"""
        if self.finding is None:
            return Markup("{}: not yet known.").format(self.label)
        if self.finding.estimate is None:
            reason = self.finding.not_estimable or "nothing was estimated"
            return Markup("{}: not known, {}.").format(self.label, reason)
        value = linked(self.finding.id, words.short(self.finding, self.names), page)
        spread = f"; the interval reaches {' and '.join(self.reached)}" if len(self.reached) > 1 else ""
        return Markup("{}: {}, {}{}.").format(self.label, self.zone, value, spread)


def verdicts(study: Study, findings: Findings | None, names: Names) -> list[Verdict]:
    """One verdict a criterion, in the protocol's order."""
    found = {
        one.id.split(".")[1]: one for one in findings or () if one.kind == "progression" and "." in one.id
    }
    chances: dict[str, list[Finding]] = {}
    for one in findings or ():
        if one.analysis == "progression" and one.kind == "rate":
            chances.setdefault(one.id.split(".")[1], []).append(one)
    judged = []
    for name, rule in study.protocol.progression.items():
        finding = found.get(name)
        ends = _ends(finding)
        zones = tuple(dict.fromkeys(_zone(rule, value) for value in ends))
        zone = (
            _zone(rule, finding.estimate)
            if finding is not None and finding.estimate is not None
            else "not known"
        )
        judged.append(
            Verdict(
                rule.label or name.replace("-", " ").capitalize(),
                rule,
                finding,
                zone,
                zones,
                names,
                tuple(chances.get(name, ())),
            )
        )
    return judged


def table(judged: list[Verdict], names: Names) -> Table:
    """The criteria with their thresholds and zones."""
    rows = tuple(
        (
            Cell(one.label),
            Cell(one.rule.green),
            Cell(one.rule.amber or "–"),
            Cell(words.estimate_text(one.finding, names), one.finding.estimate, one.finding.id)
            if one.finding
            else Cell("–"),
            Cell(words.interval_text(one.finding, names), finding=one.finding.id)
            if one.finding
            else Cell("–"),
            Cell(one.zone.capitalize()),
            Cell(" to ".join(dict.fromkeys((one.reached[0], one.reached[-1]))) if one.reached else "–"),
            Cell(
                ", ".join(f"{each.level} {percentage(each.estimate)}" for each in one.chances) or "–",
                finding=one.chances[0].id if one.chances else None,
            ),
        )
        for one in judged
    )
    columns = (
        Column("Criterion"),
        Column("Green if"),
        Column("Amber if"),
        Column("Found", True),
        Column("95% interval", True),
        Column("Zone"),
        Column("Zones within the interval"),
        Column("Probability of each zone"),
    )
    prior = ("Probabilities of zones start from Jeffreys\u2019 prior, Beta(1/2, 1/2).",)
    notes = prior if any(one.chances for one in judged) else ()
    return Table("progression", "Criteria for going on, fixed in advance", columns, rows, notes)


def _ends(finding: Finding | None) -> list[float]:
    if finding is None or finding.estimate is None:
        return []
    interval = finding.interval
    if interval is None or interval.low is None or interval.high is None:
        return [finding.estimate]
    return [interval.low, finding.estimate, interval.high]


def _zone(rule: Progression, value: float) -> str:
    if _meets(rule.green, value):
        return "green"
    return "amber" if rule.amber is not None and _meets(rule.amber, value) else "red"


def _meets(threshold: str, value: float) -> bool:
    found = _RULE.match(threshold)
    if found is None:
        return False
    limit = float(found[2])
    return {">=": value >= limit, ">": value > limit, "<=": value <= limit, "<": value < limit}[found[1]]
