"""`rerandomised`: blocked draws one after another, until one balances the covariates well enough.

The distance of a draw is sum over arms a of n p_a d_a' S^-1 d_a, where d_a is the mean of the covariates,
less their stratum's mean, over everybody, each of arm a counted 1 / p_a(unit) times and others not at all;
p_a is arm a's mean share, and S the covariance within strata. With two arms and no strata it is Morgan and
Rubin's M (2012, Ann. Stat. 40:1263, eq. 1); with more it is their extension by a statistic of the analysis of
variance, that of Pillai and Bartlett times the degrees of freedom. Arms enter alike.

The threshold is the distance that the declared share of public draws does not exceed (see `public_draws`;
1,000 of them, or 50 / accept if that is more): it hangs on the units' strata and covariates alone, and any
language finds it; see docs/decisions/0020. Candidates are keyed by the seed and counted from 1; the first
within the threshold is the draw. Distances that differ by less than a part in 10**9 count as equal, as they
may be equal but for rounding.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from itertools import count
from math import ceil, exp, lgamma, log

import numpy as np
import numpy.typing as npt

from equipoise.allocation.beside import Beside
from equipoise.allocation.chance.keyed import Key
from equipoise.allocation.design import Codes, Design
from equipoise.allocation.methods.blocked import draw_blocked, simulate_blocked
from equipoise.allocation.methods.contract import Acceptance, Accepted
from equipoise.allocation.methods.public import public_draws
from equipoise.allocation.people.covariates import standard_columns
from equipoise.errors import DesignError, Problem

__all__ = ["accept_rerandomised", "draw_rerandomised", "even_rerandomised", "simulate_rerandomised"]

Floats = npt.NDArray[np.float64]

_WHERE = "allocation.criterion"
_LEAST_DRAWS, _IN_THE_TAIL = 1_000, 50
_LEAST_LEFT = 20  # allocations that must stay possible: with fewer no p-value could be below 0.05
_EQUAL = 1e-9
_AT_ONCE = 4_000_000  # arms simulated in one piece, to bound memory


@dataclass(frozen=True, eq=False)
class _Criterion:
    """What a draw is held to.

    `columns` has shape (arms, n, covariates): what a unit adds to the arm's distance from the whole.
    """

    columns: Floats
    threshold: float

    def distances(self, codes: Codes) -> Floats:
        """The distance of each draw, shape (trials,)."""
        found = np.zeros(len(codes))
        for arm, columns in enumerate(self.columns):
            found += (((codes == arm).astype(np.float64) @ columns) ** 2).sum(axis=1)
        return found

    def accepts(self, distance: Floats) -> npt.NDArray[np.bool_]:
        return np.asarray(distance <= self.threshold * (1 + _EQUAL))


def accept_rerandomised(plan: Design, units: Sequence[str], key: Key) -> Accepted:
    """The first keyed candidate within the threshold, its number and its distance.

    Raises:
        DesignError: covariates that nothing can be measured in, or a criterion that leaves chance too little.
    """
    criterion = _criterion_of(plan)
    for number in count(1):
        codes = draw_blocked(plan, units, key.within("candidate", number))
        distance = criterion.distances(codes[None, :])
        if criterion.accepts(distance)[0]:
            break
    return Accepted(codes, Acceptance(number, _told(distance[0]), _told(criterion.threshold)))


def draw_rerandomised(plan: Design, units: Sequence[str], key: Key) -> Codes:
    """The arms of the first keyed candidate within the threshold."""
    return accept_rerandomised(plan, units, key).codes


def simulate_rerandomised(plan: Design, trials: int, rng: np.random.Generator) -> Codes:
    """Shape (trials, units): blocked draws, of which those within the threshold are kept."""
    criterion, accept = _criterion_of(plan), float(plan.beside.accept or 1)
    most = max(1, _AT_ONCE // len(plan.stratum))
    kept: list[Codes] = []
    missing = trials
    while missing > 0:
        codes = simulate_blocked(plan, min(most, ceil(1.2 * missing / accept)), rng)
        kept.append(codes[criterion.accepts(criterion.distances(codes))])
        missing -= len(kept[-1])
    return np.concatenate(kept)[:trials] if kept else np.empty((0, len(plan.stratum)), dtype=np.int8)


def even_rerandomised(plan: Design) -> bool:
    """With equal shares the arms may change names in any draw and nothing else changes: chances are equal."""
    return bool((plan.shares == 1).all())


def _told(distance: float) -> float:
    """A distance as the record tells it: six digits, as rounding may move the last ones."""
    return float(f"{distance:.6g}")


def _criterion_of(plan: Design) -> _Criterion:
    """The criterion, its threshold found by public draws of the same units in the order of their values."""
    beside, accept = plan.beside, Fraction(str(plan.beside.accept))
    columns = _columns(plan)
    _refuse_few(plan, float(accept))
    values = zip(*beside.columns.values(), strict=True)
    rows = tuple(sorted(zip(plan.stratum.tolist(), values, strict=True)))
    shares = tuple(map(tuple, plan.shares.tolist()))
    return _Criterion(columns, _threshold(shares, rows, tuple(beside.columns), beside.numbers, accept))


def _columns(plan: Design) -> Floats:
    standard = standard_columns(plan.beside.columns, plan.beside.numbers, plan.stratum, _WHERE)
    shares = (plan.shares / plan.shares.sum(axis=1, keepdims=True))[plan.stratum]
    scale = np.sqrt(shares.mean(axis=0) / len(standard)) / shares
    return np.ascontiguousarray(scale.T[:, :, None] * standard)


@lru_cache(maxsize=32)
def _threshold(
    shares: tuple[tuple[int, ...], ...],
    rows: tuple[tuple[int, tuple[str, ...]], ...],
    names: tuple[str, ...],
    numbers: tuple[str, ...],
    accept: Fraction,
) -> float:
    """The distance that the declared share of public draws does not exceed."""
    values = zip(*(row for _, row in rows), strict=True)
    plan = Design(
        "blocked",
        tuple(str(arm) for arm in range(len(shares[0]))),
        tuple(str(place) for place in range(len(shares))),
        np.array([place for place, _ in rows], dtype=np.intp),
        np.array(shares, dtype=np.int64),
        beside=Beside(dict(zip(names, values, strict=True)), numbers=numbers),
    )
    criterion, draws = _Criterion(_columns(plan), 0.0), max(_LEAST_DRAWS, ceil(_IN_THE_TAIL / accept))
    distance = np.concatenate([criterion.distances(codes) for codes in public_draws(plan, draws)])
    threshold = float(np.sort(distance)[ceil(accept * draws) - 1])
    _refuse_coarse(replace(criterion, threshold=threshold).accepts(distance), float(accept))
    return threshold


def _refuse_few(plan: Design, accept: float) -> None:
    """A criterion that leaves hardly any allocation would leave nothing to chance."""
    sets = plan.shares * (plan.sizes // plan.shares.sum(axis=1))[:, None]
    possible = sum(lgamma(row.sum() + 1) - sum(lgamma(n + 1) for n in row) for row in sets)
    if possible + log(accept) >= log(_LEAST_LEFT):
        return
    all_ways = exp(possible)
    found = (
        f"about {all_ways:,.0f} allocations are possible, of which {accept:g} leaves {all_ways * accept:.1f}"
    )
    enough = _LEAST_LEFT / all_ways
    remedy = f"`accept: {enough:.2g}` or more keeps {_LEAST_LEFT}" if enough < 1 else "use `method: blocked`"
    raise DesignError(Problem("", _WHERE, f"{found}: too few for chance. Enrol more units, or {remedy}"))


def _refuse_coarse(accepted: npt.NDArray[np.bool_], accept: float) -> None:
    """Covariates of few values can balance in so many draws that the declared share cannot be told apart."""
    share, error = float(accepted.mean()), (accept * (1 - accept) / len(accepted)) ** 0.5
    if share > 2 * accept and share > accept + 4 * error:
        found = f"{share:.2g} of draws balance the covariates equally well, so {accept:g} cannot be chosen"
        remedy = f"write `accept: {ceil(share * 100) / 100:g}`, or name covariates of more values"
        raise DesignError(Problem("", _WHERE, f"{found}; {remedy}"))
