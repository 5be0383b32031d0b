"""The contrast of least squares on arms, covariates and stratum effects, for many allocations at once.

Only the arms' columns change from draw to draw. By Frisch, Waugh and Lovell the contrast is that of the
outcome on the arms, both less their projection on covariates and strata, and that projection is computed
once (`blocks`). In each draw the arms' columns are made orthonormal one after the other, from which follow
the contrast, the hat matrix and, by its adjustment, the robust variance.
"""

from dataclasses import dataclass, field

import numpy as np

from equipoise.estimation.arrays import Bools, Floats, Ints
from equipoise.estimation.least_squares.covariance import BLIND, FULL_LEVERAGE, Variance
from equipoise.estimation.randomisation.blocks import Blocks
from equipoise.estimation.randomisation.moments import Moments, settled
from equipoise.estimation.randomisation.redraws import Codes
from equipoise.estimation.randomisation.scratch import Scratch

__all__ = ["Additive", "adjusted_to"]

_COLLINEAR = 1e-16
_POWER = {"HC2": -0.5, "CR2": -0.5, "HC3": -1.0, "CR3": -1.0}


@dataclass(frozen=True, eq=False)
class Additive:
    """A statistic: see `Statistic`.

    Attributes:
        blocks: outcomes, covariates and strata, the same in every draw.
        contrast: (arms,) weights by the codes of the draw, adding up to 0.
        variance: the kind of covariance.
        scale: (q,) the size of each outcome.
        together: (b,) for CR0 of blocks that are drawn apart and err together: the cluster of each block, as
            codes; None where a block errs by itself.
    """

    blocks: Blocks
    contrast: Floats
    variance: Variance
    scale: Floats
    together: Ints | None = None
    _scratch: Scratch = field(default_factory=Scratch)

    def __call__(self, codes: Codes, /) -> Moments:
        arms = self._arms(codes)
        scores = [column @ self.blocks.outcomes for column in arms.columns]
        effect = sum(weight[:, None] * score for weight, score in zip(arms.weights, scores, strict=True))
        residuals = []
        for place, outcome in enumerate(self.blocks.outcomes.T):
            fitted = self._combined(f"residual {place}", arms.columns, [score[:, place] for score in scores])
            residuals.append(np.subtract(outcome, fitted, out=fitted))
        covariance, blind = self._covariance(arms, residuals)
        return settled(np.asarray(effect), covariance, arms.undefined | blind, self.scale)

    def _arms(self, codes: Codes) -> "_Arms":
        """The arms' columns, projected and orthonormal, and the contrast in their coordinates."""
        placed, size = self.blocks.placed(codes), self.blocks.free.shape[1]
        columns: list[Floats] = []
        weights: list[Floats] = []
        undefined = np.zeros(len(codes), dtype=bool)
        for arm in self._order():
            indicator = self._take("indicator", placed)
            indicator[...] = placed == arm
            left = self.blocks.residual(indicator, self._take(f"arm {arm}", placed, size))
            weight = np.full(len(codes), self.contrast[arm])
            for column, above in zip(columns, weights, strict=True):
                shared = np.einsum("mb,mb->m", column, left)
                left -= shared[:, None] * column
                weight -= shared * above
            length = np.einsum("mb,mb->m", left, left)
            absent = length <= _COLLINEAR * self.blocks.rows
            undefined |= absent & (np.abs(weight) > BLIND)
            left *= np.where(absent, 0.0, 1 / np.sqrt(np.where(absent, 1.0, length)))[:, None]
            columns.append(left)
            weights.append(np.where(absent, 0.0, weight / np.sqrt(np.where(absent, 1.0, length))))
        return _Arms(columns, weights, undefined)

    def _combined(self, name: str, columns: list[Floats], weights: list[Floats]) -> Floats:
        """The sum of the arms' columns, (m, b r), each times its weight, (m,)."""
        total = self._scratch.take(name, columns[0].shape)
        np.multiply(columns[0], weights[0][:, None], out=total)
        for column, weight in zip(columns[1:], weights[1:], strict=True):
            total += column * weight[:, None]
        return total

    def _take(self, name: str, placed: Codes, size: int = 1) -> Floats:
        return self._scratch.take(name, (placed.shape[0], placed.shape[1] * size))

    def _order(self) -> list[int]:
        """Every arm but one that is compared; arms that are not compared come first, as covariates do."""
        compared = np.flatnonzero(self.contrast)
        others = np.flatnonzero(self.contrast == 0)
        return [int(arm) for arm in (*others, *compared[1:])]

    def _covariance(self, arms: "_Arms", residuals: list[Floats]) -> tuple[Floats, Bools]:
        """(m, q, q) and the draws whose error rests on what the design fits exactly."""
        blocks = self.blocks
        left = blocks.rows - blocks.rank - len(arms.columns)
        if self.variance == "classical":
            length = np.square(arms.weights).sum(axis=0)
            return length[:, None, None] * _products(residuals) / left, np.zeros(len(length), dtype=bool)
        if self.together is not None:
            influence = self._combined("influence", arms.columns, arms.weights)
            scores = [_by_cluster(influence * residual, self.together) for residual in residuals]
            return _products(scores), np.zeros(len(influence), dtype=bool)
        if blocks.free.shape[1] == 1:
            squares, blind = self._squares(arms)
            weighted = [
                np.multiply(squares, one, out=self._scratch.take(f"weighted {place}", one.shape))
                for place, one in enumerate(residuals)
            ]
            return self._factor(left) * _between(weighted, residuals), blind
        adjusted, blind = self._adjusted(
            arms.columns, self._combined("influence", arms.columns, arms.weights)
        )
        scores = [_by_block(np.multiply(residual, adjusted, out=residual), blocks) for residual in residuals]
        return self._factor(left) * _products(scores), blind

    def _squares(self, arms: "_Arms") -> tuple[Floats, Bools]:
        """The squared influence of every block of one number over one minus its leverage, (m, b).

        Without roots: a score's square is all that a variance of one number a block needs.
        """
        first = arms.columns[0]
        squares = np.square(first, out=self._scratch.take("squares", first.shape))
        free = np.subtract(self.blocks.free[:, 0, 0], squares, out=self._scratch.take("free", first.shape))
        if len(arms.columns) == 1:
            squares *= np.square(arms.weights[0])[:, None]
        else:
            for column in arms.columns[1:]:
                free -= column**2
            np.square(self._combined("squares", arms.columns, arms.weights), out=squares)
        power = _POWER.get(self.variance)
        if power is None:
            return squares, np.zeros(len(squares), dtype=bool)
        if free.min(initial=1.0) > FULL_LEVERAGE:
            free = free if power == -0.5 else np.square(free, out=free)
            return np.divide(squares, free, out=squares), np.zeros(len(squares), dtype=bool)
        full = free <= FULL_LEVERAGE
        blind = (squares * full).sum(axis=1) > BLIND * squares.sum(axis=1)
        return np.where(full, 0.0, squares * np.where(full, 1.0, free) ** (2 * power)), blind

    def _factor(self, left: int) -> float:
        rows, count = self.blocks.rows, self.blocks.count
        if self.variance == "CR1":
            return count / (count - 1) * (rows - 1) / left
        return rows / left if self.variance == "HC1" else 1.0

    def _adjusted(self, columns: list[Floats], influence: Floats) -> tuple[Floats, Bools]:
        """The influences of blocks of several numbers, by the eigenvectors of one minus their hat matrix."""
        blocks, draws = self.blocks, len(influence)
        if self.variance not in _POWER:
            return influence, np.zeros(draws, dtype=bool)
        size = blocks.free.shape[1]
        parts = [column.reshape(draws, blocks.count, size) for column in columns]
        hat = sum(part[..., :, None] * part[..., None, :] for part in parts)
        values, vectors = np.linalg.eigh(blocks.free - hat)
        turned = np.einsum("mbij,mbi->mbj", vectors, influence.reshape(draws, blocks.count, size))
        shape = (draws, blocks.count * size)
        turned, blind = adjusted_to(self.variance, values.reshape(shape), turned.reshape(shape))
        back = np.einsum("mbij,mbj->mbi", vectors, turned.reshape(values.shape))
        return back.reshape(shape), blind


