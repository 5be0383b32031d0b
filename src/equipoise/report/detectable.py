"""What a trial of this size could have found, beside what was planned: printed with the results."""

from collections.abc import Sequence
from math import sqrt

from equipoise.diagnosis.formulas import detectable_difference
from equipoise.estimation.mixed.icc import design_effect
from equipoise.findings.results import Finding
from equipoise.protocol.models.assumptions import AssumedOutcome
from equipoise.protocol.study import Study
from equipoise.protocol.timeline import waves_before
from equipoise.report.names import Names
from equipoise.report.numbers import number

__all__ = ["sentence"]


def sentence(study: Study, primary: Sequence[Finding], names: Names) -> str | None:
    """The detectable difference if everybody randomised had answered, and with those analysed.

    None where the primary result is not of two arms, where the protocol assumes no SD, or where it
    allocates clusters and does not say how alike their people are (`icc`, `people` under `units`).
    """
    if not primary or primary[0].outcome is None or study.protocol.schedule is not None:
        return None
    finding, protocol = primary[0], study.protocol
    assumed = protocol.diagnosis.assume.outcomes.get(str(finding.outcome))
    if assumed is None or assumed.sd is None or len(finding.n) != 2 or set(finding.n) != set(protocol.arms):
        return None
    if min(*finding.n.values(), *finding.n_randomised.values()) < 1:
        return None
    analysed = sum(finding.n.values()) / sum(finding.n_randomised.values())
    spreads = _spread(study, assumed, 1.0), _spread(study, assumed, analysed)
    if spreads[0] is None or spreads[1] is None:
        return None
    targets, unit = protocol.diagnosis.targets, finding.units or "points"
    clusters = "" if protocol.allocation[protocol.main_stage].unit == "participant" else ", planned ICC"
    return (
        f"A trial of this size would find a difference in {names.outcome(finding.outcome).lower()} of "
        f"{number(_smallest(study, assumed, finding.n_randomised, spreads[0]), 2)} {unit} with "
        f"{targets.power:.0%} power had everybody "
        f"answered, and of {number(_smallest(study, assumed, finding.n, spreads[1]), 2)} with those who did "
        f"(two-sided {targets.alpha:.0%}, planning SD {number(assumed.sd, 1)}{clusters}; the formula is in "
        "Bloom, 1995)."
    )


def _smallest(study: Study, assumed: AssumedOutcome, people: dict[str, int], spread: float) -> float:
    first, second = people.values()
    targets, before = (
        study.protocol.diagnosis.targets,
        waves_before(study.protocol, study.protocol.main_stage),
    )
    share = sum(study.protocol.diagnosis.assume.response.waves.get(wave, 0.0) for wave in before[-1:])
    return detectable_difference(
        (first, second),
        spread,
        correlation=assumed.before_after_correlation,
        share_before=share,
        power=targets.power,
        alpha=targets.alpha,
    )


def _spread(study: Study, assumed: AssumedOutcome, share: float) -> float | None:
    """The planning SD, for clusters times the root of the design effect with this share of their people."""
    unit, sd = study.protocol.allocation[study.protocol.main_stage].unit, assumed.sd or 1.0
    if unit == "participant":
        return sd
    planned = study.protocol.units.get(unit)
    if planned is None or planned.icc is None or planned.people is None:
        return None
    return sd * sqrt(max(1.0, design_effect(planned.icc, planned.people * share)))
