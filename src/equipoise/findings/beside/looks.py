"""What interim looks change of an estimate, and at a look how likely the trial is to end with a claim."""

from collections.abc import Iterator

import numpy as np
from scipy import stats

from equipoise.estimation.inference import Estimate
from equipoise.estimation.looks.conditional import conditional_power
from equipoise.estimation.looks.stopped import estimate_after_looks
from equipoise.findings.deciding.assumed import assumed_effect
from equipoise.findings.deciding.looking import Looking, looking_of
from equipoise.findings.fitting import Fitted
from equipoise.findings.results import Finding, Interval
from equipoise.findings.sampling.measured import Measured

__all__ = ["allowing_for_looks"]


def allowing_for_looks(effect: Finding, measured: Measured, fitted: Fitted) -> Iterator[Finding]:
    """The estimate that counts every course of the trial in, and at a look the conditional power.

    Only for what the locked plan claims, and where the protocol declares looks of which one was made.
    """
    looking = looking_of(measured.study, measured.data)
    if looking is None or effect.tier not in ("primary", "secondary") or not effect.std_error:
        return
    if len(looking.answers) == 1 and not looking.interim:
        return
    alpha = _alpha(measured)
    z = _normal(fitted.estimate)
    yield _stopped(effect, looking, z, alpha)
    if looking.interim and effect.tier == "primary":
        yield from _conditional(effect, measured, looking, z, alpha)


def _normal(estimate: Estimate) -> float:
    """The normal statistic with the same two-sided p-value and sign, as far out as such can be told apart."""
    reached = min(float(stats.norm.isf(estimate.p_value / 2)), 37.0)
    return float(np.sign(estimate.estimate)) * reached


def _alpha(measured: Measured) -> float:
    steps = measured.study.protocol.testing
    return steps[0].alpha if steps else 0.05


def _stopped(effect: Finding, looking: Looking, z: float, alpha: float) -> Finding:
    level = _level(effect)
    found = estimate_after_looks(
        z, effect.std_error or 0.0, looking.answers, looking.bounds(alpha)[:-1], level
    )
    interval = Interval(level=level, low=found.interval.low, high=found.interval.high)
    return effect.model_copy(
        update={
            "id": f"{effect.id}.allowing-for-looks",
            "tier": "sensitivity" if effect.planned else "exploratory",
            "estimate": found.estimate,
            "p_value": found.p_value,
            "interval": interval,
            "standardised": None,
            "statistic": z,
            "margin": None,
            "model": "median-unbiased estimate and interval by the stage-wise ordering of the declared looks",
            "warnings": (),
        }
    )


def _level(effect: Finding) -> float:
    """The level of its interval."""
    return effect.interval.level if effect.interval is not None and effect.interval.level else 0.95


def _conditional(
    effect: Finding, measured: Measured, looking: Looking, z: float, alpha: float
) -> Iterator[Finding]:
    answers, bounds = looking.later(alpha)
    base = {
        "kind": "rate",
        "std_error": None,
        "dof": None,
        "statistic": None,
        "p_value": None,
        "interval": None,
        "standardised": None,
        "margin": None,
        "units": "share",
        "warnings": (),
    }
    supposed: dict[str, tuple[float | None, str]] = {"trend": (None, "the trend so far")}
    assumed = assumed_effect(measured.study, measured.outcome, effect.contrast)
    if assumed is not None and effect.std_error:
        drift = assumed / effect.std_error * float(np.sqrt(answers[-1] / answers[0]))
        supposed["assumed"] = (drift, f"the effect that the design assumes ({assumed:g})")
    for name, (drift_, words) in supposed.items():
        yield effect.model_copy(
            update={
                **base,
                "id": f"{effect.id}.conditional-power.{name}",
                "estimate": conditional_power(z, answers, bounds, drift_),
                "model": f"conditional power under {words}, if the answers left come as declared",
            }
        )
