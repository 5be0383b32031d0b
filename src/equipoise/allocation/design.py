"""What is to be drawn: the units' strata, the arms with their ratio in each stratum, and the method.

The keyed draw and the simulations read the same `Design`, so they cannot disagree about the procedure.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import numpy.typing as npt

from equipoise.allocation.beside import NOTHING, Beside, criterion_misfits, minimisation_misfits
from equipoise.allocation.text import normalised
from equipoise.errors import DesignError, Problem, nearest

__all__ = ["METHOD_NAMES", "Codes", "Counts", "Design", "Ratio", "design"]

Codes = npt.NDArray[np.int8]
Counts = npt.NDArray[np.int64]
Shares = Mapping[str, int]
Ratio = Shares | Mapping[str, Shares]  # one ratio for everybody, or one for each stratum

METHOD_NAMES = (
    "simple",
    "complete",
    "blocked",
    "permuted-blocks",
    "minimised",
    "rerandomised",
    "matched-pairs",
)
IN_ORDER_OF_ARRIVAL = ("simple", "permuted-blocks", "minimised")
LARGEST_RATIO = 10_000  # each share is a slot that leftover units may draw
MOST_ARMS = 127  # arms are kept as one signed byte


@dataclass(frozen=True, eq=False)
class Design:
    """One stage's procedure for given units.

    Attributes:
        method: one of `METHOD_NAMES`.
        arms: names, sorted; the code of an arm is its place here.
        labels: the strata, sorted; one empty label where there are none.
        stratum: shape (n,), each unit's place in `labels`.
        shares: shape (strata, arms), the ratio in lowest terms.
        blocks: sizes of permuted blocks, as multiples of the ratio's sum.
        arrival: units come one by one, in the order given (rolling enrolment).
        beside: what the method looks at beside the strata.
    """

    method: str
    arms: tuple[str, ...]
    labels: tuple[str, ...]
    stratum: npt.NDArray[np.intp]
    shares: Counts
    blocks: tuple[int, ...] = (1, 2, 3)
    arrival: bool = False
    beside: Beside = NOTHING

    @property
    def sizes(self) -> Counts:
        """Units of each stratum, shape (strata,)."""
        return np.bincount(self.stratum, minlength=len(self.labels)).astype(np.int64)

    @property
    def slots(self) -> tuple[npt.NDArray[np.int64], ...]:
        """Of each stratum, every arm's code as often as its share: what leftover units draw from."""
        return tuple(np.repeat(np.arange(len(self.arms)), row) for row in self.shares)

    def pooled(self) -> "Design":
        """The same units as one stratum without a label: the whole trial, for complete allocation."""
        return replace(
            self,
            labels=("",),
            stratum=np.zeros_like(self.stratum),
            shares=np.ascontiguousarray(self.shares[:1]),
        )


def design(
    strata: Sequence[str] | int,
    ratio: Ratio,
    *,
    method: str,
    blocks: Sequence[int] | None = None,
    arrival: bool = False,
    beside: Beside = NOTHING,
) -> Design:
    """Check a procedure against the units that it is for.

    Args:
        strata: each unit's stratum, or the number of units where there are none.
        ratio: `{arm: share}`, or `{stratum: {arm: share}}` where ratios differ.
        method: one of `METHOD_NAMES`.
        blocks: sizes of permuted blocks as multiples of the ratio's sum; 1, 2 and 3 unless given.
        arrival: units come one by one in the order given; not every method can do that.
        beside: what the method looks at in each unit beside its stratum, in the units' order.
    Raises:
        DesignError: units, strata, ratio and method do not fit; all that is wrong is told at once.
    """
    _known(method)
    labels, stratum = _coded([""] * strata if isinstance(strata, int) else strata)
    shares_by_label, problems = _shares(ratio, labels, arrival)
    sizes = tuple((1, 2, 3) if blocks is None else blocks)
    problems += _misfits(len(stratum), shares_by_label, method, sizes, arrival)
    if method == "minimised" and not problems:
        problems += minimisation_misfits(beside, list(shares_by_label.values()))
    if method == "rerandomised" and not problems:
        problems += criterion_misfits(beside)
    if problems:
        raise DesignError(problems)
    arms, shares = _lowest_terms(shares_by_label, labels)
    seen = beside.of(len(stratum))
    return Design(method, arms, labels, stratum, shares, tuple(sorted(set(sizes))), arrival, seen)


def _known(method: str) -> None:
    if method not in METHOD_NAMES:
        raise DesignError(
            Problem(
                "",
                "allocation.method",
                f'unknown method "{method}". Methods: {nearest(method, METHOD_NAMES)}',
            )
        )


