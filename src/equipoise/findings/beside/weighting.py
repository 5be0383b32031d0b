"""Whether weighting the strata as randomised changes the story.

Regression on stratum effects weighs a stratum by n p (1 - p) of those who answered. Where response differs
between strata and arms, equal ratios have become unequal ones, and those are not the weights of the draw.
"""

from collections.abc import Iterator

from equipoise.errors import DesignError
from equipoise.estimation.effects.adjusted import linear_effect
from equipoise.findings.estimates import with_estimate
from equipoise.findings.fitting import Fitted
from equipoise.findings.fitting.means import fit_means
from equipoise.findings.results import Finding
from equipoise.findings.sampling.measured import Measured

__all__ = ["weighted_as_randomised"]

APART = 0.1
"""Both weightings are printed when they differ by more than this share of a standard error."""


def weighted_as_randomised(effect: Finding, measured: Measured, fitted: Fitted) -> Iterator[Finding]:
    """The effect with strata weighted by the people randomised, where that differs from regression.

    Both are compared without covariates, so that only the weights differ.
    """
    main = effect.tier in ("primary", "secondary")
    apart = measured.cluster is None  # clusters have their other average beside them
    if measured.all_strata is None or measured.analysis.model != "linear" or not main or not apart:
        return
    level, names = measured.analysis.interval, measured.arm_names
    try:
        plain = linear_effect(
            measured.y,
            measured.arm,
            measured.weights,
            strata=measured.strata,
            level=level,
            arm_names=names,
        )
        other = fit_means(measured).estimate
    except DesignError:
        return
    if abs(other.estimate - plain.estimate) <= APART * plain.std_error:
        return
    yield with_estimate(
        effect.model_copy(
            update={
                "id": f"{effect.id}.weighted-as-randomised",
                "tier": "sensitivity" if effect.planned else "exploratory",
                "margin": None,
            }
        ),
        other,
        standardised=None,
        draws=None,
        mc_error=None,
        model="differences within strata, weighted by the people randomised; Neyman's variance. Printed "
        f"because the regression's weights, without covariates, give {plain.estimate:.4g}",
        warnings=(),
    )
