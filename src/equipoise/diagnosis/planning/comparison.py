"""Designs side by side: what differs between them, and by how much more often each finds what there is."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from equipoise.diagnosis.claims import Claim
from equipoise.diagnosis.performance import Performance, Rated
from equipoise.diagnosis.planning.money import OWN, Cost, cost_of
from equipoise.diagnosis.planning.planted import with_effects
from equipoise.diagnosis.planning.trying import Tried, Trying, gain
from equipoise.diagnosis.scenario import Scenario
from equipoise.errors import DesignError
from equipoise.protocol.canonical import plain
from equipoise.protocol.differences import differences
from equipoise.protocol.study import Study
from equipoise.protocol.variations import varied

__all__ = ["ClaimCompared", "Compared", "Comparison", "compare_designs", "compare_studies", "designs_of"]

# What makes two trials perform differently; titles, messages and words do not.
_PARTS = (
    "participants",
    "units",
    "allocation",
    "schedule",
    "tasks",
    "waves",
    "outcomes",
    "analyses",
    "testing",
    "diagnosis",
)
_BESIDE_THE_POINT = ("diagnosis, designs", "diagnosis, costs")


@dataclass(frozen=True)
class Compared:
    """One of the designs; `differences` are from the first, one sentence each."""

    name: str
    label: str
    differences: tuple[str, ...]
    performance: Performance
    cost: Cost | None


@dataclass(frozen=True)
class ClaimCompared:
    """A claim's power by design, and the gain on the first design, trial by trial with the same chance.

    None where a design does not make the claim.
    """

    claim: Claim
    power: Mapping[str, Rated | None]
    gain: Mapping[str, Rated | None]


@dataclass(frozen=True)
class Comparison:
    """Designs side by side, in the order in which they were given."""

    designs: tuple[Compared, ...]
    claims: tuple[ClaimCompared, ...]


def designs_of(study: Study) -> dict[str, Study]:
    """The design of the protocol itself, then those that `diagnosis.designs` names."""
    others = {name: varied(study, each) for name, each in study.protocol.diagnosis.designs.items()}
    return {OWN: study, **others}


def compare_designs(study: Study, trying: Trying) -> Comparison:
    """The protocol's design beside the others that it names.

    Raises:
        DesignError: it names none.
    """
    if not study.protocol.diagnosis.designs:
        raise DesignError(
            f"{study.protocol.study.id}: `diagnosis.designs` names no other design, such as "
            "{more-people: {people: 3000}}"
        )
    return compare_studies(designs_of(study), trying)


def compare_studies(studies: Mapping[str, Study], trying: Trying) -> Comparison:
    """Studies side by side.

    Args:
        studies: by the name that each goes by; claims are compared where they have the same id. Outcomes
            without an assumed effect are given one, as there would be nothing to find.
        trying: how each is tried; the same for all, so that they share their chance.
    """
    first = next(iter(studies.values()))
    tried = {name: trying(with_effects(study), _scenario(first, study)) for name, study in studies.items()}
    designs = tuple(
        Compared(
            name,
            _label(name, study, first),
            _differences(first, study),
            tried[name].performance,
            _cost(study),
        )
        for name, study in studies.items()
    )
    return Comparison(designs, tuple(_claims(tried)))


def _scenario(first: Study, study: Study) -> Scenario:
    """So many people as the design expects, where it expects others than the first."""
    expected = [s.protocol.participants.expected if s.protocol.participants else None for s in (first, study)]
    return Scenario(people=None if expected[0] == expected[1] else expected[1])


def _label(name: str, study: Study, first: Study) -> str:
    variation = first.protocol.diagnosis.designs.get(name)
    if variation is not None and variation.label is not None:
        return variation.label
    return "As the protocol says" if name == OWN else name.replace("-", " ").capitalize()


def _differences(first: Study, other: Study) -> tuple[str, ...]:
    before, after = (
        {part: value for part, value in plain(study.protocol).items() if part in _PARTS}
        for study in (first, other)
    )
    return tuple(said for said in differences(before, after) if not said.startswith(_BESIDE_THE_POINT))


def _cost(study: Study) -> Cost | None:
    try:
        return None if study.protocol.diagnosis.costs is None else cost_of(study)
    except DesignError:
        return None  # costs are given, but nobody is expected


def _claims(tried: Mapping[str, Tried]) -> Iterator[ClaimCompared]:
    own = next(iter(tried.values()))
    everywhere = {claim.id: claim for found in tried.values() for claim in found.claims}
    for claim in everywhere.values():
        power = {name: _power(found, claim.id) for name, found in tried.items()}
        yield ClaimCompared(
            claim, power, {name: _gain(own, found, claim.id) for name, found in tried.items()}
        )


def _power(tried: Tried, claim: str) -> Rated | None:
    made = any(each.id == claim for each in tried.claims)
    return tried.performance.of(claim).power if made else None


def _gain(own: Tried, other: Tried, claim: str) -> Rated | None:
    if other is own or _power(own, claim) is None or _power(other, claim) is None:
        return None
    return gain(own.decisions(claim), other.decisions(claim))
