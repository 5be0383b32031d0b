"""A stage's arms: drawn verifiably or allocated on arrival, by whatever method."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from equipoise.allocation.beside import NOTHING, Beside
from equipoise.allocation.chance.keyed import Key
from equipoise.allocation.design import Codes, Counts, Design, Ratio, design
from equipoise.allocation.methods import METHODS, Acceptance, Arrival, ArrivalPlan
from equipoise.allocation.probabilities import UnitProbabilities, unit_probabilities
from equipoise.allocation.text import distinct, normalised
from equipoise.errors import DesignError, Problem, nearest

__all__ = ["Allocation", "allocate", "arm_on_arrival"]

_STAGE = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, eq=False)
class Allocation:
    """A stage's units with their arms.

    Attributes:
        units: identifiers in normal form C, as given.
        design: the procedure, with each unit's stratum.
        codes: shape (n,), each unit's arm as its place in `design.arms`.
        warnings: strata in which an arm got nobody.
        accepted: which draw a criterion accepted; None without a criterion.
    """

    units: Sequence[str]
    design: Design
    codes: Codes
    warnings: tuple[str, ...]
    accepted: Acceptance | None = None

    @property
    def arms(self) -> list[str]:
        """Each unit's arm by name, in the order of `units`."""
        names = self.design.arms
        return [names[code] for code in self.codes.tolist()]

    @cached_property
    def probabilities(self) -> UnitProbabilities:
        """Each unit's chance of each arm, columns as `design.arms`, and whether it is exact."""
        return unit_probabilities(self.design)

    @property
    def counts(self) -> Counts:
        """Units by stratum and arm, shape (strata, arms)."""
        return _counts(self.design, self.codes)


def allocate(
    units: Sequence[str],
    strata: Sequence[str] | None,
    arms: Ratio,
    *,
    method: str,
    stage: str,
    seed: bytes,
    blocks: Sequence[int] | None = None,
    arrival: bool = False,
    beside: Beside = NOTHING,
) -> Allocation:
    """Draw the arms of one stage, so that anyone with the seed can repeat it.

    Args:
        units: identifiers; of clusters where clusters are allocated (see `clusters`).
        strata: each unit's stratum (see `strata_labels`), or None.
        arms: `{arm: share}`, or `{stratum: {arm: share}}` where ratios differ between strata.
        method: a key of `METHODS`.
        stage: the stage's name; `main` where there is one.
        seed: 32 bytes, as `derive_seed` gives them.
        blocks: sizes of permuted blocks as multiples of the ratio's sum; 1, 2 and 3 unless given.
        arrival: the units are in order of arrival (rolling enrolment). Later arrivals never change earlier
            arms; the arm then depends on the place in the queue and not on the identifier.
        beside: what the method looks at in each unit beside its stratum, in the units' order.
    Returns:
        The arms. Unless `arrival`, the order of the units is of no account.
    Raises:
        DesignError: an identifier is empty or occurs twice, or units, strata, ratio and method do not fit.
    """
    key = _key(seed, stage)
    names = normalised(units, "identifier")
    distinct(names, "identifier")
    if strata is not None and len(strata) != len(units):
        raise DesignError(
            Problem("", "allocation.strata", f"{len(strata)} strata for {len(units)} units; each needs one.")
        )
    plan = design(
        len(units) if strata is None else strata,
        arms,
        method=method,
        blocks=blocks,
        arrival=arrival,
        beside=beside,
    )
    draw, accept = METHODS[method].draw, METHODS[method].accept
    codes, accepted = (draw(plan, names, key), None) if accept is None else accept(plan, names, key)
    return Allocation(names, plan, codes, _warnings(plan, _counts(plan, codes)), accepted)


def arm_on_arrival(
    plan: ArrivalPlan,
    stage: str,
    seed: bytes,
    *,
    stratum: str,
    number: int,
    levels: Sequence[str] = (),
    earlier: Sequence[Sequence[str]] = (),
) -> str:
    """The arm of one person who arrives: the same that `allocate` gives with `arrival` for the whole queue.

    Args:
        plan: as `arrival_plan` gives it, unchanged since the first arrival.
        stage: the stage's name.
        seed: 32 bytes, as `derive_seed` gives them.
        stratum: the person's (see `strata_labels`); empty where there are no strata.
        number: the person's place in the queue of the stratum, counted from 1.
        levels: the person's levels of the factors that are minimised, in the order of the plan's `levels`.
        earlier: the same of everybody who came before in the stratum, in order of arrival.
    Raises:
        DesignError: a stratum or a level that the plan does not know, a place before the first, or others
            before it than those who came earlier.
    """
    if number < 1:
        raise DesignError(
            Problem("", "allocation", f"place {number} in the queue: places are counted from 1.")
        )
    arrive = METHODS[plan.method].arrive
    if arrive is None:
        raise DesignError(Problem("", "allocation.method", f"{plan.method} needs all units before the draw."))
    label = normalised([stratum], "stratum", empty=True)[0]
    before = [_levels(plan, one) for one in earlier]
    if plan.levels and len(before) != number - 1:
        message = f"place {number} in the queue, and {len(before)} who came earlier; each of them counts."
        raise DesignError(Problem("", "allocation", message))
    return plan.arms[arrive(plan, _key(seed, stage), Arrival(label, number, _levels(plan, levels), before))]


def _levels(plan: ArrivalPlan, given: Sequence[str]) -> tuple[str, ...]:
    """The levels of one person, each known to the plan."""
    if len(given) != len(plan.levels):
        message = f"{len(given)} levels for the factors {', '.join(plan.levels) or '(none)'}; give one each."
        raise DesignError(Problem("", "allocation.balance", message))
    names = tuple(normalised(given, "level"))
    for name, (factor, known) in zip(names, plan.levels.items(), strict=True):
        if known is not None and name not in known:
            message = f'"{name}" is no level of {factor}. Levels: {nearest(name, known)}'
            raise DesignError(Problem("", "allocation.balance", message))
    return names


def _key(seed: bytes, stage: str) -> Key:
    if not _STAGE.fullmatch(stage):
        message = (
            f'"{stage}" cannot name a stage; use lower-case letters, digits and underscores, a letter first.'
        )
        raise DesignError(Problem("", "allocation.stage", message))
    return Key(seed, stage)


def _counts(plan: Design, codes: Codes) -> Counts:
    arms = len(plan.arms)
    cells = np.bincount(plan.stratum * arms + codes, minlength=len(plan.labels) * arms)
    return cells.reshape(len(plan.labels), arms).astype(np.int64)


def _warnings(plan: Design, counts: Counts) -> tuple[str, ...]:
    return tuple(
        f'stratum "{plan.labels[place]}" ({plan.sizes[place]}): nobody in arm {", ".join(missing)}'
        for place in np.flatnonzero((counts == 0).any(axis=1))
        if (missing := [arm for arm, count in zip(plan.arms, counts[place], strict=True) if count == 0])
    )
