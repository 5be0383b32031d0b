"""A journal of what was simulated, so that a run that was interrupted goes on where it was."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from equipoise import __version__
from equipoise.diagnosis.chunk import Chunk
from equipoise.diagnosis.performance import Sums
from equipoise.estimation.arrays import Bools

__all__ = ["Journal", "Kept"]


@dataclass(frozen=True, eq=False)
class Kept:
    """The first chunks of a design under a scenario: their sums in order, and each trial's decisions."""

    chunks: int
    sums: Sums
    rejected: Bools


class Journal:
    """A file for each design and scenario that is being tried, replaced as a whole now and then.

    Its size follows from the decisions, a bit each, and not from what was simulated.

    Args:
        folder: for the files; made when the first is written.
        due: whether it is time to write again; what came since the last writing is lost with the process.
    """

    def __init__(self, folder: Path, due: Callable[[], bool]) -> None:
        self.folder, self._due = folder, due

    def kept(self, chunk: Chunk) -> Kept | None:
        """What an earlier run had simulated of the same design; None where nothing can be read."""
        try:
            record = json.loads(self._place(chunk).read_text("ascii"))
            claims = chunk.engine.claims
            sums = Sums.from_record(claims, record["sums"])
            return Kept(record["chunks"], sums, _unpacked(record["rejected"], (sums.trials, len(claims))))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def keep(self, chunk: Chunk, chunks: int, sums: Sums, rejected: Sequence[Bools]) -> None:
        """Write down what has been simulated, where that is due."""
        if not self._due():
            return
        decided = np.packbits(np.concatenate(rejected)).tobytes().hex()
        record: dict[str, Any] = {"chunks": chunks, "sums": sums.as_record(), "rejected": decided}
        self.folder.mkdir(parents=True, exist_ok=True)
        place = self._place(chunk)
        fresh = place.with_suffix(".new")
        fresh.write_text(json.dumps(record), "ascii")
        fresh.replace(place)

    def _place(self, chunk: Chunk) -> Path:
        """Named by what decides the figures: study, scenario, people, trials and seed."""
        said = (__version__, chunk.compiled_as, str(chunk.simulations), str(chunk.seed))
        return self.folder / f"{hashlib.sha256(' '.join(said).encode()).hexdigest()[:32]}.json"


def _unpacked(packed: str, shape: tuple[int, int]) -> Bools:
    bits = np.unpackbits(np.frombuffer(bytes.fromhex(packed), dtype=np.uint8), count=shape[0] * shape[1])
    return bits.reshape(shape).astype(bool)
