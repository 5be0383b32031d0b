"""The difference in means; within strata, weighted by the people randomised in each."""

import numpy as np

from equipoise.estimation.effects.neyman import difference_in_means
from equipoise.estimation.effects.pairs import hybrid_difference
from equipoise.findings.covariates import Labels
from equipoise.findings.fitting.fitted import Fitted
from equipoise.findings.measured import Measured

__all__ = ["fit_means"]


def fit_means(measured: Measured) -> Fitted:
    """Neyman's difference in means; the hybrid variance where strata have one person in an arm.

    Raises:
        DesignError: an arm or a stratum has too few people.
    """
    strata = measured.all_strata
    if strata is None:
        return Fitted(
            difference_in_means(
                measured.y,
                measured.arm,
                measured.weights,
                level=measured.analysis.interval,
                arm_names=measured.arm_names,
            )
        )
    within, sizes = strata[measured.answered], randomised_sizes(strata[measured.sample.inside])
    small = _small(within, measured)
    estimator = hybrid_difference if small else difference_in_means
    found = estimator(
        measured.y,
        measured.arm,
        measured.weights,
        strata=within,
        randomised=sizes,
        level=measured.analysis.interval,
        arm_names=measured.arm_names,
    )
    return Fitted(found, (_told(small, len(sizes)),) if small else ())


def randomised_sizes(strata: Labels) -> dict[str, float]:
    """People randomised in each stratum."""
    labels, counts = np.unique(strata, return_counts=True)
    return {str(label): float(count) for label, count in zip(labels, counts, strict=True)}


def _small(strata: Labels, measured: Measured) -> int:
    """How many strata have just one person in an arm that is compared."""
    labels, code = np.unique(strata, return_inverse=True)
    compared = np.flatnonzero(measured.weights)
    counts = np.zeros((len(labels), len(measured.weights)), dtype=np.int64)
    np.add.at(counts, (code, measured.arm), 1)
    return int((counts[:, compared] == 1).any(axis=1).sum())


def _told(small: int, strata: int) -> str:
    return (
        f"{small} of {strata} strata have one person in an arm: their error is taken from how such strata "
        "differ (Pashley and Miratrix 2021)"
    )