@dataclass(frozen=True, eq=False)
class _Arms:
    columns: list[Floats]
    weights: list[Floats]
    undefined: Bools


def adjusted_to(variance: str, free: Floats, influence: Floats) -> tuple[Floats, Bools]:
    """The influences times the power of one minus the leverage that a covariance asks for.

    Args:
        variance: HC2, HC3, CR2 or CR3; any other leaves the influences as they are.
        free: (m, b) one minus the leverage.
        influence: (m, b). Both may be overwritten: memory that is not asked for is time that is not spent.
    Returns:
        The influences adjusted, 0 at full leverage; and (m,) the draws in which that leaves something out.
    """
    power = _POWER.get(variance)
    if power is None:
        return influence, np.zeros(len(influence), dtype=bool)
    if free.min(initial=1.0) > FULL_LEVERAGE:
        root = np.sqrt(free, out=free) if power == -0.5 else free
        return np.divide(influence, root, out=influence), np.zeros(len(influence), dtype=bool)
    full = free <= FULL_LEVERAGE
    unseen = np.einsum("mb,mb->m", influence * full, influence)
    blind = unseen > BLIND * np.einsum("mb,mb->m", influence, influence)
    return influence * np.where(full, 0.0, np.where(full, 1.0, free) ** power), blind


def _products(scores: list[Floats]) -> Floats:
    """(m, q, q) inner products by draw."""
    return _between(scores, scores)


def _between(ones: list[Floats], others: list[Floats]) -> Floats:
    return np.stack(
        [np.stack([np.einsum("mb,mb->m", one, other) for other in others], axis=1) for one in ones], axis=1
    )


def _by_block(products: Floats, blocks: Blocks) -> Floats:
    return np.asarray(products.reshape(len(products), blocks.count, -1).sum(axis=2))


def _by_cluster(products: Floats, cluster: Ints) -> Floats:
    order = np.argsort(cluster, kind="stable")
    starts = np.flatnonzero(np.diff(cluster[order], prepend=-1))
    return np.asarray(np.add.reduceat(products[:, order], starts, axis=1))
