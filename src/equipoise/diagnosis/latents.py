"""Latent values: standard normal, correlated over waves, over outcomes and within clusters as assumed."""

from collections.abc import Callable, Mapping

import numpy as np

from equipoise.diagnosis.covariance import Shared, Variable, lower_root, own_covariance, shared_by_units
from equipoise.estimation.arrays import Ints
from equipoise.instruments.scoring import Floats
from equipoise.protocol.checks.correlations import correlation_matrix
from equipoise.protocol.models.protocol import Protocol

__all__ = ["Latents", "Stream"]

Stream = Callable[..., np.random.Generator]


class Latents:
    """Latent values of n people, by outcome and wave; each outcome and each wave has its own stream.

    Args:
        protocol: its assumptions say what goes with what.
        n: people.
        stream: where the chance comes from.
        units: for each declared unit the code of everybody's, shape (n,); a unit that is left out shares
            nothing.
    """

    def __init__(
        self, protocol: Protocol, n: int, stream: Stream, units: Mapping[str, Ints] | None = None
    ) -> None:
        self.protocol, self.n, self.stream = protocol, n, stream
        self.units = units or {}
        self.shared = shared_by_units(protocol, self.units)
        self._drawn: list[Variable] = []
        self._chance: list[Floats] = []
        self._shared: dict[tuple[str, str], Floats] = {}

    def draw(self, outcome: str, wave: str) -> Floats:
        """The values of an outcome at a wave, shape (n,)."""
        self._drawn.append((outcome, wave))
        self._chance.append(self.stream("latent", wave, outcome).standard_normal(self.n))
        root = lower_root(own_covariance(self.protocol, self._drawn, self.shared))
        value = sum((part * own for part, own in zip(root[-1], self._chance, strict=True)), np.zeros(self.n))
        for shared in self.shared:
            value = value + self._of_unit(shared, outcome)[self.units[shared.unit]]
        return np.asarray(value, dtype=np.float64)

    def _of_unit(self, shared: Shared, outcome: str) -> Floats:
        """What the units share of an outcome, the same at every wave, shape (units,)."""
        if (shared.unit, outcome) not in self._shared:
            names = list(shared.variance)
            root = lower_root(correlation_matrix(self.protocol))
            count = int(self.units[shared.unit].max(initial=-1)) + 1
            chance = [self.stream("unit", shared.unit, name).standard_normal(count) for name in names]
            for row, name in enumerate(names):
                parts = sum(
                    (part * own for part, own in zip(root[row], chance, strict=True)), np.zeros(count)
                )
                self._shared[shared.unit, name] = np.sqrt(shared.variance[name]) * parts
        return self._shared[shared.unit, outcome]
