"""What the ways of fitting a schedule give back."""

from collections.abc import Mapping
from dataclasses import dataclass

from equipoise.estimation.inference import Estimate
from equipoise.findings.results import Tier

__all__ = ["Further", "InPeriods", "alike_in_a_period"]


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


def alike_in_a_period(variances: Mapping[str, float]) -> float:
    """How alike people of one cluster in one period are, from the variances of the model."""
    shared = variances["cluster"] + variances.get("cluster and period", 0.0)
    return shared / sum(variances.values())
