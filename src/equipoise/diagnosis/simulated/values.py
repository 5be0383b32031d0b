"""Values of questions and columns from a latent: mean, SD and share of zeros as assumed, whatever the bounds.

A value rises with the latent, and an effect is the latent shift that moves the population's mean by exactly
that much, so that bounds and rounding bias neither.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, Protocol

import numpy as np
from scipy import optimize, special

from equipoise.errors import DesignError
from equipoise.instruments.scoring import Floats
from equipoise.instruments.simulate import counts_for

__all__ = ["Scale", "values_of"]

# Midpoints of equal shares of the standard normal: expectations over it to about 1e-4 of an SD.
_CELLS = 20_000
_GRID: Floats = np.asarray(special.ndtri((np.arange(_CELLS) + 0.5) / _CELLS), dtype=np.float64)
_ATTAINED = 0.01  # a target is met when mean and SD are within this share of the SD
_FURTHEST = 8.0  # latent SDs: no effect is larger, and nobody lies further out


@dataclass(frozen=True)
class Scale:
    """What values may be: yes and no, counts from 0, or numbers, between bounds and perhaps whole."""

    kind: Literal["yes-no", "count", "number"]
    low: float = -np.inf
    high: float = np.inf
    whole: bool = False


def values_of(
    name: str,
    scale: Scale,
    mean: float,
    sd: float,
    latent: Floats,
    effect: Floats,
    *,
    zero_share: float | None = None,
) -> Floats:
    """Values of an outcome.

    Args:
        name: of the outcome, for messages.
        scale: what the values may be.
        mean: in the population, without the effect.
        sd: in the population; not looked at for yes and no.
        latent: shape (n,), standard normal; high latent, high value.
        effect: shape (n,), what each person's expected value moves by.
        zero_share: of a count, where it is assumed apart from mean and SD.
    Returns:
        Shape (n,); yes and no as 1 and 0.
    Raises:
        DesignError: no distribution on this scale is like that, or an effect leaves the scale.
        ScoringError: a count whose SD is too small.
    """
    found = np.empty(len(latent))
    for size in np.unique(effect):
        rows = effect == size
        if scale.kind == "yes-no":
            found[rows] = _yes(name, mean + float(size), latent[rows])
        else:
            curve = _curve(name, scale, mean, sd, zero_share)
            found[rows] = curve.values(latent[rows] + _shift(name, scale, mean, sd, zero_share, float(size)))
    return found


def _yes(name: str, share: float, latent: Floats) -> Floats:
    if not 0 <= share <= 1:
        raise DesignError(f"{name}: a share of {share:g}; mean and effect together have to be from 0 to 1")
    return np.asarray(latent > -special.ndtri(share), dtype=np.float64)


class _Curve(Protocol):
    def values(self, latent: Floats) -> Floats: ...


@dataclass(frozen=True)
class _Line:
    """Numbers on a straight line of the latent, rounded where whole, cut at the bounds."""

    centre: float
    slope: float
    scale: Scale

    def values(self, latent: Floats) -> Floats:
        line = self.centre + self.slope * latent
        line = np.floor(line + 0.5) if self.scale.whole else line
        return np.asarray(np.clip(line, self.scale.low, self.scale.high), dtype=np.float64)

    def moments(self) -> tuple[float, float]:
        """Mean and SD; of whole numbers by their probabilities, so that both move smoothly."""
        if not self.scale.whole:
            values = self.values(_GRID)
            return float(values.mean()), float(values.std())
        reach = _FURTHEST * self.slope
        low = max(self.scale.low, np.floor(self.centre - reach))
        high = max(min(self.scale.high, np.ceil(self.centre + reach)), low)
        whole = np.arange(low, high + 1)
        edges = special.ndtr((whole[:-1] + 0.5 - self.centre) / self.slope)
        chances = np.diff(np.concatenate([[0.0], edges, [1.0]]))
        mean = float(chances @ whole)
        return mean, float(np.sqrt(chances @ (whole - mean) ** 2))


@dataclass(frozen=True)
class _Table:
    """Values by the latent's rank in the population."""

    ranked: Floats

    def values(self, latent: Floats) -> Floats:
        place = np.minimum((special.ndtr(latent) * _CELLS).astype(np.int64), _CELLS - 1)
        return np.asarray(self.ranked[place], dtype=np.float64)


