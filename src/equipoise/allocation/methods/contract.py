"""What a method of allocation is: how it draws with a key, how it simulates, and how it allocates on arrival.

A new method is one module in this folder with these functions, its line in `METHODS`, and its name in
`design.METHOD_NAMES`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from equipoise.allocation.beside import NOTHING, Beside
from equipoise.allocation.chance.keyed import Key
from equipoise.allocation.design import Codes, Design
from equipoise.errors import DesignError, Problem, nearest

__all__ = ["Acceptance", "Accepted", "Arrival", "ArrivalPlan", "Chances", "Method", "Together"]

Chances = dict[tuple[int, ...], Fraction]
"""Each allocation of a stratum's units that is possible, with its chance."""


Together = npt.NDArray[np.float64]
"""Shape (units, arms, units, arms): the chance that one unit is in one arm and another in another."""


@dataclass(frozen=True)
class Arrival:
    """One person who arrives, as far as a method may know.

    Attributes:
        stratum: the person's.
        number: the place in the stratum's queue, counted from 1.
        levels: the person's levels of the factors that the method balances, in their order.
        earlier: the levels of everybody who came before in the stratum, in order of arrival; empty unless
            the method looks at factors.
    """

    stratum: str
    number: int
    levels: tuple[str, ...] = ()
    earlier: Sequence[tuple[str, ...]] = ()


@dataclass(frozen=True)
class ArrivalPlan:
    """How people are allocated as they come, settled before the first of them.

    Attributes:
        method: one that can allocate in order of arrival.
        arms: names, sorted; the code of an arm is its place here.
        shares: by stratum, the arms' shares in lowest terms.
        elsewhere: the shares in every other stratum; None where no other is possible.
        blocks: sizes of permuted blocks, as multiples of the ratio's sum.
        beside: how the method treats what it looks at beside the stratum; its columns are empty.
        levels: by factor that the method balances, the levels that are possible; None where any is.
    """

    method: str
    arms: tuple[str, ...]
    shares: Mapping[str, tuple[int, ...]]
    elsewhere: tuple[int, ...] | None
    blocks: tuple[int, ...]
    beside: Beside = NOTHING
    levels: Mapping[str, tuple[str, ...] | None] = field(default_factory=dict)

    def shares_in(self, stratum: str) -> tuple[int, ...]:
        """The arms' shares in a stratum.

        Raises:
            DesignError: a stratum that the declared levels do not permit.
        """
        found = self.shares.get(stratum, self.elsewhere)
        if found is None:
            message = (
                f'"{stratum}" is no stratum of this study. Strata: {nearest(stratum, list(self.shares))}'
            )
            raise DesignError(Problem("", "allocation.strata", message))
        return found

    def slots_in(self, stratum: str) -> list[int]:
        """The code of each arm as often as its share."""
        return [code for code, share in enumerate(self.shares_in(stratum)) for _ in range(share)]


@dataclass(frozen=True)
class Acceptance:
    """Which draw a criterion accepted.

    Attributes:
        candidate: its number among the keyed draws, counted from 1.
        distance: how far apart the arms' covariates are in it, to six digits.
        threshold: the distance that is accepted at most, to six digits.
    """

    candidate: int
    distance: float
    threshold: float


class Accepted(NamedTuple):
    """A draw that a criterion accepted: each unit's arm, and what the record tells of it."""

    codes: Codes
    told: Acceptance


class Method(NamedTuple):
    """The functions of a method.

    Attributes:
        draw: each unit's arm by keyed chance, from the design, the units' identifiers and the key.
        simulate: many draws by a generator, shape (trials, units): the same distribution.
        chances: each allocation of one stratum, by its place in `design.labels`, with its exact chance; None
            where they cannot be listed.
        arrive: the code of one person's arm; None where all units must be known before the draw.
        even: whether it is certain that each unit's chance of an arm is the arm's share in its stratum; None
            where it always is. Where it is not, chances are estimated (see `probabilities`).
        accept: as `draw`, telling which draw was accepted; None where the first one stands.
        together: the exact chance of each pair of units; None where it is estimated (see `probabilities`).
    """

    draw: Callable[[Design, Sequence[str], Key], Codes]
    simulate: Callable[[Design, int, np.random.Generator], Codes]
    chances: Callable[[Design, int], Chances] | None = None
    arrive: Callable[[ArrivalPlan, Key, Arrival], int] | None = None
    even: Callable[[Design], bool] | None = None
    accept: Callable[[Design, Sequence[str], Key], Accepted] | None = None
    together: Callable[[Design], Together] | None = None
