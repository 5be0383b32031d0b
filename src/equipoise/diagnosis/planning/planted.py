"""An effect to find in every outcome: what curves and detectable effects are multiples of."""

from dataclasses import replace

from equipoise.protocol.factors import reference_arm
from equipoise.protocol.models.assumptions import AssumedEffect, AssumedOutcome
from equipoise.protocol.models.outcomes import Outcome
from equipoise.protocol.study import Study

__all__ = ["with_effects"]

SMALL = 0.2
"""In SDs: what stands in for a margin where an outcome has none. Cohen (1988) called it a small effect."""


def with_effects(study: Study) -> Study:
    """The study with an effect assumed in every outcome that allows one.

    An outcome of which none is assumed gets its margin, or else 0.2 SD, towards its good direction, in every
    arm but the one to compare with. Assumed effects stay as they are.
    """
    protocol = study.protocol
    arms = [arm for arm in protocol.arms if arm != reference_arm(tuple(protocol.arms))]
    assume = protocol.diagnosis.assume
    outcomes = {
        name: _with_effect(assumed, protocol.outcomes[name], arms) if name in protocol.outcomes else assumed
        for name, assumed in assume.outcomes.items()
    }
    diagnosis = protocol.diagnosis.model_copy(
        update={"assume": assume.model_copy(update={"outcomes": outcomes})}
    )
    return replace(study, protocol=protocol.model_copy(update={"diagnosis": diagnosis}))


def _with_effect(assumed: AssumedOutcome, outcome: Outcome, arms: list[str]) -> AssumedOutcome:
    there = any(effect.constant or any(effect.by_week) for effect in assumed.effects)
    size = outcome.margin or SMALL * (assumed.sd or (assumed.mean * (1 - assumed.mean)) ** 0.5)
    if there or outcome.task is not None or not size:
        return assumed
    signed = -size if outcome.good == "low" else size
    effects = tuple(AssumedEffect(arm=arm, constant=signed) for arm in arms)
    return assumed.model_copy(update={"effects": effects})
