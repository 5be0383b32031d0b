"""Latent values: standard normal, correlated over waves, over outcomes and within clusters as assumed."""

from collections.abc import Callable, Mapping

import numpy as np

from equipoise.diagnosis.simulated.covariance import (
    Factors,
    Shared,
    Variable,
    factors_of,
    lower_root,
    own_covariance,
    shared_by_units,
)
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
        self._factors = factors_of(protocol, self.shared)
        self._drawn: list[Variable] = []
        self._known: dict[tuple[str, ...], Floats] = {}
        self._shared: dict[tuple[str, str], Floats] = {}

    def draw(self, outcome: str, wave: str) -> Floats:
        """The values of an outcome at a wave, shape (n,)."""
        factors = self._factors
        own = self._in_turn(outcome, wave) if factors is None else self._by_factors(factors, outcome, wave)
        for shared in self.shared:
            own = own + self._of_unit(shared, outcome)[self.units[shared.unit]]
        return own

    def _by_factors(self, factors: Factors, outcome: str, wave: str) -> Floats:
        """What stays and what the wave adds, of all outcomes and of this one alone."""
        place = factors.names.index(outcome)
        stays, own = factors.stays[place], factors.own_stays[place]
        common = np.sqrt(stays) * self._chance("trait") + np.sqrt(1 - stays) * self._chance("common", wave)
        alone = np.sqrt(own) * self._chance("trait", outcome)
        alone += np.sqrt(1 - own) * self._chance("latent", wave, outcome)
        return np.asarray(factors.common[place] * common + factors.alone * alone)

    def _in_turn(self, outcome: str, wave: str) -> Floats:
        """Each variable given all those drawn before."""
        self._drawn.append((outcome, wave))
        root = lower_root(own_covariance(self.protocol, self._drawn, self.shared))[-1]
        found = np.zeros(self.n)
        for part, (name, at) in zip(root, self._drawn, strict=True):
            found += part * self._chance("latent", at, name)
        return found

    def _chance(self, *key: str) -> Floats:
        """Standard normal values of a stream, drawn once."""
        if key not in self._known:
            self._known[key] = self.stream(*key).standard_normal(self.n)
        return self._known[key]

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
