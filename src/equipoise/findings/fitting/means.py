"""The difference in means; within strata, weighted by the people randomised in each."""

import numpy as np

from equipoise.estimation.effects.neyman import difference_in_means
from equipoise.findings.covariates import Labels
from equipoise.findings.fitting.fitted import Fitted
from equipoise.findings.measured import Measured

__all__ = ["fit_means"]


def fit_means(measured: Measured) -> Fitted:
    """Neyman's difference in means.

    Raises:
        DesignError: an arm or a stratum has too few people.
    """
    strata = measured.all_strata
    sizes = None if strata is None else randomised_sizes(strata[measured.sample.inside])
    return Fitted(
        difference_in_means(
            measured.y,
            measured.arm,
            measured.weights,
            strata=measured.strata,
            randomised=sizes,
            level=measured.analysis.interval,
            arm_names=measured.arm_names,
        )
    )


def randomised_sizes(strata: Labels) -> dict[str, float]:
    """People randomised in each stratum."""
    labels, counts = np.unique(strata, return_counts=True)
    return {str(label): float(count) for label, count in zip(labels, counts, strict=True)}
