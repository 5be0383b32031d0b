"""From a contrast to weights on cells: the arms it names, crossed where it names several factors.

A term that leaves a factor open (`incentive.voucher` beside a factor `reminder`) is averaged over that factor
in the shares at which it was randomised.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

import numpy as np
import numpy.typing as npt

from equipoise.instruments.scoring import Floats
from equipoise.protocol.contrasts import Contrast

__all__ = ["Cells", "cells_of"]

Levels = Mapping[str, Sequence[str]]
Shares = Mapping[str, Mapping[str, Fraction]]


@dataclass(frozen=True)
class Cells:
    """The cells that a contrast compares.

    `names` in the order of the codes, `weights` shape (cells,), adding up to zero; `factors` crossed, with
    levels.
    """

    factors: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...]
    weights: Floats

    @property
    def names(self) -> tuple[str, ...]:
        """A cell's name: its levels, with a comma between."""
        return tuple(", ".join(cell) for cell in product(*self.levels))

    def codes(self, columns: Mapping[str, npt.NDArray[np.object_]]) -> npt.NDArray[np.int64]:
        """The cell of each row, -1 where a factor is missing; `columns` holds each factor's level by row."""
        code = np.zeros(len(next(iter(columns.values()))), dtype=np.int64)
        missing = np.zeros(len(code), dtype=bool)
        for factor, levels in zip(self.factors, self.levels, strict=True):
            place = {level: number for number, level in enumerate(levels)}
            found = np.array([place.get(level, -1) for level in columns[factor]], dtype=np.int64)
            missing |= found < 0
            code = code * len(levels) + np.maximum(found, 0)
        return np.where(missing, -1, code)


def cells_of(contrast: Contrast, levels: Levels, shares: Shares) -> Cells:
    """The weight of every cell of the factors that a contrast names.

    Args:
        contrast: parsed.
        levels: every factor's levels, in order.
        shares: every factor's randomised shares, adding up to one.
    """
    factors = tuple(factor for factor in levels if factor in contrast.factors)
    chosen = tuple(tuple(levels[factor]) for factor in factors)
    weights = []
    for cell in product(*chosen):
        named = dict(zip(factors, cell, strict=True))
        weights.append(
            sum((_share(dict(term), named, shares) * weight for term, weight in contrast.cells), Fraction(0))
        )
    return Cells(factors, chosen, np.array([float(weight) for weight in weights]))


def _share(term: Mapping[str, str], cell: Mapping[str, str], shares: Shares) -> Fraction:
    """How much of a term falls into a cell: all that it names must agree, the rest enters by its share."""
    if any(cell[factor] != level for factor, level in term.items()):
        return Fraction(0)
    share = Fraction(1)
    for factor, level in cell.items():
        if factor not in term:
            share *= shares[factor][level]
    return share
