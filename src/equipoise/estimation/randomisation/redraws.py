"""The allocations that might have been: all of them listed, or many of them drawn."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from equipoise.estimation.arrays import Floats, refuse

__all__ = ["Codes", "Redraws", "drawn", "listed"]

Codes = npt.NDArray[np.int8]
Stream = Callable[[int], np.random.Generator]

_AT_ONCE = 100_000  # arms in one piece, so that it and what is computed from it stay in the cache


@dataclass(frozen=True, eq=False)
class Redraws:
    """Allocations of the same units by the same procedure.

    Attributes:
        observed: (units,) the code of the arm that each unit was given.
        draws: how many allocations there are.
        chance: (draws,) the chance of each where all are listed; None where they were drawn.
    """

    observed: Codes
    draws: int
    chance: Floats | None
    _piece: Callable[[int, int], Codes]

    @property
    def exact(self) -> bool:
        """Whether these are all the allocations that the procedure can give."""
        return self.chance is not None

    def pieces(self) -> Iterator[Codes]:
        """The allocations in turn, (some, units) at a time; the same each time that one asks."""
        size = max(1, _AT_ONCE // max(1, len(self.observed)))
        for number, start in enumerate(range(0, self.draws, size)):
            yield self._piece(number, min(size, self.draws - start))


def drawn(
    simulate: Callable[[int, np.random.Generator], Codes], observed: Codes, draws: int, stream: Stream
) -> Redraws:
    """Draw anew by a procedure.

    Args:
        simulate: gives so many allocations, (some, units), from a generator.
        observed: (units,) the arms as they were drawn.
        draws: how many to draw.
        stream: gives the generator of a piece by its number. Each piece has its own, so a draw depends on
            its place alone and not on who computes it.
    """
    if draws < 1:
        raise refuse("draws", f"is {draws}; expected at least 1.")
    return Redraws(observed, draws, None, lambda number, size: simulate(size, stream(number)))


def listed(allocations: Codes, chances: Sequence[float] | Floats, observed: Codes) -> Redraws:
    """Every allocation that a procedure can give.

    Args:
        allocations: (draws, units).
        chances: (draws,) of each, adding up to 1.
        observed: (units,) the arms as they were drawn, which must be one of them.
    Raises:
        DesignError: the arms observed are none of those that the procedure can give.
    """
    if not (allocations == observed).all(axis=1).any():
        raise refuse("observed", "is none of the allocations that the procedure can give.")
    size = max(1, _AT_ONCE // max(1, len(observed)))
    return Redraws(
        observed,
        len(allocations),
        np.asarray(chances, dtype=np.float64),
        lambda number, rows: allocations[number * size : number * size + rows],
    )
