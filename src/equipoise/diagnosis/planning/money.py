"""What the money buys: the power of a budget, and the cheapest design that reaches the power wanted."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from equipoise.diagnosis.claims import Claim
from equipoise.diagnosis.performance import Rated
from equipoise.diagnosis.planning.planted import with_effects
from equipoise.diagnosis.planning.smallest import Needed, needed_people
from equipoise.diagnosis.planning.trying import Trying, expected_people
from equipoise.diagnosis.scenario import Scenario
from equipoise.errors import DesignError
from equipoise.protocol.checks.expected import units_expected
from equipoise.protocol.models.variations import Costs, Variation
from equipoise.protocol.study import Study
from equipoise.protocol.timeline import waves_before
from equipoise.protocol.variations import varied

__all__ = ["OWN", "SHARES", "Bought", "Cost", "Priced", "cheapest_designs", "cost_of", "what_money_buys"]

OWN = "protocol"
"""The name of the design that the protocol itself describes, among its other designs."""
_ROUNDED = 1e-9
SHARES = (0.5, 0.75, 1.0, 1.5, 2.0)
"""Budgets looked at where none is given, as shares of what the protocol's own design costs."""


@dataclass(frozen=True)
class Cost:
    """What a design costs; `parts` by the words of `costs`, those of nothing left out."""

    currency: str
    total: float
    parts: Mapping[str, float]


@dataclass(frozen=True)
class Bought:
    """The power that a budget buys of one design, all of it spent on people (and the clusters they are in).

    `people` is how many can be paid for; `power` is None where they are too few for a trial.
    """

    design: str
    budget: float
    people: int
    claim: Claim | None
    power: Rated | None


@dataclass(frozen=True)
class Priced:
    """What a design costs that reaches the power wanted; `cost` is None where no number of people does."""

    design: str
    needed: Needed
    cost: Cost | None


def cost_of(study: Study, people: int | None = None) -> Cost:
    """What a study costs under the response that it assumes.

    Args:
        study: with `diagnosis.costs`.
        people: in place of those expected. Clusters that the roster lists are as many as it lists; others
            change with the people.
    Raises:
        DesignError: no costs, or nobody expected.
    """
    costs = _costs(study)
    people = expected_people(study) if people is None else people
    asked, answers = _waves(study)
    parts = {
        "fixed": costs.fixed,
        "cluster": costs.cluster * _clusters(study, people),
        "person": costs.person * people,
        "wave": costs.wave * people * asked,
        "answer": costs.answer * people * answers,
    }
    return Cost(costs.currency, sum(parts.values()), {name: part for name, part in parts.items() if part})


def what_money_buys(study: Study, trying: Trying, budgets: Sequence[float] = ()) -> tuple[Bought, ...]:
    """The power of each primary claim that each budget buys, of the protocol's design and of its others.

    Args:
        study: with `diagnosis.costs`. Bought are the protocol's design, those that it names, and its own
            without each wave before the allocation, whose money buys people instead.
        trying: how each is tried.
        budgets: in the currency of the costs; shares of the design's own cost where none is given.
    Raises:
        DesignError: no costs, or people cost nothing, so that no budget sets their number.
    """
    total = cost_of(study).total
    spent = tuple(budgets) or tuple(round(share * total, 2) for share in SHARES)
    return tuple(
        bought
        for name, design in _designs(study)
        for budget in spent
        for bought in _bought(name, with_effects(design), budget, trying)
    )


def cheapest_designs(study: Study, trying: Trying) -> tuple[Priced, ...]:
    """Each design with the people that its primary claims need, cheapest first; out of reach last."""
    found = [
        Priced(name, needed, None if needed.value is None else cost_of(design, int(needed.value)))
        for name, design in _designs(study)
        for needed in needed_people(design, trying)
    ]
    return tuple(sorted(found, key=lambda priced: float("inf") if priced.cost is None else priced.cost.total))


def _designs(study: Study) -> Iterator[tuple[str, Study]]:
    """The protocol's own design, those that it names, and its own without each wave before the allocation."""
    yield OWN, study
    protocol, named = study.protocol, study.protocol.diagnosis.designs
    before = waves_before(protocol, protocol.main_stage) if protocol.allocation else ()
    fewer = {f"without-{wave}": Variation(response={wave: 0.0}) for wave in before}
    known = [variation.model_copy(update={"label": None}) for variation in named.values()]
    added = {name: variation for name, variation in fewer.items() if variation not in known}
    for name, variation in {**added, **named}.items():
        yield name, varied(study, variation)


def _costs(study: Study) -> Costs:
    costs = study.protocol.diagnosis.costs
    if costs is None:
        raise DesignError(
            f"{study.protocol.study.id}: what the money buys needs `diagnosis.costs`, such as "
            "{person: 5, wave: 2}"
        )
    return costs


def _waves(study: Study) -> tuple[int, float]:
    """How many times a person is asked, and how many answers that brings."""
    response = study.protocol.diagnosis.assume.response.waves
    shares = [response.get(wave, 1.0) for wave in study.protocol.waves]
    return sum(share > 0 for share in shares), sum(shares)


def _clusters(study: Study, people: int) -> float:
    stage = study.protocol.allocation.get(study.protocol.main_stage)
    if stage is None or stage.unit == "participant":
        return 0.0
    return units_expected(study.protocol, stage, people) or 0.0


def _affordable(study: Study, budget: float) -> int:
    none, one = cost_of(study, 0).total, cost_of(study, 1).total
    if one <= none:
        raise DesignError(
            f"{study.protocol.study.id}: by `diagnosis.costs` a person costs nothing, so any budget buys any "
            "number; say what a person, a wave or an answer costs"
        )
    return max(0, int((budget - none) / (one - none) + _ROUNDED))


def _bought(name: str, study: Study, budget: float, trying: Trying) -> Iterator[Bought]:
    people = _affordable(study, budget)
    if people < 2 * len(study.protocol.arms):
        yield Bought(name, budget, people, None, None)
        return
    tried = trying(study, Scenario(people=people))
    for claim in tried.leading:
        yield Bought(name, budget, people, claim, tried.performance.of(claim.id).power)
