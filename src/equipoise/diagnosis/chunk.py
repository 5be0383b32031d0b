"""A chunk of a diagnosis: the unit of work that is sent to wherever trials are simulated."""

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache

import polars as pl

from equipoise.diagnosis.engine import Engine, compile_study
from equipoise.diagnosis.performance import Sums
from equipoise.diagnosis.scenario import Scenario
from equipoise.estimation.arrays import Bools
from equipoise.protocol.study import Study

__all__ = ["Chunk"]


@dataclass(frozen=True, eq=False)
class Chunk:
    """Simulates a chunk, wherever it is sent: it carries the study, and compiles it once a process.

    Attributes:
        study, scenario, participants: as `compile_study` takes them.
        simulations: trials in all; those of the last chunk that are beyond are left out.
        seed: any whole number from 0.
        compiled_as: the same for what compiles to the same engine.
    """

    study: Study
    scenario: Scenario
    participants: pl.DataFrame | None
    simulations: int
    seed: int
    compiled_as: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "compiled_as", self._alike())

    def __call__(self, number: int) -> tuple[Sums, Bools]:
        """The sums of a chunk, and the decisions of its trials, shape (trials, claims)."""
        engine = self.engine
        trials = engine.trials(number, self.seed)
        trials = trials.first(min(engine.size, self.simulations - number * engine.size))
        return Sums.of(trials), trials.rejected

    @property
    def engine(self) -> Engine:
        """The compiled study."""
        return _compiled(_Key(self))

    def _alike(self) -> str:
        """The same text for what compiles to the same engine."""
        study, people = self.study, self.participants
        parts = [str(study.folder), study.protocol.model_dump_json(), repr(self.scenario)]
        if people is not None:
            parts.append(people.write_csv())
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


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
    return compile_study(chunk.study, chunk.scenario, participants=chunk.participants)