def _coded(strata: Sequence[str]) -> tuple[tuple[str, ...], npt.NDArray[np.intp]]:
    names = normalised(strata, "stratum", empty=True)
    labels = tuple(sorted(set(names)))
    place = {label: code for code, label in enumerate(labels)}
    return labels, np.fromiter(map(place.__getitem__, names), dtype=np.intp, count=len(names))


def _shares(
    ratio: Ratio, labels: tuple[str, ...], arrival: bool
) -> tuple[dict[str, dict[str, int]], list[Problem]]:
    """The shares of each stratum, and what is wrong with them."""
    if not ratio or not all(isinstance(value, Mapping) for value in ratio.values()):
        shared = dict(cast(Shares, ratio))
        return dict.fromkeys(labels, shared), _wrong_shares(shared, "ratio")
    names = normalised(list(ratio), "stratum", empty=True)
    given = {
        name: dict(value)
        for name, value in zip(names, cast(Mapping[str, Shares], ratio).values(), strict=True)
    }
    problems = [
        problem
        for name, shares in given.items()
        for problem in _wrong_shares(shares, f'ratio of stratum "{name}"')
    ]
    problems += [_no_ratio(label, list(given)) for label in labels if label not in given]
    # With rolling enrolment a stratum may still be waiting for its first arrival.
    problems += [_nobody(name) for name in given if name not in labels and not arrival]
    if len({frozenset(shares) for shares in given.values()}) > 1:
        problems.append(
            Problem(
                "",
                "allocation.ratio",
                "the strata name different arms; every stratum must give a share to each.",
            )
        )
    return {label: given.get(label, {}) for label in labels}, problems


def _wrong_shares(shares: Mapping[str, object], where: str) -> list[Problem]:
    whole = {
        arm: share for arm, share in shares.items() if isinstance(share, int) and not isinstance(share, bool)
    }
    problems = [
        Problem(
            "",
            f"allocation.{where}",
            f'arm "{arm}" has share {share!r}, so nobody could be allocated to it as written; '
            "give a whole number of at least 1, or take the arm out of the stage.",
        )
        for arm, share in shares.items()
        if whole.get(arm, 0) < 1
    ]
    if not 2 <= len(shares) <= MOST_ARMS:
        found = f"found {len(shares)} ({', '.join(shares) or 'none'})"
        problems.append(
            Problem("", f"allocation.{where}", f"{found}; between 2 and {MOST_ARMS} arms are needed.")
        )
    elif not problems and sum(whole.values()) // math.gcd(*whole.values()) > LARGEST_RATIO:
        problems.append(
            Problem(
                "",
                f"allocation.{where}",
                f"the shares sum to more than {LARGEST_RATIO:,}; use a simpler ratio.",
            )
        )
    return problems


def _no_ratio(label: str, given: list[str]) -> Problem:
    return Problem(
        "",
        "allocation.ratio",
        f'no ratio for stratum "{label}", so no arm is possible there. Given: {nearest(label, given)}',
    )


def _nobody(label: str) -> Problem:
    return Problem(
        "",
        "allocation.ratio",
        f'a ratio for stratum "{label}", which is empty: no unit is in it. Correct its name or take it out.',
    )


def _misfits(
    units: int, shares: dict[str, dict[str, int]], method: str, blocks: tuple[int, ...], arrival: bool
) -> list[Problem]:
    problems = []
    arms = max((len(row) for row in shares.values()), default=2)
    if units == 0:
        problems.append(Problem("", "allocation", "there is nobody to allocate: the roster has no units."))
    elif not arrival and method in ("complete", "blocked") and units < arms:
        found = f"{units} unit{'s' * (units != 1)} for {arms} arms"
        problems.append(
            Problem("", "allocation", f"{found}: an arm would be empty for certain; enrol more units first.")
        )
    if method == "complete" and len({frozenset(row.items()) for row in shares.values()}) > 1:
        message = "complete allocation draws the whole trial at one ratio; use blocked, or give one ratio."
        problems.append(Problem("", "allocation.ratio", message))
    if not blocks or any(isinstance(size, bool) or size < 1 for size in blocks):
        message = f"block sizes {list(blocks)}: give whole multiples of the ratio's sum, such as [1, 2, 3]."
        problems.append(Problem("", "allocation.blocks", message))
    if arrival and method not in IN_ORDER_OF_ARRIVAL:
        rolling = " or ".join(IN_ORDER_OF_ARRIVAL)
        message = f"{method} needs all units before the draw; with rolling enrolment use {rolling}."
        problems.append(Problem("", "allocation.method", message))
    return problems


def _lowest_terms(
    shares: dict[str, dict[str, int]], labels: tuple[str, ...]
) -> tuple[tuple[str, ...], Counts]:
    arms = tuple(sorted(shares[labels[0]]))
    rows = np.array([[shares[label][arm] for arm in arms] for label in labels], dtype=np.int64)
    return arms, rows // np.gcd.reduce(rows, axis=1, keepdims=True)
