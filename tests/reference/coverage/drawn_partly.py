"""Trials in which not everybody takes up or answers: how often intervals hold the effect that they are about.

The people are fixed and the arms are drawn. Outcomes are skewed, and who takes up or answers is not like
those who do not. Under a constant effect everybody gains the same; under a varying one those who are well off
gain most.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import special

from equipoise.errors import DesignError
from equipoise.estimation.effects.instrumental import complier_effect
from equipoise.estimation.effects.neyman import difference_in_means
from equipoise.estimation.missing.lee import lee_bounds
from equipoise.estimation.missing.response_weights import effect_by_response_weights, response_model

__all__ = ["CASES", "EFFECTS", "held"]

EFFECTS = ("constant", "varying")
TWO = (-1.0, 1.0)
Truths = dict[str, bool]
"""Which of the intervals of one draw hold the truth, by the names of the cases."""
Draw = Callable[[np.random.Generator], Truths]


@dataclass(frozen=True)
class People:
    """Outcomes without and with what is offered, and a score before that tells something of them."""

    without: np.ndarray
    gain: np.ndarray
    before: np.ndarray


def people(count: int, effects: str) -> People:
    rng = np.random.default_rng(17)
    before = rng.normal(size=count)
    without = np.exp(0.5 * before + 0.6 * rng.normal(size=count))
    gain = np.full(count, 0.5) if effects == "constant" else 0.5 * (without - without.min())
    return People(without, gain, before)


def half(count: int, rng: np.random.Generator) -> np.ndarray:
    return rng.permutation(np.arange(count) % 2)


def takers(count: int, always: float, compliers: float, names: tuple[str, str], effects: str) -> Draw:
    """Those who always take up are the best off, those who never do the worst, in part by chance."""
    whole = people(count, effects)
    place = np.argsort(np.argsort(whole.before + np.random.default_rng(18).normal(size=count))) / count
    takes_anyway, never = place >= 1 - always, place < 1 - always - compliers
    truth = float(whole.gain[~takes_anyway & ~never].mean())

    def draw(rng: np.random.Generator) -> Truths:
        arm = half(count, rng)
        taken = np.where(arm == 1, ~never, takes_anyway).astype(np.float64)
        try:
            found = complier_effect(whole.without + taken * whole.gain, arm, TWO, taken)
        except DesignError:  # both arms take up as much: no effect, no interval, and nothing is claimed
            return {}
        inside = found.effect.interval.contains(truth), found.anderson_rubin.contains(truth)
        return dict(zip(names, inside, strict=True))

    return draw


def answering(extra: str, effects: str) -> Draw:
    """60 in 100 always answer, 20 more if they are in the first arm: the lowest of those who do, or any."""
    count = 200
    whole, rng = people(count, effects), np.random.default_rng(19)
    shown = whole.without + whole.gain
    always = rng.permutation(count) < 0.6 * count
    others = np.flatnonzero(~always)
    swayed = np.zeros(count, dtype=bool)
    swayed[rng.permutation(others)[: count // 5]] = True
    without = whole.without.copy()
    if extra == "lowest":  # then the best trimming takes just these away, and the truth is an end
        low = shown[always].min() - rng.exponential(size=int(swayed.sum()))
        without[swayed] = low - whole.gain[swayed]
    truth = float(whole.gain[always].mean())

    def draw(rng: np.random.Generator) -> Truths:
        arm = half(count, rng)
        answered = always | (swayed & (arm == 1))
        found = lee_bounds(without + arm * whole.gain, answered, arm, TWO)
        assert found.interval is not None
        return {LEE[extra]: found.interval.contains(truth)}

    return draw


def responding(effects: str) -> Draw:
    """Who was well off before answers more often, most of all in the second arm; answering is drawn too."""
    count = 200
    whole = people(count, effects)
    truth = float(whole.gain.mean())

    def draw(rng: np.random.Generator) -> Truths:
        arm = half(count, rng)
        answered = rng.random(count) < special.expit(0.5 + np.where(arm == 1, 1.2, 0.2) * whole.before)
        y = whole.without + arm * whole.gain
        weighted = effect_by_response_weights(y, response_model(answered, arm, whole.before), TWO)
        plain = difference_in_means(y[answered], arm[answered], TWO)
        inside = weighted.estimate.interval.contains(truth), plain.interval.contains(truth)
        return dict(zip(RESPONSE, inside, strict=True))

    return draw


STRONG = (
    "200 people, 60 in 100 follow their arm, two-stage least squares",
    "200 people, 60 in 100 follow their arm, Anderson-Rubin",
)
WEAK = (
    "100 people, 15 in 100 follow their arm, two-stage least squares",
    "100 people, 15 in 100 follow their arm, Anderson-Rubin",
)
LEE = {
    "any": "200 people, 80 in 100 answer against 60, Lee, truth inside the bounds",
    "lowest": "200 people, 80 in 100 answer against 60, Lee, truth at an end",
}
RESPONSE = (
    "200 people, answering hangs on the score before, response weights",
    "200 people, answering hangs on the score before, not weighted",
)
MADE: dict[tuple[str, ...], Callable[[str], Draw]] = {
    STRONG: lambda effects: takers(200, 0.1, 0.6, STRONG, effects),
    WEAK: lambda effects: takers(100, 0.35, 0.15, WEAK, effects),
    (LEE["any"],): lambda effects: answering("any", effects),
    (LEE["lowest"],): lambda effects: answering("lowest", effects),
    RESPONSE: responding,
}
CASES = tuple(name for names in MADE for name in names)


def held(name: str, effects: str, draws: int) -> float:
    """The share of draws whose interval holds the truth."""
    return _shares(next(names for names in MADE if name in names), effects, draws)[name]


@cache
def _shares(names: tuple[str, ...], effects: str, draws: int) -> dict[str, float]:
    """Of the cases that are computed from the same draws."""
    draw, rng = MADE[names](effects), np.random.default_rng(23)
    found: Iterator[Truths] = (draw(rng) for _ in range(draws))
    rows = [[one[name] for name in names] for one in found if one]
    return dict(zip(names, np.mean(rows, axis=0).tolist(), strict=True))
