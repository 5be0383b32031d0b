"""The interval that an effect among compliers needs where allocation moved take-up only a little."""

from collections.abc import Iterator

import numpy as np

from equipoise.estimation.effects.weak_instruments import ConfidenceSet
from equipoise.findings.fitting import Fitted
from equipoise.findings.results import Finding, Interval
from equipoise.findings.sampling.measured import Measured

__all__ = ["anderson_rubin_interval"]

_WORDS = "two-stage least squares; Anderson-Rubin interval, which holds however little take-up differs"


def anderson_rubin_interval(effect: Finding, measured: Measured, fitted: Fitted) -> Iterator[Finding]:
    """The Anderson-Rubin interval of an effect among compliers; it may be open, and then says so."""
    found = fitted.compliers
    if found is None:
        return
    yield effect.model_copy(
        update={
            "id": f"{effect.id}.anderson-rubin",
            "std_error": None,
            "dof": None,
            "statistic": None,
            "p_value": found.as_randomised.p_value,
            "interval": _interval(found.anderson_rubin),
            "standardised": None,
            "margin": None,
            "draws": None,
            "mc_error": None,
            "model": _WORDS,
            "warnings": _said(found.anderson_rubin),
        }
    )


def _interval(kept: ConfidenceSet) -> Interval:
    low, high = kept.parts[0][0], kept.parts[-1][1]
    return Interval(
        level=kept.level,
        low=low if np.isfinite(low) else None,
        high=high if np.isfinite(high) else None,
    )


def _said(kept: ConfidenceSet) -> tuple[str, ...]:
    if kept.bounded:
        return ()
    why = "the Anderson-Rubin interval has no ends, because take-up hardly differed between the arms"
    if len(kept.parts) == 2:
        (_, low), (high, _) = kept.parts
        return (f"{why}: it rules out only values between {low:.3g} and {high:.3g}",)
    return (f"{why}: it rules out no value",)
