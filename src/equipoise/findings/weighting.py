"""How strata weigh in an effect: who is alone in one, and whether weighting as randomised changes the story.

Regression on stratum effects weighs a stratum by n p (1 - p) of those who answered. Where response differs
between strata and arms, equal ratios have become unequal ones, and those are not the weights of the draw.
"""

from collections.abc import Iterator

import numpy as np

from equipoise.errors import DesignError
from equipoise.estimation.effects.adjusted import linear_effect
from equipoise.estimation.effects.neyman import difference_in_means
from equipoise.findings.covariates import Labels
from equipoise.findings.estimates import with_estimate
from equipoise.findings.results import Finding
from equipoise.findings.sample import Bools, Sample
from equipoise.instruments.scoring import Floats

__all__ = ["alone_in_stratum", "randomised_sizes", "weighted_as_randomised"]

APART = 0.1
"""Both weightings are printed when they differ by more than this share of a standard error."""


def alone_in_stratum(strata: Labels, answered: Bools) -> tuple[str, ...]:
    """A note that counts and names the strata in which one person answered: they carry no information."""
    labels, counts = np.unique(strata[answered].astype(str), return_counts=True)
    alone = [str(label) for label in labels[counts == 1]]
    if not alone:
        return ()
    people = "1 person is" if len(alone) == 1 else f"{len(alone)} people are"
    return (f"{people} alone in their stratum ({', '.join(alone[:5])}) and carry no information",)


def randomised_sizes(strata: Labels) -> dict[str, float]:
    """People randomised in each stratum."""
    labels, counts = np.unique(strata, return_counts=True)
    return {str(label): float(count) for label, count in zip(labels, counts, strict=True)}


def weighted_as_randomised(
    effect: Finding, sample: Sample, values: Floats, answered: Bools, strata: Labels, level: float
) -> Iterator[Finding]:
    """The effect with strata weighted by the people randomised, where that differs from regression.

    Both are compared without covariates, so that only the weights differ.
    """
    y, arm, weights = values[answered], sample.code[answered], sample.cells.weights
    names = sample.cells.names
    try:
        plain = linear_effect(y, arm, weights, strata=strata[answered], level=level, arm_names=names)
        sizes = randomised_sizes(strata[sample.inside])
        other = difference_in_means(
            y, arm, weights, strata=strata[answered], randomised=sizes, level=level, arm_names=names
        )
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
        model="differences within strata, weighted by the people randomised; Neyman's variance. Printed "
        f"because the regression's weights, without covariates, give {plain.estimate:.4g}",
        warnings=(),
    )
