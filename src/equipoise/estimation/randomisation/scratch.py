"""Arrays that one piece of draws after another is computed in, so that memory is asked for once."""

import numpy as np

from equipoise.estimation.arrays import Floats

__all__ = ["Scratch"]


class Scratch:
    """Arrays by name, each of the shape last asked for; for one thread, and until the name is asked again.

    A fresh array of a few hundred kilobytes costs more, in pages that the system has to clear, than the sums
    that are put into it.
    """

    def __init__(self) -> None:
        self._held: dict[str, Floats] = {}

    def take(self, name: str, shape: tuple[int, ...]) -> Floats:
        """An array whose contents are of no account."""
        held = self._held.get(name)
        if held is None or held.shape != shape:
            held = self._held[name] = np.empty(shape)
        return held
