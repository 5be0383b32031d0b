"""Power over the size of the effect, the people and the response, with the same chance at every point."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from equipoise.diagnosis.claims import Claim
from equipoise.diagnosis.performance import Rated
from equipoise.diagnosis.planning.planted import most_multiple, multiplied, with_effects
from equipoise.diagnosis.planning.trying import Tried, Trying, expected_people
from equipoise.diagnosis.scenario import Scenario
from equipoise.protocol.study import Study

__all__ = ["MULTIPLES", "Curve", "Over", "Point", "power_curves"]

Over = Literal["effect", "people", "response"]
MULTIPLES = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
"""Of what is assumed; of people and of response without the first."""


@dataclass(frozen=True)
class Point:
    """A point of a curve.

    `at` is the effect in the outcome's unit, the number of people, or the share that answers the last wave;
    `multiple` what it is of the value assumed.
    """

    multiple: float
    at: float
    power: Rated
    mean_analysed: Rated
    mean_width: Rated


@dataclass(frozen=True)
class Curve:
    """The power of one claim over something that is assumed; `target` is the power wanted."""

    claim: Claim
    over: Over
    points: tuple[Point, ...]
    target: float


def power_curves(
    study: Study, trying: Trying, over: Over, multiples: Sequence[float] = MULTIPLES
) -> tuple[Curve, ...]:
    """The power of every claim that is tested, over one thing assumed.

    Args:
        study: outcomes without an assumed effect are given one; the effects of all outcomes grow together.
            Effects that an outcome's scale has no room for are no points of its curve.
        trying: how each point is tried.
        over: what is changed; everything else stays as assumed.
        multiples: of what is assumed. Of people and response those above 0; a response that would be above 1
            is left out.
    Raises:
        DesignError: a curve over people of a study that does not say how many it expects.
    """
    planted = with_effects(study)
    kept = [multiple for multiple in multiples if _possible(study, over, multiple)]
    tried = {multiple: _tried(planted, trying, over, multiple) for multiple in kept}
    first = next(iter(tried.values()))
    claims = [claim for claim in first.claims if claim.tested] or list(first.claims)
    target = study.protocol.diagnosis.targets.power
    return tuple(
        Curve(
            claim,
            over,
            tuple(
                _point(study, claim, over, multiple, found)
                for multiple, found in tried.items()
                if over != "effect" or multiple <= most_multiple(planted, claim.outcome)
            ),
            target,
        )
        for claim in claims
    )


def _last_response(study: Study) -> float:
    """The share assumed to answer the wave that opens last."""
    waves = study.protocol.diagnosis.assume.response.waves
    return waves.get(list(study.protocol.waves)[-1], 1.0) if study.protocol.waves else 1.0


def _possible(study: Study, over: Over, multiple: float) -> bool:
    waves = study.protocol.diagnosis.assume.response.waves.values()
    if over == "response":
        return 0 < multiple * max(_last_response(study), *waves) <= 1
    return multiple > 0 or over == "effect"


def _tried(study: Study, trying: Trying, over: Over, multiple: float) -> Tried:
    if over == "effect":
        return trying(multiplied(study, multiple), Scenario())
    if over == "response":
        return trying(study, Scenario(response=multiple))
    return trying(study, Scenario(people=round(multiple * expected_people(study))))


def _place(study: Study, over: Over, multiple: float, truth: float | None) -> float:
    if over == "effect":
        return multiple if truth is None else truth
    return multiple * (_last_response(study) if over == "response" else expected_people(study))


def _point(study: Study, claim: Claim, over: Over, multiple: float, found: Tried) -> Point:
    shown = found.performance.of(claim.id)
    at = _place(study, over, multiple, shown.truth)
    return Point(multiple, at, shown.power, shown.mean_analysed, shown.mean_width)
