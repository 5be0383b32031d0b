"""Ordered answers in other terms: the odds ratio of a higher answer."""

from collections.abc import Iterator

import numpy as np

from equipoise.findings.fitting import Fitted
from equipoise.findings.fitting.ordinal import fitted_odds
from equipoise.findings.results import Finding, Interval
from equipoise.findings.sampling.measured import Measured

__all__ = ["odds_of_a_higher_answer"]

_WORDS = "odds of a higher answer, proportional odds; interval on the log scale, adjusted as the effect is"
_OF_THE_DIFFERENCE = ("std_error", "standardised", "margin", "estimand", "units", "draws", "mc_error")


def odds_of_a_higher_answer(effect: Finding, measured: Measured, fitted: Fitted) -> Iterator[Finding]:
    """The odds ratio of a contrast of arms, after the difference in the mean score, which comes first."""
    if measured.analysis.model != "ordinal" or measured.analysis.kind != "as-randomised":
        return
    log = fitted_odds(measured).log_odds(measured.weights, measured.analysis.interval)
    low, high = np.exp([log.interval.low, log.interval.high]).tolist()
    yield effect.model_copy(
        update={
            "id": f"{effect.id}.odds-of-higher",
            "kind": "ratio",
            "tier": "supplementary" if effect.planned else "exploratory",
            "estimate": float(np.exp(log.estimate)),
            "dof": None,
            "statistic": log.statistic,
            "p_value": log.p_value,
            "interval": Interval(level=log.interval.level, low=low, high=high),
            "model": _WORDS,
            "warnings": (),
            **dict.fromkeys(_OF_THE_DIFFERENCE),
        }
    )
