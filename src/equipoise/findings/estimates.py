"""Estimates as findings hold them."""

import math
from typing import Any

from equipoise.estimation import inference
from equipoise.estimation.meaning.standardised import StandardisedEffect
from equipoise.findings.results import Finding, Interval, Standardised

__all__ = ["interval_of", "standardised_of", "with_estimate"]


def with_estimate(finding: Finding, estimate: inference.Estimate, **fields: Any) -> Finding:
    """The finding with an estimate's numbers, and further fields."""
    numbers = {
        "estimate": estimate.estimate,
        "std_error": estimate.std_error,
        "dof": _finite(estimate.dof),
        "statistic": estimate.statistic,
        "p_value": estimate.p_value,
        "interval": interval_of(estimate.interval),
    }
    return finding.model_copy(update=numbers | fields)


def standardised_of(found: StandardisedEffect, source: str) -> Standardised:
    """A standardised effect, with which SD it is in."""
    effect = found.effect
    return Standardised(
        estimate=effect.estimate,
        std_error=effect.std_error,
        dof=_finite(effect.dof),
        interval=interval_of(effect.interval),
        sd=found.sd.value,
        sd_source=source,
    )


def interval_of(interval: inference.Interval) -> Interval:
    """An interval as a finding holds it."""
    return Interval(level=interval.level, low=interval.low, high=interval.high)


def _finite(dof: float) -> float | None:
    """None stands for the normal distribution."""
    return dof if math.isfinite(dof) else None