@lru_cache(maxsize=256)
def _curve(name: str, scale: Scale, mean: float, sd: float, zero_share: float | None) -> _Curve:
    if scale.kind == "number":
        return _solved_line(name, scale, mean, sd)
    highest = int(scale.high if np.isfinite(scale.high) else np.ceil(mean + 10 * sd))
    if zero_share is None:
        return _Table(counts_for(mean, sd, highest, _GRID))
    return _Table(_with_zeros(name, mean, sd, highest, zero_share))


def _with_zeros(name: str, mean: float, sd: float, highest: int, zeros: float) -> Floats:
    """Zeros in exactly their share, and above them counts from 1 that keep the mean and SD of all."""
    rest = mean / (1 - zeros)
    variance = (sd**2 + mean**2) / (1 - zeros) - rest**2
    if not (1 < rest < highest and variance > 0):
        raise DesignError(
            f"{name}: a share of {zeros:g} zeros does not go with a mean of {mean:g} and an SD of {sd:g}: "
            f"the others would have a mean of {rest:.3g} and a variance of {variance:.3g}, and they lie "
            f"between 1 and {highest}. Change one of the three"
        )
    ranks = (np.arange(_CELLS) + 0.5) / _CELLS
    above = special.ndtri(np.clip((ranks - zeros) / (1 - zeros), 1e-12, 1.0))
    if variance > rest - 1:
        counts: Floats = 1 + counts_for(rest - 1, float(np.sqrt(variance)), highest - 1, above)
    else:
        scale = Scale("number", 1.0, float(highest), whole=True)
        counts = _solved_line(name, scale, rest, float(np.sqrt(variance))).values(above)
    return np.asarray(np.where(ranks < zeros, 0.0, counts), dtype=np.float64)


def _solved_line(name: str, scale: Scale, mean: float, sd: float) -> _Line:
    if not scale.low < mean < scale.high:
        raise DesignError(f"{name}: a mean of {mean:g}, and values run from {scale.low:g} to {scale.high:g}")

    def gap(parameters: Floats) -> Floats:
        got = _Line(parameters[0], float(np.exp(parameters[1])), scale).moments()
        return np.array([got[0] - mean, got[1] - sd]) / sd

    start = np.array([mean, np.log(sd)])
    bounds = (start - np.array([20 * sd, 8.0]), start + np.array([20 * sd, 4.0]))
    fit = optimize.least_squares(gap, start, bounds=bounds, xtol=1e-12, ftol=1e-12, diff_step=1e-5)
    if np.abs(fit.fun).max() > _ATTAINED:
        got = np.array([mean, sd]) + fit.fun * sd
        kind = "whole numbers" if scale.whole else "numbers"
        raise DesignError(
            f"{name}: a mean of {mean:g} with an SD of {sd:g} cannot be had with {kind} from "
            f"{scale.low:g} to {scale.high:g}; nearest is {got[0]:.3g} with {got[1]:.3g}"
        )
    return _Line(float(fit.x[0]), float(np.exp(fit.x[1])), scale)


@lru_cache(maxsize=1024)
def _shift(name: str, scale: Scale, mean: float, sd: float, zero_share: float | None, effect: float) -> float:
    """The latent shift that moves the population's mean by `effect`."""
    if effect == 0:
        return 0.0
    curve = _curve(name, scale, mean, sd, zero_share)
    start = float(curve.values(_GRID).mean())

    def gap(shift: float) -> float:
        return float(curve.values(_GRID + shift).mean()) - start - effect

    if gap(-_FURTHEST) * gap(_FURTHEST) > 0:
        raise DesignError(f"{name}: an effect of {effect:g} on a mean of {mean:g} leaves the scale no room")
    return float(optimize.brentq(gap, -_FURTHEST, _FURTHEST, xtol=1e-9))
