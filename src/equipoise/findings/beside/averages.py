"""Whether it matters that people count once, or clusters: the other average stands beside each main one."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from equipoise.errors import DesignError
from equipoise.findings.estimates import with_estimate
from equipoise.findings.fitting import Fitted, fit
from equipoise.findings.results import Finding
from equipoise.findings.sampling.measured import Measured
from equipoise.findings.wording.estimands import estimand, model_words
from equipoise.protocol.claims import is_main

__all__ = ["averaged_otherwise"]

_OF_MEANS = ("difference-in-means", "linear", "lin-interacted")


def averaged_otherwise(effect: Finding, measured: Measured, fitted: Fitted) -> Iterator[Finding]:
    """The effect averaged over clusters where it was over people, and the other way round.

    They differ where effects go with the size of clusters. Kahan et al. (2023), Int. J. Epidemiology 52:107.
    """
    analysis, protocol = measured.analysis, measured.study.protocol
    allocated = protocol.allocation[measured.sample.stage].unit == analysis.cluster
    of_means = analysis.model in _OF_MEANS and analysis.variance != "two-way"
    if not (allocated and of_means and is_main(analysis) and analysis.target == "all"):
        return
    other: Literal["people", "clusters"] = "clusters" if analysis.average_over == "people" else "people"
    turned = analysis.model_copy(update={"average_over": other})
    shared = effect.model_copy(
        update={
            "id": f"{effect.id}.average-over-{other}",
            "tier": "sensitivity" if effect.planned else "exploratory",
            "estimand": estimand(measured.study, turned, measured.outcome, effect.at, str(effect.contrast)),
            "model": model_words(turned, measured.outcome, measured.adjusted_for),
            "margin": None,
            "standardised": None,
            "draws": None,
            "mc_error": None,
            "warnings": (),
        }
    )
    try:
        found = fit(replace(measured, analysis=turned))
    except DesignError as error:
        numbers = dict.fromkeys(("estimate", "std_error", "dof", "statistic", "p_value", "interval"))
        yield shared.model_copy(update={**numbers, "not_estimable": str(error)})
        return
    yield with_estimate(shared, found.estimate, **{"warnings": found.notes, **found.fields})
