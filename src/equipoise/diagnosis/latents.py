"""Latent values: standard normal, correlated over waves and over outcomes as assumed."""

from collections.abc import Callable
from functools import cached_property

import numpy as np

from equipoise.errors import DesignError, NotSupportedError
from equipoise.instruments.scoring import Floats
from equipoise.protocol.models.protocol import Protocol

__all__ = ["Latents", "Stream"]

Stream = Callable[..., np.random.Generator]

_STABILITY = 0.5  # correlation over waves of what the outcomes have in common, where theirs leave it open


class Latents:
    """Latent values of n people, by outcome and wave; each outcome and each wave has its own stream.

    A value is `sqrt(rho) common + sqrt(1 - rho) own`, so that any two outcomes correlate by rho (better with
    better) at every wave. The common part is half a trait and half of the wave; the own part is tied to the
    own part before so that the value correlates with the one before as assumed.
    """

    def __init__(self, protocol: Protocol, n: int, stream: Stream) -> None:
        self.protocol, self.n, self.stream = protocol, n, stream
        self.correlation = protocol.diagnosis.assume.correlation
        if self.correlation < 0:
            raise NotSupportedError(
                f"diagnosis.assume.correlation: {self.correlation:g}; outcomes that go against each "
                "other (each turned to its good direction) cannot be simulated yet"
            )
        self._own: dict[str, Floats] = {}

    def draw(self, outcome: str, wave: str) -> Floats:
        """The values of an outcome at a wave, shape (n,); waves are drawn in their order."""
        sign = -1.0 if self.protocol.outcomes[outcome].good == "low" else 1.0
        rho = self.correlation
        before_after = self.protocol.diagnosis.assume.outcomes[outcome].before_after_correlation
        stability = _stability(before_after, rho)
        state = self.stream("common", wave).standard_normal(self.n)
        common = np.sqrt(stability) * self._trait + np.sqrt(1 - stability) * state
        own = self.stream("latent", wave, outcome).standard_normal(self.n)
        if outcome in self._own:
            tie = _own_tie(outcome, before_after, rho, stability)
            own = tie * self._own[outcome] + np.sqrt(1 - tie**2) * own
        self._own[outcome] = own
        return np.asarray(sign * np.sqrt(rho) * common + np.sqrt(1 - rho) * own, dtype=np.float64)

    @cached_property
    def _trait(self) -> Floats:
        return self.stream("trait").standard_normal(self.n)


def _stability(before_after: float, rho: float) -> float:
    """As near to a half as leaves the own part a correlation between -1 and 1."""
    if rho == 0:
        return 0.0
    least, most = (before_after - (1 - rho)) / rho, (before_after + (1 - rho)) / rho
    return float(np.clip(np.clip(_STABILITY, least, most), 0.0, 1.0))


def _own_tie(outcome: str, before_after: float, rho: float, stability: float) -> float:
    left = before_after - rho * stability
    tie = left / (1 - rho) if rho < 1 else left * np.inf if abs(left) > 1e-9 else 0.0
    if abs(tie) > 1 + 1e-9:
        raise DesignError(
            f"{outcome}: a before-after correlation of {before_after:g} does not go with a correlation of "
            f"{rho:g} between outcomes; make one of them smaller"
        )
    return float(np.clip(tie, -1.0, 1.0))
