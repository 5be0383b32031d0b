"""What is changed of a study's assumptions, so that curves are drawn with the same chance."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from equipoise.protocol.models.assumptions import Assume, AssumedOutcome
from equipoise.protocol.study import Study

__all__ = ["UNCHANGED", "Scenario"]


@dataclass(frozen=True)
class Scenario:
    """A change of the assumptions; left as it is, nothing is changed.

    Attributes:
        effect: multiplies every assumed effect, interactions and shifts by attribute among them; 0 is the
            world without any effect.
        people: how many take part; None for as many as the study expects, or as are given.
        response: multiplies the share that answers, at every wave; a share ends at one.
        before_after: in place of every outcome's correlation with the score before.
        uptake: in place of the assumed share.
        differs_by_arm: in place of the assumed difference in response between the arms.
    """

    effect: float = 1.0
    people: int | None = None
    response: float = 1.0
    before_after: float | None = None
    uptake: float | None = None
    differs_by_arm: float | None = None

    def applied(self, study: Study) -> Study:
        """The study with its assumptions changed; its analyses stay as they are."""
        diagnosis = study.protocol.diagnosis
        assume = self._assume(diagnosis.assume)
        if assume == diagnosis.assume:
            return study
        changed = diagnosis.model_copy(update={"assume": assume})
        return replace(study, protocol=study.protocol.model_copy(update={"diagnosis": changed}))

    def _assume(self, assume: Assume) -> Assume:
        waves = {wave: min(1.0, share * self.response) for wave, share in assume.response.waves.items()}
        response: dict[str, Any] = {"waves": waves}
        if self.differs_by_arm is not None:
            response["differs_by_arm"] = self.differs_by_arm
        update: dict[str, Any] = {
            "response": assume.response.model_copy(update=response),
            "outcomes": {name: self._outcome(outcome) for name, outcome in assume.outcomes.items()},
        }
        if self.uptake is not None:
            update["uptake"] = self.uptake
        return assume.model_copy(update=update)

    def _outcome(self, assumed: AssumedOutcome) -> AssumedOutcome:
        effects = tuple(
            effect.model_copy(
                update={
                    "constant": effect.constant * self.effect,
                    "by_week": tuple(size * self.effect for size in effect.by_week),
                }
            )
            for effect in assumed.effects
        )
        interactions = tuple(
            each.model_copy(update={"add": each.add * self.effect}) for each in assumed.interactions
        )
        update: dict[str, Any] = {
            "effects": effects,
            "interactions": interactions,
            "attributes": _multiplied(assumed.attributes, self.effect),
        }
        if self.before_after is not None:
            update["before_after_correlation"] = self.before_after
        return assumed.model_copy(update=update)


UNCHANGED = Scenario()


def _multiplied(attributes: Mapping[str, Mapping[str, float]], factor: float) -> dict[str, dict[str, float]]:
    return {
        name: {level: shift * factor for level, shift in levels.items()}
        for name, levels in attributes.items()
    }
