"""Trials drawn from a model, and how often the intervals of mixed models hold the effect that was put in."""

from collections.abc import Callable, Iterator
from itertools import combinations

import numpy as np

from equipoise.errors import DesignError
from equipoise.estimation.inference import Estimate
from equipoise.estimation.mixed.arms import mixed_effect
from equipoise.estimation.mixed.crossover import fit_crossover
from equipoise.estimation.mixed.mmrm import mmrm_effect
from equipoise.estimation.mixed.wedge import fit_stepped_wedge

__all__ = ["CASES", "held"]

EFFECT = 0.7
SIZES = np.array([3, 4, 5, 6, 8, 9, 11, 12, 14, 15])
CLUSTER = np.repeat(np.arange(10), SIZES)
SKEWED = np.random.default_rng(5)
POPULATION = SKEWED.exponential(1.0, 10)[CLUSTER] + SKEWED.exponential(1.5, len(CLUSTER))
HALVES = np.array([np.isin(np.arange(10), (0, *chosen)) for chosen in combinations(range(1, 10), 4)])
Draw = Callable[[np.random.Generator], Estimate]


def every_half(dof: str) -> Iterator[Estimate]:
    """The ways of giving five of ten clusters the second arm, in one fixed skewed population.

    Of 252 ways 126 are the others with the arms changed about, which miss the truth by as much.
    """
    for half in HALVES:
        arm = half[CLUSTER].astype(int)
        yield mixed_effect(POPULATION + EFFECT * arm, arm, (-1, 1), cluster=CLUSTER, dof=dof)


def few_clusters(dof: str) -> Draw:
    """Eight clusters of 3 to 12 people, intracluster correlation 0.1."""

    def draw(rng: np.random.Generator) -> Estimate:
        inside = CLUSTER < 8
        cluster = CLUSTER[inside]
        arm = cluster % 2
        y = rng.normal(0, 1 / 3, 8)[cluster] + rng.normal(0, 1, len(cluster)) + EFFECT * arm
        return mixed_effect(y, arm, (-1, 1), cluster=cluster, dof=dof)

    return draw


def waves(rng: np.random.Generator) -> Estimate:
    """Thirty people and four waves; who was low stays away from then on: missing at random."""
    level, arm = rng.normal(0, 1, (30, 1)), np.arange(30) % 2
    y = level + rng.normal(0, 1, (30, 4)) * np.array([0.8, 1, 1.1, 1.2])
    y[:, 1:] += EFFECT * arm[:, None]
    for wave in range(1, 4):
        leaves = np.isnan(y[:, wave - 1]) | ((y[:, wave - 1] < -1) & (rng.random(30) < 0.5))
        y[leaves, wave] = np.nan
    return mmrm_effect(y, arm, (-1, 1))


def wedge(rng: np.random.Generator) -> Estimate:
    """Nine clusters, three steps, four periods, five people at a time; the effect grows with exposure."""
    cluster, period = (part.ravel() for part in np.mgrid[0:9, 0:4].repeat(5, axis=2))
    exposure = np.maximum(0, period - cluster % 3)
    pair = rng.normal(0, 0.4, (9, 4))[cluster, period]
    y = rng.normal(0, 0.6, 9)[cluster] + pair + 0.2 * period + rng.normal(0, 1, len(cluster))
    y = y + EFFECT * exposure / 2
    return fit_stepped_wedge(y, exposure, period, cluster).average()


def crossed(rng: np.random.Generator) -> Estimate:
    """Twelve people, two arms, two periods, one in six without the second."""
    arms = np.tile([[0, 1], [1, 0]], (6, 1))
    y = rng.normal(0, 2, (12, 1)) + rng.normal(0, 1, (12, 2)) + np.array([0, 0.5]) + EFFECT * arms
    y[:2, 1] = np.nan
    return fit_crossover(y, arms, arms=2).effect((-1, 1))


CASES: dict[str, Draw | str] = {
    "10 clusters of 3 to 15, one skewed population, every allocation, Kenward-Roger": "kenward-roger",
    "10 clusters of 3 to 15, one skewed population, every allocation, Satterthwaite": "satterthwaite",
    "8 clusters of 3 to 12, Kenward-Roger": few_clusters("kenward-roger"),
    "8 clusters of 3 to 12, Satterthwaite": few_clusters("satterthwaite"),
    "30 people, 4 waves, missing at random, unstructured, Kenward-Roger": waves,
    "stepped wedge of 9 clusters, effect by exposure, Kenward-Roger": wedge,
    "crossover of 12 people with gaps, Kenward-Roger": crossed,
}


def held(name: str, draws: int) -> tuple[float, int]:
    """How often the 95% interval holds the effect, and of how many trials that could be estimated."""
    case = CASES[name]
    if isinstance(case, str):
        found = list(every_half(case))
    else:
        rng = np.random.default_rng(20_260_401)
        found = [one for _ in range(draws) if (one := _tried(case, rng)) is not None]
    return float(np.mean([one.interval.contains(EFFECT) for one in found])), len(found)


def _tried(case: Draw, rng: np.random.Generator) -> Estimate | None:
    try:
        return case(rng)
    except DesignError:
        return None
