"""The record of an allocation: what it takes to say how it was done and, with the secret, to do it again.

It holds neither the seed nor anybody's arm; these are published when enrolment has closed.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from pydantic import ConfigDict, TypeAdapter, ValidationError

from equipoise import __version__
from equipoise.allocation.allocating import Allocation
from equipoise.allocation.chance.seed import PublicRound, Seed, SeedSource
from equipoise.allocation.methods import Acceptance
from equipoise.allocation.probabilities import Estimated, exact_probabilities
from equipoise.errors import InputError, Problem

__all__ = ["AllocationRecord", "record_of"]

FORMAT = 1


@dataclass(frozen=True)
class AllocationRecord:
    """One stage's allocation, as recorded.

    Attributes:
        equipoise: version of the draw and of this format.
        stage, method, unit: of the protocol (`unit` is participant, or a cluster's name).
        strata: names of the stratifying columns.
        ratio: by stratum, then arm, as drawn (lowest terms).
        blocks: sizes of permuted blocks as multiples of the ratio's sum; empty for other methods.
        arrival: the draw followed the order of arrival.
        protocol_hash: of the lock; None when unlocked.
        roster_hash: of the canonical roster.
        roster_recorded: when that hash was recorded (ISO 8601), which decides the public round.
        commitment: SHA-256 of the secret, or of the seed where that was given.
        public_round: the beacon's value that went into the seed.
        seed_source: in words.
        seed_could_have_been_chosen: nothing public went into the seed.
        counts: units by stratum, then arm.
        probabilities: the shares as fractions, by stratum, then arm; exact unless `estimated`.
        warnings: strata in which an arm got nobody.
        software: version that drew.
        beside: names of the columns that the method looked at beside the strata; they follow the strata in
            the roster that was hashed.
        coin, accept: of a minimisation, and of a criterion.
        weights, measure: of a minimisation; weights in the order of `beside`, none where all count alike.
        estimated: how the units' chances, which stand beside their arms, were estimated; None where
            `probabilities` are exactly theirs.
        numbers: those columns of `beside` that a criterion takes as numbers.
        accepted: which draw a criterion accepted.
    """

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    equipoise: int
    stage: str
    method: str
    unit: str
    strata: tuple[str, ...]
    ratio: dict[str, dict[str, int]]
    blocks: tuple[int, ...]
    arrival: bool
    protocol_hash: str | None
    roster_hash: str
    roster_recorded: str | None
    commitment: str
    public_round: PublicRound | None
    seed_source: SeedSource
    seed_could_have_been_chosen: bool
    counts: dict[str, dict[str, int]]
    probabilities: dict[str, dict[str, str]]
    warnings: tuple[str, ...]
    software: str
    beside: tuple[str, ...] = ()
    coin: float | None = None
    accept: float | None = None
    weights: tuple[int, ...] = ()
    measure: str | None = None
    estimated: Estimated | None = None
    numbers: tuple[str, ...] = ()
    accepted: Acceptance | None = None

    def to_json(self) -> str:
        """The record as text, keys sorted, one line feed at the end; equal records give equal bytes."""
        return json.dumps(asdict(self), indent=2, sort_keys=True, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str, *, place: str = "allocation record") -> "AllocationRecord":
        """Read a record.

        Args:
            text: as `to_json` wrote it.
            place: the file's name, for messages.
        Raises:
            InputError: no record, or not one of this version; every field that is wrong is named.
        """
        try:
            record = _READER.validate_json(text)
        except ValidationError as error:
            raise InputError(_problem(place, problem) for problem in error.errors()) from None
        if record.equipoise != FORMAT:
            raise InputError(
                Problem(place, "equipoise", f"format {record.equipoise}; this version reads {FORMAT}.")
            )
        return record


_READER = TypeAdapter(AllocationRecord)


def record_of(
    allocation: Allocation,
    seed: Seed,
    *,
    stage: str,
    strata: tuple[str, ...],
    roster_hash: str,
    protocol_hash: str | None,
    roster_recorded: str | None = None,
    unit: str = "participant",
) -> AllocationRecord:
    """Record an allocation just drawn; arguments as the attributes of `AllocationRecord`."""
    plan = allocation.design
    return AllocationRecord(
        equipoise=FORMAT,
        stage=stage,
        method=plan.method,
        unit=unit,
        strata=strata,
        ratio=_by_stratum(allocation, plan.shares.tolist()),
        blocks=plan.blocks if plan.method == "permuted-blocks" else (),
        arrival=plan.arrival,
        protocol_hash=protocol_hash,
        roster_hash=roster_hash,
        roster_recorded=roster_recorded,
        commitment=seed.commitment,
        public_round=seed.public_round,
        seed_source=seed.source,
        seed_could_have_been_chosen=seed.could_have_been_chosen,
        counts=_by_stratum(allocation, allocation.counts.tolist()),
        probabilities={
            label: {arm: str(chance) for arm, chance in chances.items()}
            for label, chances in exact_probabilities(plan).items()
        },
        warnings=allocation.warnings,
        software=__version__,
        beside=tuple(plan.beside.columns),
        coin=plan.beside.coin,
        accept=plan.beside.accept,
        weights=plan.beside.weights,
        measure=plan.beside.measure,
        estimated=allocation.probabilities.estimated,
        numbers=plan.beside.numbers,
        accepted=allocation.accepted,
    )


def _by_stratum(allocation: Allocation, table: list[list[int]]) -> dict[str, dict[str, int]]:
    plan = allocation.design
    return {
        label: dict(zip(plan.arms, row, strict=True)) for label, row in zip(plan.labels, table, strict=True)
    }


def _problem(place: str, problem: Mapping[str, object]) -> Problem:
    path = problem["loc"]
    where = ".".join(str(part) for part in path) if isinstance(path, tuple) else ""
    return Problem(
        place, where, f"{problem['msg']}; the file is not as it was written, so take the original."
    )
