"""The smallest effect that a design finds with the power wanted, and the people and answers that it needs."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, sqrt

from equipoise.diagnosis.claims import Claim
from equipoise.diagnosis.performance import Rated
from equipoise.diagnosis.planning.planted import most_multiple, multiplied, with_effects
from equipoise.diagnosis.planning.roots import Root, find_root
from equipoise.diagnosis.planning.trying import Tried, Trying, expected_people
from equipoise.diagnosis.scenario import Scenario
from equipoise.protocol.study import Study

__all__ = ["Needed", "detectable_effects", "needed_people", "needed_response"]

_LEAST_EFFECT, _MOST_EFFECT = 1 / 64, 64.0  # of the effect assumed
_MOST_PEOPLE = 100  # times those expected


@dataclass(frozen=True)
class Needed:
    """What a claim needs to be found with the power wanted.

    Attributes:
        claim: which.
        target: the power wanted.
        value, mc_error: the smallest effect in the outcome's unit, the number of people, or the response as a
            multiple of the one assumed; None where it is not reached.
        root: the places that were tried, as multiples of the effect or response, or as people.
    """

    claim: Claim
    target: float
    value: float | None
    mc_error: float | None
    root: Root

    @property
    def reason(self) -> str | None:
        """Why there is no value."""
        return self.root.reason


def detectable_effects(study: Study, trying: Trying) -> tuple[Needed, ...]:
    """The minimum detectable effect of every primary claim, through its own test with all its rules.

    Args:
        study: `diagnosis.targets.power` is the power wanted. Outcomes without an assumed effect are given
            one; the effects of all outcomes grow together, each as far as its scale has room.
        trying: how each multiple of the effect is tried.
    """
    planted = with_effects(study)
    tried = _Remembered(lambda multiple: trying(multiplied(planted, multiple), Scenario()))
    return tuple(_detectable(planted, claim, tried) for claim in tried(1.0).leading)


def needed_people(study: Study, trying: Trying) -> tuple[Needed, ...]:
    """How many people every primary claim needs, all else as assumed; whole people, rounded up.

    Raises:
        DesignError: the study does not say how many it expects.
    """
    expected = expected_people(study)
    planted = with_effects(study)
    tried = _Remembered(lambda root: trying(planted, Scenario(people=round(root**2))))

    def found(claim: Claim) -> Needed:
        low, high = sqrt(2 * len(study.protocol.arms)), sqrt(_MOST_PEOPLE * expected)
        root = _search(study, claim, tried, sqrt(expected), low, high)
        if root.value is None or root.mc_error is None:
            return Needed(claim, _target(study), None, None, root)
        return Needed(claim, _target(study), float(ceil(root.value**2)), 2 * root.value * root.mc_error, root)

    return tuple(found(claim) for claim in tried(sqrt(expected)).leading)


def needed_response(study: Study, trying: Trying) -> tuple[Needed, ...]:
    """By what the response of every wave would have to be multiplied; nobody can answer more than always."""
    planted = with_effects(study)
    shares = [share for share in study.protocol.diagnosis.assume.response.waves.values() if share > 0]
    tried = _Remembered(lambda root: trying(planted, Scenario(response=root**2)))
    most = sqrt(1 / min(shares, default=1.0))

    def found(claim: Claim) -> Needed:
        root = _search(study, claim, tried, 1.0, 1 / 8, most)
        if root.value is None or root.mc_error is None:
            return Needed(claim, _target(study), None, None, root)
        return Needed(claim, _target(study), root.value**2, 2 * root.value * root.mc_error, root)

    return tuple(found(claim) for claim in tried(1.0).leading)


class _Remembered:
    """Designs tried by place, each once, so that the claims share them."""

    def __init__(self, trying: Callable[[float], Tried]) -> None:
        self.trying = trying
        self.tried: dict[float, Tried] = {}

    def __call__(self, at: float) -> Tried:
        if at not in self.tried:
            self.tried[at] = self.trying(at)
        return self.tried[at]


def _target(study: Study) -> float:
    return study.protocol.diagnosis.targets.power


def _search(study: Study, claim: Claim, tried: _Remembered, start: float, low: float, high: float) -> Root:
    def power_at(place: float) -> Rated:
        return tried(place).performance.of(claim.id).power

    alpha = study.protocol.diagnosis.targets.alpha
    return find_root(power_at, _target(study), start=start, low=low, high=high, alpha=alpha)


def _detectable(study: Study, claim: Claim, tried: _Remembered) -> Needed:
    truth = tried(1.0).performance.of(claim.id).truth
    most = max(1.0, min(_MOST_EFFECT, most_multiple(study, claim.outcome)))
    root = _search(study, claim, tried, 1.0, _LEAST_EFFECT, most)
    if root.value is None or root.mc_error is None or truth is None:
        return Needed(claim, _target(study), None, None, root)
    return Needed(claim, _target(study), root.value * abs(truth), root.mc_error * abs(truth), root)
