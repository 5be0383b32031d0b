"""Trying a design under a scenario, so that designs which are tried alike share their chance."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import polars as pl

from equipoise.diagnosis.chunk import Chunk
from equipoise.diagnosis.claims import Claim
from equipoise.diagnosis.journal import Journal
from equipoise.diagnosis.performance import Performance, Rated, Sums, performance_of
from equipoise.diagnosis.scenario import Scenario
from equipoise.errors import DesignError
from equipoise.estimation.arrays import Bools
from equipoise.protocol.study import Study

__all__ = ["MapsChunks", "Tried", "Tries", "Trying", "expected_people", "gain"]

MapsChunks = Callable[[Chunk, Iterable[int]], Iterable[tuple[Sums, Bools]]]
"""A map over numbers of chunks that gives results in their order: `map`, or that of a pool of processes."""


@dataclass(frozen=True, eq=False)
class Tried:
    """What a design showed, and each trial's decisions: trials of the same number share their chance.

    `rejected` has shape (trials, claims), its columns in the order of the performance's claims.
    """

    performance: Performance
    rejected: Bools

    def decisions(self, claim: str) -> Bools:
        """Whether each trial rejected a claim, shape (trials,)."""
        ids = [each.claim.id for each in self.performance.claims]
        return np.asarray(self.rejected[:, ids.index(claim)], dtype=bool)

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The effects that were estimated."""
        return tuple(each.claim for each in self.performance.claims)

    @property
    def leading(self) -> tuple[Claim, ...]:
        """The primary claims; all, where no claim is primary."""
        return tuple(claim for claim in self.claims if claim.tier == "primary") or self.claims


class Trying(Protocol):
    """A way to try a study under a scenario; the same study and scenario give the same figures."""

    def __call__(self, study: Study, scenario: Scenario) -> Tried:
        """The design tried."""
        ...


@dataclass(frozen=True, eq=False)
class Tries:
    """Trials simulated through the study's own analyses.

    Attributes:
        simulations: trials for each design and scenario that is tried.
        seed: any whole number from 0, the same for all.
        participants: typed rows of real or synthetic people; None to invent them.
        mapped: runs the chunks.
        journal: keeps what was simulated, and gives what an interrupted run had.
    """

    simulations: int
    seed: int
    participants: pl.DataFrame | None = None
    mapped: MapsChunks = map
    journal: Journal | None = None

    def __call__(self, study: Study, scenario: Scenario) -> Tried:
        """The design tried.

        Raises:
            DesignError, NotSupportedError: what cannot be simulated or analysed.
        """
        if self.simulations < 1:
            raise DesignError(f"{self.simulations} simulations; at least one is needed")
        chunk = Chunk(study, scenario, self.participants, self.simulations, self.seed)
        kept = self.journal.kept(chunk) if self.journal is not None else None
        total = Sums.none(chunk.engine.claims) if kept is None else kept.sums
        rejected = [] if kept is None else [kept.rejected]
        numbers = range(kept.chunks if kept else 0, -(-self.simulations // chunk.engine.size))
        for number, (sums, decided) in zip(numbers, self.mapped(chunk, numbers), strict=True):
            total = total + sums
            rejected.append(decided)
            if self.journal is not None:
                self.journal.keep(chunk, number + 1, total, rejected)
        return Tried(performance_of(total), np.concatenate(rejected))


def expected_people(study: Study) -> int:
    """How many people the study expects.

    Raises:
        DesignError: it does not say.
    """
    expected = study.protocol.participants.expected if study.protocol.participants else None
    if expected is None:
        raise DesignError(
            f"{study.protocol.study.id}: `participants` does not say how many are `expected`, so there is no "
            "number to vary; write it"
        )
    return expected


def gain(first: Bools, second: Bools) -> Rated:
    """By how much more often one design rejects than another, trial by trial, with its Monte-Carlo error.

    Args:
        first, second: shape (trials,), of designs that shared their chance.
    Returns:
        The difference of the shares, second less first; its error is that of paired shares, which is small
        where the same trials reject.
    """
    if len(first) != len(second):
        raise DesignError(
            f"{len(first)} trials of one design and {len(second)} of another; to be compared, both need as "
            "many"
        )
    step = second.astype(np.float64) - first
    return Rated(float(step.mean()), float(np.sqrt(step.var() / len(step))))
