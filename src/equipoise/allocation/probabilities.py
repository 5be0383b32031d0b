"""Probabilities of allocation, exact or estimated, and every allocation that a small design can give.

With most methods each unit's chance of an arm is its share of the ratio in the unit's stratum, whatever the
stratum's size: the method's module says why. A method for which that is no theorem says so by `even`; there
each unit's chance is estimated by drawing the design many times, with a generator that the design itself
seeds, so everybody who has the design finds the same figures.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product

import numpy as np
import numpy.typing as npt

from equipoise.allocation.design import Design
from equipoise.allocation.methods import METHODS
from equipoise.allocation.methods.contract import Chances
from equipoise.allocation.methods.listing import MOST_ALLOCATIONS
from equipoise.allocation.simulating import simulate
from equipoise.errors import DesignError, NotSupportedError

__all__ = [
    "Estimated",
    "PairProbabilities",
    "UnitProbabilities",
    "every_allocation",
    "exact_probabilities",
    "pair_probabilities",
    "unit_probabilities",
]

_SMALL = 24  # units, above which nobody should list every allocation
_DRAWS = 10_000
_MOST_CELLS = 6_000  # units times arms, whose pairs take 0.3 GB
_AT_ONCE = 4_000_000  # arms counted in one piece, to bound memory


@dataclass(frozen=True)
class Estimated:
    """How probabilities were estimated.

    Attributes:
        draws: how many times the design was drawn.
        error: the largest Monte-Carlo standard error of any unit's chance of any arm.
    """

    draws: int
    error: float


@dataclass(frozen=True, eq=False)
class UnitProbabilities:
    """Each unit's chance of each arm.

    Attributes:
        of_units: shape (units, arms).
        estimated: how; None where they are exact.
    """

    of_units: npt.NDArray[np.float64]
    estimated: Estimated | None = None


@dataclass(frozen=True, eq=False)
class PairProbabilities:
    """The chance of each arm for each two units, as `estimation.effects.weighted` takes it.

    Attributes:
        of_pairs: shape (units, arms, units, arms); with itself a unit is in one arm only.
        estimated: how; None where they are exact.
    """

    of_pairs: npt.NDArray[np.float64]
    estimated: Estimated | None = None


def exact_probabilities(plan: Design) -> dict[str, dict[str, Fraction]]:
    """The share of each arm in each stratum: the exact chance of its units, where the method is `even`."""
    return {
        label: {arm: Fraction(int(share), int(row.sum())) for arm, share in zip(plan.arms, row, strict=True)}
        for label, row in zip(plan.labels, plan.shares, strict=True)
    }


def unit_probabilities(plan: Design) -> UnitProbabilities:
    """Each unit's chance of each arm: exact where theory gives it, else estimated."""
    even = METHODS[plan.method].even
    if even is None or even(plan):
        shares = plan.shares / plan.shares.sum(axis=1, keepdims=True)
        return UnitProbabilities(np.asarray(shares[plan.stratum]))
    return _estimated(plan)


