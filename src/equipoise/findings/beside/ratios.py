"""An outcome of yes or no in other terms: the ratio of the two rates, and of their odds."""

from collections.abc import Callable, Iterator

import numpy as np

from equipoise.errors import DesignError
from equipoise.estimation.meaning.ratios import Ratio, odds_ratio, risk_ratio_of_people
from equipoise.findings.estimates import interval_of
from equipoise.findings.fitting import Fitted
from equipoise.findings.results import Finding
from equipoise.findings.sampling.measured import Measured

__all__ = ["as_ratios"]


def as_ratios(effect: Finding, measured: Measured, fitted: Fitted) -> Iterator[Finding]:
    """The risk ratio and the odds ratio of two arms, after the difference, which comes first.

    They are of the answers as they are, without covariates or strata, so that they can be read off the rates.
    """
    checks_another = effect.tier in ("sensitivity", "supplementary")
    two_arms = sorted(measured.weights[measured.weights != 0]) == [-1.0, 1.0]
    asked = measured.study.protocol.outcomes[measured.outcome].scale == "yes-no"
    if not asked or checks_another or not two_arms or not np.isin(measured.y, (0.0, 1.0)).all():
        return
    for name, (words, compute) in _RATIOS.items():
        base = effect.model_copy(
            update={
                "id": f"{effect.id}.{name}",
                "kind": "ratio",
                "tier": "supplementary" if effect.planned else "exploratory",
                **dict.fromkeys(_OF_THE_DIFFERENCE),
                "warnings": (),
                "model": f"{words}, not adjusted; interval on the log scale",
            }
        )
        try:
            found = compute(
                measured.y,
                measured.arm,
                measured.weights,
                cluster=measured.cluster,
                level=measured.analysis.interval,
            )
        except DesignError as error:
            yield base.model_copy(update={"not_estimable": str(error)})
            continue
        yield base.model_copy(
            update={
                "estimate": found.estimate,
                "interval": interval_of(found.interval),
                "dof": found.log.dof if np.isfinite(found.log.dof) else None,
                "statistic": found.log.statistic,
                "p_value": found.log.p_value,
            }
        )


_OF_THE_DIFFERENCE = (
    "estimate",
    "std_error",
    "dof",
    "statistic",
    "p_value",
    "interval",
    "standardised",
    "margin",
    "estimand",
    "units",
    "draws",
    "mc_error",
)
_RATIOS: dict[str, tuple[str, Callable[..., Ratio]]] = {
    "risk-ratio": ("ratio of the two rates", risk_ratio_of_people),
    "odds-ratio": ("ratio of the odds of the two arms", odds_ratio),
}
