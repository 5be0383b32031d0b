"""Closed forms beside the simulation: an independent figure for the same design, where there is one.

A formula knows less than the simulation. It takes the people who are expected to be analysed, an SD that is
the same in both arms, and a test that stands alone. Where both can be right they differ by Monte-Carlo error;
a larger difference says what the formula leaves out, or that something is wrong.
"""

from dataclasses import dataclass

from equipoise.diagnosis.performance import ClaimPerformance, Performance, Rated
from equipoise.diagnosis.planning.closed import ClosedForm, closed_form
from equipoise.protocol.study import Study

__all__ = ["Beside", "formulas_beside"]


@dataclass(frozen=True)
class Beside:
    """A formula and the simulation of the same claim.

    `error_distance` is by how many Monte-Carlo errors the SD of the simulated estimates lies above the
    formula's standard error, `power_distance` the same of power. None where the test does not stand alone, or
    the simulation says nothing of its error.
    """

    closed: ClosedForm
    simulated_error: Rated
    simulated_power: Rated
    error_distance: float | None
    power_distance: float | None


def formulas_beside(study: Study, performance: Performance, people: int | None = None) -> tuple[Beside, ...]:
    """The closed forms of the claims that have one.

    Args:
        study: under the assumptions that were simulated.
        performance: what the simulation gave.
        people: how many took part; None for those expected.
    """
    alone = sum(shown.claim.tier == "primary" for shown in performance.claims) <= 1
    found = ((shown, closed_form(study, shown.claim, people)) for shown in performance.claims)
    return tuple(_beside(shown, closed, alone=alone) for shown, closed in found if closed is not None)


def _beside(shown: ClaimPerformance, closed: ClosedForm, *, alone: bool) -> Beside:
    alone = (alone and shown.claim.tier == "primary") or not shown.claim.tested
    return Beside(
        closed,
        shown.sd_estimate,
        shown.power,
        _distance(shown.sd_estimate, closed.std_error),
        _distance(shown.power, closed.power) if alone else None,
    )


def _distance(simulated: Rated, formula: float) -> float | None:
    if simulated.value is None or not simulated.mc_error:
        return None
    return (simulated.value - formula) / simulated.mc_error
