"""What a step of the testing order may name, and which results answer to it.

A claim names an outcome (`wellbeing`), an outcome at a wave (`wellbeing.after`), or an outcome by one
analysis (`effect.wellbeing`). Analyses that check another (`sensitivity-of`), have another estimand
(`supplementary-to`) or tell levels apart (`by`) never answer to claims; one of some participants (`among`)
answers only to a claim that names it. Where several analyses, waves or contrasts answer to a claim, all of
them count, and share the step's error rate.
"""

from equipoise.protocol.models.analyses import Analysis

__all__ = ["answers_to", "is_main", "may_be_claimed"]


def is_main(analysis: Analysis) -> bool:
    """Whether an analysis answers to claims that name an outcome alone: it is of everybody randomised."""
    return may_be_claimed(analysis) and analysis.among is None


def may_be_claimed(analysis: Analysis) -> bool:
    """Whether a claim may name an analysis."""
    checks_another = analysis.sensitivity_of is not None or analysis.supplementary_to is not None
    another_estimand = analysis.kind == "per-protocol" or analysis.target == "complier"
    return not checks_another and not another_estimand and analysis.by is None


def answers_to(claim: str, name: str, analysis: Analysis, outcome: str, at: str | None) -> bool:
    """Whether the result of an analysis for an outcome at a wave is what a claim names."""
    if claim == f"{name}.{outcome}":
        return may_be_claimed(analysis)
    return claim in (outcome, f"{outcome}.{at}") and is_main(analysis)
