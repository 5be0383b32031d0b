"""The effect of an arm that units have in turn, for many draws of who has it when.

Least squares with an effect for each unit and each period, as in a stepped wedge or a crossover: what changes
from draw to draw is in which periods a unit has the arm.
"""

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from equipoise.estimation.arrays import Bools, Floats, Ints, codes_of, finite, finite_columns, same_length
from equipoise.estimation.randomisation.blocks import Blocks, blocks_of
from equipoise.estimation.randomisation.moments import Moments, settled
from equipoise.estimation.randomisation.redraws import Codes
from equipoise.estimation.randomisation.scratch import Scratch

__all__ = ["InTurn", "in_turn"]

_COLLINEAR = 1e-16


@dataclass(frozen=True, eq=False)
class InTurn:
    """A statistic: see `Statistic`. Its error is clustered by unit, without small-sample adjustment.

    Attributes:
        blocks: outcomes by unit and period, in the order of the units.
        period: (b,) the period of each block.
        starts: (units measured,) the first block of each unit.
        moved: (sequences, periods) whether a sequence has the arm then.
        scale: (q,) the size of each outcome.
    """

    blocks: Blocks
    period: Ints
    starts: Ints
    moved: Bools
    scale: Floats
    _scratch: Scratch = field(default_factory=Scratch)

    def __call__(self, codes: Codes, /) -> Moments:
        indicator = self.moved[codes[:, self.blocks.place], self.period].astype(np.float64)
        shape = (len(codes), len(self.blocks.outcomes))
        left = self.blocks.residual(indicator, self._scratch.take("left", shape))
        length = np.einsum("mb,mb->m", left, left)
        absent = length <= _COLLINEAR * np.maximum(indicator.sum(axis=1), 1.0)
        length = np.where(absent, 1.0, length)
        effect = (left @ self.blocks.outcomes) / length[:, None]
        scores = [
            self._by_unit(left * (outcome - left * effect[:, [place]])) / length[:, None]
            for place, outcome in enumerate(self.blocks.outcomes.T)
        ]
        stacked = np.stack(scores, axis=2)
        return settled(effect, stacked.transpose(0, 2, 1) @ stacked, absent, self.scale)

    def _by_unit(self, products: Floats) -> Floats:
        size = self.blocks.free.shape[1]
        return np.asarray(np.add.reduceat(products, self.starts * size, axis=1))


def in_turn(
    outcome: npt.ArrayLike,
    place: npt.ArrayLike,
    period: npt.ArrayLike,
    moved: npt.ArrayLike,
    *,
    covariates: npt.ArrayLike | None = None,
    shifted: npt.ArrayLike | None = None,
) -> InTurn:
    """Prepare the statistic.

    Args:
        outcome: (n,) a row for each measurement.
        place: (n,) the unit of the draw that was measured.
        period: (n,) when, as codes from 0.
        moved: (sequences, periods) by the codes of the draw: whether a sequence has the arm in a period.
        covariates: (n, p) from before the draw.
        shifted: (n,) 1 where a constant effect moved the outcome, for an interval.
    Raises:
        DesignError: sizes that differ, or missing values.

    Hussey & Hughes (2007), Contemporary Clinical Trials 28:182, with units as fixed effects; Wang & De
    Gruttola (2017), Statistics in Medicine 36:2831, on permuting sequences.
    """
    y = finite(outcome, "outcome")
    columns = [y] if shifted is None else [y, finite(shifted, "shifted")]
    units, when = np.asarray(place, dtype=np.int64), np.asarray(period, dtype=np.int64)
    table = np.asarray(moved, dtype=bool)
    extra = None if covariates is None else finite_columns(covariates, "covariates")
    same_length(len(y), place=units, period=when, covariates=extra)
    cell, labels = codes_of(units * table.shape[1] + when, "period")
    periods = (when[:, None] == np.arange(table.shape[1])).astype(np.float64)
    design = periods if extra is None else np.concatenate((periods, extra), axis=1)
    stacked = np.stack(columns, axis=1)
    unit = codes_of(units, "place")[0]
    return InTurn(
        blocks_of(stacked, units, design, unit, cell),
        labels.astype(np.int64) % table.shape[1],
        np.unique(labels.astype(np.int64) // table.shape[1], return_index=True)[1],
        table,
        np.maximum(np.abs(stacked).max(axis=0), np.finfo(np.float64).tiny),
    )
