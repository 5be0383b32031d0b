"""Many draws of a design at once, by whatever method, in pieces that memory holds."""

from collections.abc import Iterator

import numpy as np

from equipoise.allocation.design import Codes, Design
from equipoise.allocation.methods import METHODS

__all__ = ["simulate"]

_AT_ONCE = 4_000_000  # arms simulated in one piece, to bound memory


def simulate(plan: Design, trials: int, rng: np.random.Generator) -> Codes:
    """Draw a design many times over.

    Args:
        plan: as `design` gives it.
        trials: how many draws.
        rng: where the chance comes from.
    Returns:
        Codes of arms, shape (trials, units).
    """
    pieces = [METHODS[plan.method].simulate(plan, size, rng) for size in _pieces(plan, trials)]
    return np.concatenate(pieces) if pieces else np.empty((0, len(plan.stratum)), dtype=np.int8)


def _pieces(plan: Design, trials: int) -> Iterator[int]:
    """How many trials at a time."""
    widest = max(len(plan.stratum), int(plan.shares.sum()) * max(plan.blocks) * len(plan.arms))
    size = max(1, _AT_ONCE // widest)
    for start in range(0, trials, size):
        yield min(size, trials - start)
