"""Ordered answers: the effect on the mean score, with the odds ratio of a higher answer."""

from typing import cast

import numpy as np

from equipoise.estimation.effects.ordinal import ProportionalOdds, proportional_odds
from equipoise.estimation.likelihood.sandwich import Robust
from equipoise.findings.fitting.fitted import Fitted
from equipoise.findings.sampling.measured import Measured

__all__ = ["fit_ordinal", "fitted_odds"]


def fit_ordinal(measured: Measured) -> Fitted:
    """The average marginal effect on the mean score by proportional odds; a note gives the odds ratio.

    Raises:
        DesignError: too many or too few different answers, or answers that are predicted perfectly.
    """
    found, level = fitted_odds(measured), measured.analysis.interval
    log = found.log_odds(measured.weights, level)
    ratio, low, high = np.exp([log.estimate, log.interval.low, log.interval.high])
    note = (
        f"odds of a higher answer: {ratio:.2f} times ({level:.0%} interval {low:.2f} to {high:.2f}), "
        "taken as the same at every step of the answers"
    )
    return Fitted(found.means.contrast(measured.weights, level), (note,))


def fitted_odds(measured: Measured) -> ProportionalOdds:
    """The proportional-odds model of those analysed.

    Raises:
        DesignError: as in `fit_ordinal`.
    """
    return proportional_odds(
        measured.y,
        measured.arm,
        covariates=measured.columns,
        strata=measured.strata,
        cluster=measured.cluster,
        variance=cast(Robust, measured.analysis.variance),
        arm_names=measured.arm_names,
        covariate_names=measured.covariates.column_names,
    )
