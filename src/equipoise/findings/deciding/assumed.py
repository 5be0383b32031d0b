"""What the design assumes of an outcome, to be held against what was found."""

from equipoise.protocol.study import Study

__all__ = ["assumed_effect"]


def assumed_effect(study: Study, outcome: str, contrast: str | None) -> float | None:
    """The effect that the design assumes for a plain difference of two arms, in the outcome's unit.

    None where it assumes none, or one that changes from week to week.
    """
    assumed = study.protocol.diagnosis.assume.outcomes.get(outcome)
    if assumed is None or contrast is None or any(effect.by_week for effect in assumed.effects):
        return None
    effects = {effect.arm: effect.constant for effect in assumed.effects}
    first, _, second = contrast.partition(" - ")
    if first not in effects and second not in effects:
        return None
    return effects.get(first, 0.0) - effects.get(second, 0.0)
