"""What a step of the testing order may name, and which results answer to it.

A claim names an outcome (`wellbeing`), an outcome at a wave (`wellbeing.after`), or an outcome by one
analysis (`effect.wellbeing`). Only main analyses answer to claims: those that check another (`sensitivity-
of`), have another estimand (`supplementary-to`), look at some of the participants (`among`) or tell levels
apart (`by`) never do. Where several main analyses, waves or contrasts answer to a claim, all of them count,
and share the step's error rate.
"""

from equipoise.protocol.models.analyses import Analysis

__all__ = ["answers_to", "is_main"]


def is_main(analysis: Analysis) -> bool:
    """Whether results of an analysis may be claimed."""
    checks_another = analysis.sensitivity_of is not None or analysis.supplementary_to is not None
    another_estimand = analysis.kind == "per-protocol" or analysis.target == "complier"
    return not checks_another and not another_estimand and analysis.among is None and analysis.by is None


def answers_to(claim: str, analysis: str, outcome: str, at: str | None) -> bool:
    """Whether a main analysis's result for an outcome at a wave is what a claim names."""
    return claim in (outcome, f"{outcome}.{at}", f"{analysis}.{outcome}")
