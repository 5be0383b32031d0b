"""A journal of chunks that were simulated, so that a run that was interrupted goes on where it was."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from equipoise import __version__
from equipoise.diagnosis.diagnose import Chunk
from equipoise.diagnosis.performance import Sums
from equipoise.diagnosis.planning.trying import MapsChunks
from equipoise.estimation.arrays import Bools

__all__ = ["Journal"]


class Journal:
    """Sums of chunks by what they were simulated of, a line each in a file.

    A line is written as soon as its chunk is done. A line that was cut off, by a lost machine or a full disk,
    is left out when the file is read, and its chunk is simulated again.

    Args:
        path: the file; made when the first chunk is done.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._held: dict[str, dict[str, Any]] = dict(_read(path))

    @property
    def kept(self) -> int:
        """Chunks that need not be simulated again."""
        return len(self._held)

    def mapped(self, over: MapsChunks) -> MapsChunks:
        """A map over chunks of `Tries` that takes from the journal what it holds, and enters the rest."""

        def through(decided: Any, numbers: Iterable[int]) -> Iterator[tuple[Sums, Bools]]:
            wanted = list(numbers)
            key, claims = _key(decided.chunk), decided.chunk.engine.claims
            entries = [f"{key}/{number}" for number in wanted]
            lacking = [n for n, entry in zip(wanted, entries, strict=True) if entry not in self._held]
            fresh = iter(over(decided, lacking))
            for entry in entries:
                if entry not in self._held:
                    self._enter(entry, *next(fresh))
                held = self._held[entry]
                sums = Sums.from_record(claims, held["sums"])
                yield sums, _unpacked(held["rejected"], (sums.trials, len(claims)))

        return through

    def _enter(self, entry: str, sums: Sums, rejected: Bools) -> None:
        record = {"sums": sums.as_record(), "rejected": np.packbits(rejected).tobytes().hex()}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="ascii") as file:
            file.write(json.dumps([entry, record]) + "\n")
        self._held[entry] = record


def _unpacked(packed: str, shape: tuple[int, int]) -> Bools:
    bits = np.unpackbits(np.frombuffer(bytes.fromhex(packed), dtype=np.uint8), count=shape[0] * shape[1])
    return bits.reshape(shape).astype(bool)


def _key(chunk: Chunk) -> str:
    """What decides a chunk's figures: the study, the change of its assumptions, its people, the seed."""
    people = chunk.participants
    said = [
        __version__,
        chunk.study.protocol.model_dump_json(),
        repr(chunk.scenario),
        "" if people is None else people.write_csv(),
        str(chunk.simulations),
        str(chunk.seed),
    ]
    return hashlib.sha256("\0".join(said).encode()).hexdigest()[:32]


def _read(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    if not path.is_file():
        return
    for line in path.read_text("ascii", errors="replace").splitlines():
        try:
            entry, record = json.loads(line)
        except (ValueError, TypeError):
            continue
        yield entry, record
