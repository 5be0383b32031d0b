"""The names that readers see: labels of outcomes, arms, waves and contrasts, in place of the protocol's
keys."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from equipoise.findings.results import Finding
from equipoise.protocol.models.analyses import Analysis
from equipoise.protocol.models.protocol import Protocol
from equipoise.protocol.names import in_words
from equipoise.protocol.waves import SLOPE, points_of
from equipoise.report.numbers import Scale

__all__ = ["Names"]

_TWO_ARMS = re.compile(r"^(\w+) - (\w+)$")


@dataclass(frozen=True)
class Names:
    """Labels drawn from the protocol; a name without a label is shown with its underscores as spaces."""

    protocol: Protocol
    explore: Mapping[str, Analysis] = field(default_factory=dict)

    @cached_property
    def arms(self) -> dict[str, str]:
        """Labels of the arms of all stages."""
        stages = self.protocol.allocation.values()
        return {name: arm.label or in_words(name) for stage in stages for name, arm in stage.arms.items()}

    def arm(self, name: str | None) -> str:
        """An arm's label."""
        return "All" if name is None else self.arms.get(name, in_words(name))

    def outcome(self, name: str | None) -> str:
        """An outcome's label, beginning with a capital."""
        if name is None:
            return "Outcome"
        outcome = self.protocol.outcomes.get(name)
        return _capital((outcome.label if outcome is not None else None) or in_words(name))

    def wave(self, name: str | None) -> str:
        """A wave's label; of an average all of its waves."""
        if name == SLOPE:
            return "change per week"
        if name and len(points_of(name)) > 1:
            return f"average of {' and '.join(self.wave(one) for one in points_of(name))}"
        wave = self.protocol.waves.get(name) if name else None
        return (wave.label if wave is not None else None) or in_words(name or "")

    def measured(self, finding: Finding) -> str:
        """An outcome's label, and the point of time where the outcome has several."""
        outcome = self.protocol.outcomes.get(finding.outcome or "")
        when = f" ({self.wave(finding.at)})" if finding.at and outcome and len(outcome.waves) > 1 else ""
        return self.outcome(finding.outcome) + when

    def column(self, name: str) -> str:
        """The label of a roster column, or of an outcome's score at a wave."""
        people = self.protocol.participants
        column = people.roster.get(name) if people is not None else None
        if column is not None:
            return _capital(column.label or in_words(name))
        for outcome in self.protocol.outcomes:
            wave = name.removeprefix(outcome + "_")
            if wave != name and wave in self.protocol.waves:
                return f"{self.outcome(outcome)}, {self.wave(wave)}"
        return _capital(in_words(name))

    def level(self, name: str) -> str:
        """A level of a factor or category."""
        return in_words(name)

    def scale(self, outcome: str | None, *, difference: bool) -> Scale:
        """How values of an outcome, or differences between them, are printed."""
        found = self.protocol.outcomes.get(outcome) if outcome else None
        if found is not None and found.scale == "yes-no":
            return Scale(100, "percentage points" if difference else "%")
        if found is not None and found.unit:
            return Scale(1, found.unit.partition(" (")[0])
        return Scale(1, "points" if found is not None and found.instrument else "")

    def analysis(self, name: str) -> str:
        """An analysis's label, of the protocol or of what was explored beside it."""
        found = self.protocol.analyses.get(name) or self.explore.get(name)
        return (found.label if found is not None else None) or _capital(in_words(name.replace("-", " ")))

    def whose(self, finding: Finding, among: Sequence[Finding]) -> str:
        """The analysis behind a row, in brackets, where a table shows the same outcome of several."""
        same = {one.analysis for one in among if one.outcome == finding.outcome}
        return f" [{self.analysis(finding.analysis)}]" if len(same) > 1 else ""

    def sides(self, contrast: str | None) -> tuple[str, str] | None:
        """Labels of the two arms of a plain difference; None for any other contrast."""
        found = _TWO_ARMS.match(contrast or "")
        if found and found[1] in self.arms and found[2] in self.arms:
            return self.arm(found[1]), self.arm(found[2])
        return None

    def contrast(self, finding: Finding) -> str:
        """A contrast in words: both arms, the analysis's label, or the contrast as the protocol writes it."""
        sides = self.sides(finding.contrast)
        if sides is not None:
            return f"{sides[0]} against {sides[1]}"
        analysis = self.protocol.analyses.get(finding.analysis) or self.explore.get(finding.analysis)
        if analysis is not None and analysis.label and len(analysis.contrast) <= 1:
            label = analysis.label
            return label if label[1:2].isupper() else label[0].lower() + label[1:]
        # Factors are clear from their levels: `shown.blinded - shown.named within ethnicity.x` loses both
        # names.
        bare = re.sub(r"\b[a-z]\w*\.(\w+)", r"\1", finding.contrast or finding.analysis)
        return in_words(bare).replace(" - ", " \u2212 ").replace(" within ", ", for ")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
