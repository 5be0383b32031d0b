"""Fixed populations, every way (or many ways) of allocating them, and how often intervals hold the truth.

Outcomes are skewed on purpose. Under a constant effect everybody gains the same; under a varying one the gain
grows with the outcome, as where a programme helps those who are well off most.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
import numpy.typing as npt

from equipoise.estimation.effects.adjusted import lin_interacted, linear_effect
from equipoise.estimation.effects.neyman import difference_in_means
from equipoise.estimation.effects.pairs import paired_difference
from equipoise.estimation.inference import Estimate

__all__ = ["CASES", "Case", "coverage"]

Arms = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
CONTRAST = (-1.0, 1.0)


@dataclass(frozen=True)
class Population:
    """Outcomes without and with the programme, a covariate, strata (or pairs) and clusters, one row a person."""

    without: Floats
    gain: Floats
    before: Floats
    strata: Arms
    cluster: Arms

    def seen(self, arm: Arms) -> Floats:
        """The outcomes that an allocation shows."""
        return self.without + arm * self.gain


@dataclass(frozen=True)
class Case:
    """A design with a method: how its arms may fall, and the estimate that each fall gives.

    `exact` says that `allocations` are all there are, each equally likely.
    """

    population: Population
    exact: bool
    allocations: Callable[[int], Iterator[Arms]]
    estimate: Callable[[Population, Arms], Estimate]


def coverage(case: Case, draws: int) -> tuple[float, int]:
    """The share of allocations whose interval holds the average gain, and how many were looked at."""
    truth = float(case.population.gain.mean())
    held = [case.estimate(case.population, arm).interval.contains(truth) for arm in case.allocations(draws)]
    return float(np.mean(held)), len(held)


def _population(
    people: int, effects: str, *, stratum: int = 1, cluster: int = 1, seed: int = 7
) -> Population:
    """Skewed outcomes that a covariate tells something of, in strata and clusters of equal size."""
    rng = np.random.default_rng(seed)
    strata, clusters = np.arange(people) // stratum, np.arange(people) // cluster
    before = rng.normal(size=people)
    shared = rng.gamma(1.0, 1.0, clusters.max() + 1)[clusters] * (cluster > 1)
    without = np.exp(0.6 * before + 0.6 * rng.normal(size=people)) + 0.3 * (strata % 5) + shared
    gain = np.full(people, 0.5) if effects == "constant" else 0.6 * (without - without.min())
    return Population(without, gain, before, strata, clusters)


def _halves(units: int) -> Iterator[Arms]:
    """Every way of choosing half of the units."""
    for chosen in combinations(range(units), units // 2):
        arm = np.zeros(units, dtype=np.int64)
        arm[list(chosen)] = 1
        yield arm


def _within(population: Population) -> Iterator[Arms]:
    """Every way of choosing half of each stratum; strata are blocks of neighbouring rows."""
    size = int((population.strata == 0).sum())
    for parts in product(list(_halves(size)), repeat=len(population.without) // size):
        yield np.concatenate(parts)


def _drawn(people: int, treated: int, draws: int) -> Iterator[Arms]:
    rng = np.random.default_rng(11)
    arm = (np.arange(people) < treated).astype(np.int64)
    for _ in range(draws):
        yield rng.permutation(arm)


def _means(people: Population, arm: Arms) -> Estimate:
    return difference_in_means(people.seen(arm), arm, CONTRAST)


def _strata(people: Population, arm: Arms) -> Estimate:
    return difference_in_means(people.seen(arm), arm, CONTRAST, strata=people.strata)


def _pairs(people: Population, arm: Arms) -> Estimate:
    return paired_difference(people.seen(arm), arm, CONTRAST, people.strata)


def _linear(variance: str, dof: str) -> Callable[[Population, Arms], Estimate]:
    def estimate(people: Population, arm: Arms) -> Estimate:
        return linear_effect(
            people.seen(arm),
            arm,
            CONTRAST,
            covariates=people.before,
            variance=variance,
            dof=dof,  # type: ignore[arg-type]
        )

    return estimate


def _lin(people: Population, arm: Arms) -> Estimate:
    return lin_interacted(people.seen(arm), arm, CONTRAST, covariates=people.before)


def _clusters(variance: str, dof: str) -> Callable[[Population, Arms], Estimate]:
    def estimate(people: Population, arm: Arms) -> Estimate:
        return linear_effect(
            people.seen(arm),
            arm,
            CONTRAST,
            cluster=people.cluster,
            variance=variance,
            dof=dof,  # type: ignore[arg-type]
        )

    return estimate


def _cases(effects: str) -> dict[str, Case]:
    few, blocks, pairs = (
        _population(12, effects),
        _population(16, effects, stratum=4),
        _population(20, effects, stratum=2),
    )
    many, clusters = _population(60, effects), _population(60, effects, cluster=6)

    def whole(population: Population, treated: int) -> Callable[[int], Iterator[Arms]]:
        return lambda draws: _drawn(len(population.without), treated, draws)

    def by_cluster(_draws: int) -> Iterator[Arms]:
        return (arm[clusters.cluster] for arm in _halves(10))

    return {
        "12 people, half and half": Case(few, True, lambda _: _halves(12), _means),
        "4 strata of 4": Case(blocks, True, lambda _: _within(blocks), _strata),
        "10 pairs": Case(pairs, True, lambda _: _within(pairs), _pairs),
        "60 people, 20 against 40": Case(many, False, whole(many, 20), _means),
        "60 people, half and half, covariate, HC2": Case(
            many, False, whole(many, 30), _linear("HC2", "satterthwaite")
        ),
        "60 people, 12 against 48, covariate, HC1, n - k": Case(
            many, False, whole(many, 12), _linear("HC1", "residual")
        ),
        "60 people, 12 against 48, covariate, HC2": Case(
            many, False, whole(many, 12), _linear("HC2", "satterthwaite")
        ),
        "60 people, 20 against 40, Lin": Case(many, False, whole(many, 20), _lin),
        "10 clusters of 6, CR2": Case(clusters, True, by_cluster, _clusters("CR2", "satterthwaite")),
        "10 clusters of 6, CR0, normal": Case(clusters, True, by_cluster, _clusters("CR0", "residual")),
    }


CASES = {effects: _cases(effects) for effects in ("constant", "varying")}
"""By the kind of effects, then by the name of the design and the method."""