def pair_probabilities(plan: Design) -> PairProbabilities:
    """The chance that one unit is in one arm and another in another: what variances of weighted sums need.

    Exact where the method's module gives it in closed form; else the share of draws, by the design's seed.

    Raises:
        DesignError: more units than whose pairs can be held at once.
    """
    cells = len(plan.stratum) * len(plan.arms)
    if cells > _MOST_CELLS:
        most = _MOST_CELLS // len(plan.arms)
        message = f"{len(plan.stratum):,} units: chances of pairs are held for at most {most:,} of them."
        raise DesignError(message)
    together = METHODS[plan.method].together
    if together is not None:
        return PairProbabilities(together(plan))
    rng = np.random.default_rng(int.from_bytes(_digest(plan), "big"))
    counts, size = np.zeros((cells, cells)), max(1, _AT_ONCE // cells)
    for start in range(0, _DRAWS, size):
        codes = simulate(plan, min(size, _DRAWS - start), rng)
        got = (codes[:, :, None] == np.arange(len(plan.arms))).reshape(len(codes), cells).astype(np.float64)
        counts += got.T @ got
    joint = (counts / _DRAWS).reshape(len(plan.stratum), len(plan.arms), len(plan.stratum), len(plan.arms))
    return PairProbabilities(joint, Estimated(_DRAWS, float(np.sqrt(joint * (1 - joint) / _DRAWS).max())))


def _estimated(plan: Design) -> UnitProbabilities:
    """The share of draws in which each unit, and every other that looks the same, got each arm.

    Units of one stratum that show the method the same have the same chance unless they come in order, so
    they are counted together, and the order of the rows is of no account.
    """
    looks = _looks(plan)
    order = np.argsort(looks, kind="stable")
    beside = {name: [values[row] for row in order] for name, values in plan.beside.columns.items()}
    sorted_plan = replace(plan, stratum=plan.stratum[order], beside=replace(plan.beside, columns=beside))
    rng = np.random.default_rng(int.from_bytes(_digest(sorted_plan), "big"))
    size = max(1, _AT_ONCE // len(order))
    got = np.zeros((len(order), len(plan.arms)))
    for start in range(0, _DRAWS, size):
        codes = simulate(sorted_plan, min(size, _DRAWS - start), rng)
        got += np.stack([(codes == arm).sum(axis=0) for arm in range(len(plan.arms))], axis=1)
    alike = np.zeros((int(looks.max()) + 1, len(plan.arms)))
    np.add.at(alike, looks[order], got)
    of_units = (alike / (_DRAWS * np.bincount(looks))[:, None])[looks]
    error = float(np.sqrt(of_units * (1 - of_units) / _DRAWS).max())
    return UnitProbabilities(of_units, Estimated(_DRAWS, error))


def _looks(plan: Design) -> npt.NDArray[np.intp]:
    """Of each unit, the number of its kind: what the method sees of it, in a settled order of kinds."""
    if plan.arrival:
        return np.arange(len(plan.stratum))
    seen = list(zip(plan.stratum.tolist(), *plan.beside.columns.values(), strict=True))
    kinds = {kind: number for number, kind in enumerate(sorted(set(seen)))}
    return np.array([kinds[kind] for kind in seen])


def _digest(plan: Design) -> bytes:
    """What tells one design from another, whoever writes it down."""
    beside = plan.beside
    said = [
        *(plan.method, plan.arms, plan.labels, plan.stratum.tolist(), plan.shares.tolist(), plan.blocks),
        *(
            plan.arrival,
            sorted(beside.columns),
            [list(beside.columns[name]) for name in sorted(beside.columns)],
        ),
        *(beside.coin, beside.accept, beside.weights, beside.measure),
    ]
    return hashlib.sha256(json.dumps(said).encode()).digest()


def every_allocation(plan: Design) -> Iterator[tuple[tuple[int, ...], Fraction]]:
    """Each allocation that the design can give, with its probability; the probabilities sum to one.

    Raises:
        DesignError: too many to list; draw from them instead.
        NotSupportedError: a method whose allocations cannot be listed, such as permuted blocks, whose random
            sizes give one allocation in many ways.
    """
    chances = METHODS[plan.method].chances
    if chances is None:
        raise NotSupportedError(f"allocations by {plan.method} cannot be listed: draw from them instead.")
    if len(plan.stratum) > _SMALL:
        raise DesignError(
            f"{len(plan.stratum)} units: allocations are listed for at most {_SMALL}; draw from them instead."
        )
    if plan.method == "complete":
        plan = plan.pooled()
    within = [chances(plan, place) for place in range(len(plan.labels))]
    count = np.prod([float(len(cell)) for cell in within])
    if count > MOST_ALLOCATIONS:
        raise DesignError(
            f"{count:.3g} allocations: at most {MOST_ALLOCATIONS:,} can be listed; draw from them instead."
        )
    return _joined(plan, within)


def _joined(plan: Design, within: list[Chances]) -> Iterator[tuple[tuple[int, ...], Fraction]]:
    members = np.concatenate([np.flatnonzero(plan.stratum == place) for place in range(len(plan.labels))])
    back = np.argsort(members)
    for parts in product(*(cell.items() for cell in within)):
        arms = [code for codes, _ in parts for code in codes]
        chance = Fraction(1)
        for _, part in parts:
            chance *= part
        yield tuple(arms[place] for place in back), chance
