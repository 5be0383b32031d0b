"""The effects that the locked analyses will estimate, known before there are data."""

from dataclasses import dataclass

from equipoise.findings.deciding.claims import CLAIMED_TIERS, claimed, effect_id, tier_of
from equipoise.findings.results import Tier
from equipoise.findings.sampling.points import points_at
from equipoise.findings.scheduled import compares_periods
from equipoise.protocol.study import Study

__all__ = ["Claim", "claims_of"]


@dataclass(frozen=True)
class Claim:
    """An effect that an analysis of the protocol estimates.

    `id` is that of the finding; `at` is empty where an outcome has one time only. The tier is the one that
    the effect has once the protocol is locked.
    """

    id: str
    analysis: str
    outcome: str
    at: str
    contrast: str
    tier: Tier
    margin: float | None = None

    @property
    def tested(self) -> bool:
        """Whether a step of the testing order decides on it."""
        return self.tier in CLAIMED_TIERS


def claims_of(study: Study) -> tuple[Claim, ...]:
    """Every effect in the order of the protocol; analyses that tell levels apart (`by`) are left out.

    What `explore.yaml` adds is not planned, and is left out too.
    """
    found = []
    for name, analysis in study.protocol.analyses.items():
        if analysis.by is not None:
            continue
        for outcome in analysis.outcomes or ():
            for contrast in analysis.contrast:
                for at in _times(study, name, outcome, contrast):
                    found.append(_claim(study, name, outcome, at, contrast))
    return tuple(found)


def _times(study: Study, name: str, outcome: str, contrast: str) -> tuple[str, ...]:
    if study.protocol.outcomes[outcome].task is not None or compares_periods(study, contrast):
        return ("",)
    return points_at(study, study.protocol.analyses[name], outcome)


def _claim(study: Study, name: str, outcome: str, at: str, contrast: str) -> Claim:
    analysis, spec = study.protocol.analyses[name], study.protocol.outcomes[outcome]
    named = claimed(study, name, outcome, at or None)
    tier = tier_of(analysis, spec.role, planned=True, claimed=named)
    return Claim(effect_id(name, outcome, at, contrast), name, outcome, at, contrast, tier, spec.margin)
