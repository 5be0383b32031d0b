"""The closed form of a stepped wedge whose effect is constant, and whose people are others in each period."""

from dataclasses import dataclass

import numpy as np

from equipoise.diagnosis.claims import Claim
from equipoise.diagnosis.formulas import error_in_wedge
from equipoise.protocol.checks.expected import units_expected
from equipoise.protocol.models.assumptions import AssumedOutcome
from equipoise.protocol.study import Study

__all__ = ["WedgeForm", "wedge_form"]


@dataclass(frozen=True)
class WedgeForm:
    """What Hussey & Hughes' formula says; `joined` is the share of the people measured under the new arm."""

    difference: float
    std_error: float
    dof: float
    joined: float


def wedge_form(study: Study, claim: Claim, assumed: AssumedOutcome, people: int) -> WedgeForm | None:
    """The closed form of a claim; None where it does not hold.

    Args:
        study: draws sequences for the units of its main stage.
        claim: the arm joined against the arm left.
        assumed: of an outcome that has no waves, so that each person is measured in one period.
        people: in all; as many in each cluster and period.
    """
    protocol, schedule = study.protocol, study.protocol.schedule
    stage = protocol.allocation[protocol.main_stage]
    unit, clusters = protocol.units.get(stage.unit), units_expected(protocol, stage, people)
    if schedule is None or schedule.switch is None or schedule.effect != "constant" or unit is None:
        return None
    left, joined = schedule.switch
    icc = assumed.icc if assumed.icc is not None else unit.icc
    alone = not protocol.outcomes[claim.outcome].waves and claim.contrast == f"{joined} - {left}"
    if not alone or icc is None or assumed.sd is None or clusters is None or len(stage.ratio) != 1:
        return None
    shares = stage.ratio[0].shares
    count = {name: round(clusters * share / sum(shares.values())) for name, share in shares.items()}
    steps = [
        [step == joined for step in steps]
        for name, steps in schedule.sequences.items()
        for _ in range(count.get(name, 0))
    ]
    switched = np.array(steps, dtype=np.float64)
    rows, periods = switched.shape
    if rows < 2 or people < rows * periods:
        return None
    error = error_in_wedge(switched, people / (rows * periods), assumed.sd, icc)
    constant = sum(effect.constant for effect in assumed.effects if effect.arm == joined)
    uptake = study.protocol.diagnosis.assume.uptake
    dof = float(rows * periods - rows - periods)
    return WedgeForm(constant * uptake, error, dof, float(switched.mean()))
