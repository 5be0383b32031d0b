"""Which findings belong where in a report: the main effects, what checks them, what is set apart."""

from collections.abc import Iterable
from dataclasses import dataclass

from equipoise.findings.results import Finding, Findings
from equipoise.protocol.study import Study
from equipoise.report.series import is_in_series, level_series

__all__ = ["Results", "is_by_week", "level_of"]

_OTHER = {
    "flow",
    "response",
    "attrition",
    "events",
    "baseline",
    "balance",
    "description",
    "reliability",
    "harms",
    "progression",
    "usage",
}
_SET_APART = ("sensitivity", "supplementary")
_BESIDE = (
    ".linear",
    ".imputation",
    ".response-weights",
    ".average-over-clusters",
    ".average-over-people",
    ".constant",
    ".by-exposure",
    ".carry-over",
    ".closed-form",
    ".other-texts",
    ".shrunk",
)
"""How ids end of what stands beside an effect, planned or not."""


@dataclass(frozen=True)
class Results:
    """The findings of one study, sorted by their place in the report."""

    findings: Findings | None
    beside: frozenset[str] = frozenset()

    @classmethod
    def of_study(cls, study: Study, findings: Findings | None) -> "Results":
        """The findings of a study; what stands beside the main analyses is read from its protocol."""
        checks = {
            name
            for name, analysis in study.protocol.analyses.items()
            if analysis.sensitivity_of
            or analysis.supplementary_to
            or analysis.target == "complier"
            or analysis.kind == "per-protocol"
        }
        return cls(findings, frozenset(checks | set(study.explore)))

    def _effects(self) -> Iterable[Finding]:
        for one in self.findings or ():
            if one.kind == "effect" and one.analysis not in _OTHER:
                yield one

    @property
    def main(self) -> list[Finding]:
        """Effects of the analyses that neither check nor supplement another; of an unlocked study too."""
        whole = [
            one
            for one in self._effects()
            if one.level is None
            and one.by is None
            and not one.id.endswith(_BESIDE)
            and one.analysis not in self.beside
        ]
        kept = [one for one in whole if one.tier in ("primary", "secondary") and one.planned]
        return kept or [one for one in whole if one.tier not in _SET_APART]

    @property
    def primary(self) -> list[Finding]:
        """The primary results; for a study without a locked protocol those whose role is primary."""
        tiered = [one for one in self.main if one.tier == "primary"]
        return tiered or [one for one in self.main if one.role == "primary"] or self.main[:1]

    @property
    def checking(self) -> list[Finding]:
        """Sensitivity and supplementary effects, in this order, and tests of several contrasts together."""
        apart = [one for one in self._effects() if one.level is None]
        apart += [one for one in self.kind("test") if one.id.endswith(".joint") and one.level is None]
        return sorted(
            (one for one in apart if one.tier in _SET_APART), key=lambda one: _SET_APART.index(one.tier)
        )

    @property
    def bounds(self) -> list[Finding]:
        """Bounds and tipping points."""
        return [one for one in self.findings or () if one.kind == "bound"]

    @property
    def exploratory(self) -> list[Finding]:
        """Everything exploratory or not planned beside the main results; what forms a series, such as
        effects by week, is in its figure."""
        main = {one.id for one in self.main}
        return [
            one
            for one in self.findings or ()
            if one.kind in ("effect", "test")
            and one.analysis not in _OTHER
            and one.id not in main
            and not is_by_week(one)
            and not is_in_series(one)
            and ".monotone=" not in one.id
            and (one.tier == "exploratory" or not one.planned)
        ]

    @property
    def by_week(self) -> dict[str, list[Finding]]:
        """Effects by week since launch, by the id that they share."""
        series: dict[str, list[Finding]] = {}
        for one in self.findings or ():
            if is_by_week(one):
                series.setdefault(one.id.partition(".week=")[0], []).append(one)
        return series

    @property
    def by_level(self) -> dict[str, list[Finding]]:
        """Effects along a number or over waves and means by dose, by the id that they share."""
        return level_series(self.findings or ())

    def of(self, analysis: str) -> list[Finding]:
        """The findings of one analysis."""
        return [one for one in self.findings or () if one.analysis == analysis]

    def kind(self, kind: str) -> list[Finding]:
        """The findings of one kind."""
        return [one for one in self.findings or () if one.kind == kind]


def is_by_week(finding: Finding) -> bool:
    """Whether a finding is the effect among those who answered in one week."""
    return finding.kind == "effect" and ".week=" in finding.id


def level_of(finding: Finding) -> dict[str, str]:
    """The `name=level` parts of an id: `...condition=joint.ethnicity=white_british`."""
    parts = (part.partition("=") for part in finding.id.split("."))
    return {name: level for name, sign, level in parts if sign}
