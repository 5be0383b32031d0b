"""The diagnosis of a design: its trials simulated chunk by chunk, and what they show."""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache

import polars as pl

from equipoise.diagnosis.engine import Engine, compile_study
from equipoise.diagnosis.performance import Performance, Sums, performance_of
from equipoise.diagnosis.scenario import UNCHANGED, Scenario
from equipoise.errors import DesignError
from equipoise.protocol.study import Study

__all__ = ["Chunk", "Done", "Mapped", "Progress", "diagnose", "sums_of"]

Progress = Callable[["Done"], None]


@dataclass(frozen=True, eq=False)
class Done:
    """What has been simulated so far: whole chunks in their order, from the first."""

    chunks: int
    sums: Sums


@dataclass(frozen=True, eq=False)
class Chunk:
    """Simulates a chunk, wherever it is sent: it carries the study, and compiles it once a process.

    Attributes:
        study, scenario, participants, only: as `compile_study` takes them.
        simulations: trials in all; those of the last chunk that are beyond are left out.
        seed: any whole number from 0.
        compiled_as: the same for what compiles to the same engine.
    """

    study: Study
    scenario: Scenario
    participants: pl.DataFrame | None
    simulations: int
    seed: int
    only: tuple[str, ...] | None = None
    compiled_as: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "compiled_as", self._alike())

    def __call__(self, chunk: int) -> Sums:
        """The sums of a chunk."""
        engine = self.engine
        trials = engine.trials(chunk, self.seed)
        return Sums.of(trials.first(min(engine.size, self.simulations - chunk * engine.size)))

    @property
    def engine(self) -> Engine:
        """The compiled study."""
        return _compiled(_Key(self))

    def _alike(self) -> str:
        """The same text for what compiles to the same engine."""
        study, people = self.study, self.participants
        parts = [str(study.folder), study.protocol.model_dump_json(), repr(self.scenario), repr(self.only)]
        if people is not None:
            parts.append(people.write_csv())
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


Mapped = Callable[[Chunk, Iterable[int]], Iterable[Sums]]
"""A map over numbers of chunks that gives results in their order: `map`, or that of a pool of processes."""


class _Key:
    """A chunk's study to compile, equal to that of another message that compiles to the same engine."""

    def __init__(self, chunk: Chunk) -> None:
        self.chunk = chunk

    def __hash__(self) -> int:
        return hash(self.chunk.compiled_as)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.chunk.compiled_as == other.chunk.compiled_as


@lru_cache(maxsize=2)
def _compiled(key: _Key) -> Engine:
    chunk = key.chunk
    return compile_study(chunk.study, chunk.scenario, participants=chunk.participants, only=chunk.only)


def diagnose(
    study: Study,
    *,
    simulations: int,
    seed: int,
    scenario: Scenario = UNCHANGED,
    participants: pl.DataFrame | None = None,
    only: tuple[str, ...] | None = None,
    mapped: Mapped = map,
    progress: Progress | None = None,
    done: Done | None = None,
) -> Performance:
    """Simulate trials of a study through its own analyses, and rate what they find.

    Args:
        study: as loaded; `diagnosis.assume` says what is assumed.
        simulations: trials.
        seed: any whole number from 0; the same seed gives the same figures to the last bit, whatever runs
            the chunks.
        scenario: what is changed of the assumptions.
        participants: typed rows of real or synthetic people; None to invent them.
        only: ids of claims, or names of analyses, to look at; None for all.
        mapped: runs the chunks; results have to come in their order.
        progress: told after every chunk what has been done; what it is told can be given back as `done`.
        done: what an interrupted run had done, to go on from; of the same study, scenario and seed.
    Raises:
        DesignError, NotSupportedError: what cannot be simulated or analysed.
    """
    return performance_of(
        sums_of(
            study,
            simulations=simulations,
            seed=seed,
            scenario=scenario,
            participants=participants,
            only=only,
            mapped=mapped,
            progress=progress,
            done=done,
        )
    )


def sums_of(
    study: Study,
    *,
    simulations: int,
    seed: int,
    scenario: Scenario = UNCHANGED,
    participants: pl.DataFrame | None = None,
    only: tuple[str, ...] | None = None,
    mapped: Mapped = map,
    progress: Progress | None = None,
    done: Done | None = None,
) -> Sums:
    """The sums behind `diagnose`, whose arguments these are."""
    if simulations < 1:
        raise DesignError(f"{simulations} simulations; at least one is needed")
    chunk = Chunk(study, scenario, participants, simulations, seed, only)
    chunks = -(-simulations // chunk.engine.size)
    first, total = (0, Sums.none(chunk.engine.claims)) if done is None else (done.chunks, done.sums)
    for number, sums in zip(range(first, chunks), mapped(chunk, range(first, chunks)), strict=True):
        total = total + sums
        if progress is not None:
            progress(Done(number + 1, total))
    return total
