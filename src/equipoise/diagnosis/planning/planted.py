"""An effect to find in every outcome: what curves and detectable effects are multiples of."""

from dataclasses import replace
from math import inf

from equipoise.diagnosis.scenario import Scenario
from equipoise.protocol.checks.on_scale import sizes_of, span_of
from equipoise.protocol.factors import reference_arm
from equipoise.protocol.models.assumptions import AssumedEffect, AssumedOutcome
from equipoise.protocol.models.outcomes import Outcome
from equipoise.protocol.study import Study

__all__ = ["most_multiple", "multiplied", "with_effects"]

SMALL = 0.2
"""In SDs: what stands in for a margin where an outcome has none. Cohen (1988) called it a small effect."""
_ROOM = 0.95
"""Of what the scale leaves: nearer to its end hardly anybody could still be moved."""


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


def multiplied(study: Study, multiple: float) -> Study:
    """The study with every assumed effect so many times as large, each as far as its scale has room.

    An outcome whose scale ends before has the largest effect that there is room for.
    """
    protocol = study.protocol
    assume = protocol.diagnosis.assume
    outcomes = {
        name: Scenario(effect=min(multiple, most_multiple(study, name)))
        .applied(study)
        .protocol.diagnosis.assume.outcomes[name]
        for name in assume.outcomes
    }
    diagnosis = protocol.diagnosis.model_copy(
        update={"assume": assume.model_copy(update={"outcomes": outcomes})}
    )
    return replace(study, protocol=protocol.model_copy(update={"diagnosis": diagnosis}))


def most_multiple(study: Study, outcome: str) -> float:
    """By how much the effects on an outcome can be multiplied on its scale; infinite on an open one."""
    assumed, spec = (
        study.protocol.diagnosis.assume.outcomes.get(outcome),
        study.protocol.outcomes.get(outcome),
    )
    span = None if spec is None or spec.task is not None else span_of(study, spec)
    if assumed is None or span is None:
        return inf
    room = {True: span[1] - assumed.mean, False: assumed.mean - span[0]}
    arms = {effect.arm for effect in assumed.effects}
    sizes = [size for arm in arms for size in sizes_of([each for each in assumed.effects if each.arm == arm])]
    return min((_ROOM * room[size > 0] / abs(size) for size in sizes if size), default=inf)


def _with_effect(assumed: AssumedOutcome, outcome: Outcome, arms: list[str]) -> AssumedOutcome:
    there = any(effect.constant or any(effect.by_week) for effect in assumed.effects)
    size = outcome.margin or SMALL * (assumed.sd or (assumed.mean * (1 - assumed.mean)) ** 0.5)
    if there or outcome.task is not None or not size:
        return assumed
    signed = -size if outcome.good == "low" else size
    effects = tuple(AssumedEffect(arm=arm, constant=signed) for arm in arms)
    return assumed.model_copy(update={"effects": effects})
