"""What the ways of fitting a schedule give back."""

from dataclasses import dataclass

from equipoise.estimation.inference import Estimate
from equipoise.findings.results import Tier

__all__ = ["Further", "InPeriods"]


@dataclass(frozen=True)
class Further:
    """An estimate beside the effect: `name` ends its id, `found` is the reason where there is none."""

    name: str
    tier: Tier
    model: str
    found: Estimate | str
    level: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class InPeriods:
    """The effect over the periods: `model` and `averaged` in words, `variances` by name, `alike` within a
    cluster and period where clusters were drawn."""

    effect: Estimate
    model: str
    averaged: str
    variances: dict[str, float]
    notes: tuple[str, ...] = ()
    further: tuple[Further, ...] = ()
    alike: float | None = None
