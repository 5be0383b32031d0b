"""Random intercepts: the covariance of rows that share a cluster, a person, or a period of a cluster.

V = s^2 I + sum_r s_r^2 Z_r Z_r', one indicator column a level of each grouping. Rows fall apart into blocks
that share no level; within a block Woodbury's identity asks only for Z'Z and Z'U, so that the people of a
cluster do not count, only its levels. Blocks with equally many levels are computed together.

Searle, Casella & McCulloch (1992), Variance Components, ch. 6.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from equipoise.estimation.arrays import Bools, Floats, Ints
from equipoise.estimation.mixed.moments import Moments

__all__ = ["RandomIntercepts", "random_intercepts"]


@dataclass(frozen=True, eq=False)
class _Blocks:
    """Blocks with q levels each.

    Attributes:
        gram: (blocks, q, q) Z'Z.
        inner: (blocks, q, k + 1) Z'U.
        grouping: (blocks, q) the grouping that each level belongs to.
    """

    gram: Floats
    inner: Floats
    grouping: Ints


@dataclass(frozen=True, eq=False)
class RandomIntercepts:
    """The covariance; its parameters are the groupings' variances and then the residual variance.

    Attributes:
        names: of the parameters.
        rows: number of rows.
    """

    names: tuple[str, ...]
    rows: int
    _total: Floats
    _blocks: tuple[_Blocks, ...]

    @property
    def start(self) -> Floats:
        """A tenth of the variance for each grouping, the rest residual; the outcome has variance 1."""
        groupings = len(self.names) - 1
        return np.append(np.full(groupings, 0.1), max(1 - 0.1 * groupings, 0.1))

    @property
    def nonnegative(self) -> Bools:
        """Every variance but the residual one may be 0."""
        return np.arange(len(self.names)) < len(self.names) - 1

    def moments(self, values: Floats) -> Moments | None:
        """The cross products at some variances; None where the residual variance is not above 0."""
        residual, count = float(values[-1]), len(values) - 1
        if not residual > 0:
            return None
        width = len(self._total)
        log_det, cross = self.rows * float(np.log(residual)), self._total.copy()
        first, second = np.zeros((count, width, width)), np.zeros((count, count, width, width))
        traces, pairs = np.zeros(count), np.zeros((count, count))
        for blocks in self._blocks:
            root = np.sqrt(values[:-1] / residual)[blocks.grouping]
            whole = np.eye(root.shape[1]) + root[:, :, None] * blocks.gram * root[:, None, :]
            both = np.concatenate((blocks.gram, blocks.inner), axis=2)
            solved = root[:, :, None] * np.linalg.solve(whole, root[:, :, None] * both)
            left = both - blocks.gram @ solved
            gram, inner = left[:, :, : root.shape[1]], left[:, :, root.shape[1] :]
            log_det += float(np.linalg.slogdet(whole)[1].sum())
            cross -= _product(blocks.inner, solved[:, :, root.shape[1] :])
            masks = [blocks.grouping == number for number in range(count)]
            parts = [inner * mask[:, :, None] for mask in masks]
            diagonal = np.einsum("bqq->bq", gram)
            for r in range(count):
                first[r] += _product(parts[r], parts[r])
                traces[r] += float(diagonal[masks[r]].sum())
                for s in range(count):
                    second[r, s] += _product(parts[r], gram @ parts[s])
                    pairs[r, s] += float(((gram * masks[s][:, None, :]) ** 2)[masks[r]].sum())
        found = Moments(
            log_det, cross / residual, first / residual**2, second / residual**3, traces / residual,
            pairs / residual**2,
        )  # fmt: skip
        return _with_residual(found, values, self.rows)


def random_intercepts(groupings: Mapping[str, Ints], columns: Floats) -> RandomIntercepts:
    """Reduces the rows to what random intercepts need of them.

    Args:
        groupings: by name, the level of each row, shape (n,); codes from 0.
        columns: (n, k + 1) the design, and the outcome last.
    Returns:
        The covariance, with the parameters named as the groupings and, last, `residual`.
    """
    codes = list(groupings.values())
    sizes = [int(code.max()) + 1 for code in codes]
    offsets = np.concatenate(([0], np.cumsum(sizes)))
    rows, levels = len(columns), int(offsets[-1])
    where = np.concatenate([code + offset for code, offset in zip(codes, offsets, strict=False)])
    indicators = sparse.csr_array(
        (np.ones(len(where)), (np.tile(np.arange(rows), len(codes)), where)), shape=(rows, levels)
    )
    gram = sparse.coo_array(indicators.T @ indicators)
    _, block = connected_components(gram, directed=False)
    grouping = np.repeat(np.arange(len(codes)), sizes)
    blocks = _in_batches(gram, np.asarray(indicators.T @ columns), grouping, block.astype(np.int64))
    return RandomIntercepts((*groupings, "residual"), rows, columns.T @ columns, blocks)


def _in_batches(gram: sparse.coo_array, inner: Floats, grouping: Ints, block: Ints) -> tuple[_Blocks, ...]:
    """The blocks, those with equally many levels together."""
    order = np.argsort(block, kind="stable")
    counts = np.bincount(block)
    starts = np.concatenate(([0], np.cumsum(counts)[:-1]))
    place = np.empty(len(block), dtype=np.int64)
    place[order] = np.arange(len(block)) - starts[block[order]]
    row, column = gram.coords
    found = []
    for size in np.unique(counts):
        chosen = np.flatnonzero(counts == size)
        number = np.full(len(counts), -1)
        number[chosen] = np.arange(len(chosen))
        levels = order[starts[chosen][:, None] + np.arange(size)]
        entries = number[block[row]] >= 0
        dense = np.zeros((len(chosen), size, size))
        dense[number[block[row[entries]]], place[row[entries]], place[column[entries]]] = gram.data[entries]
        found.append(_Blocks(dense, inner[levels], grouping[levels]))
    return tuple(found)


def _product(one: Floats, other: Floats) -> Floats:
    """The sum over blocks of A'B."""
    return np.asarray(one.reshape(-1, one.shape[2]).T @ other.reshape(-1, other.shape[2]))


def _with_residual(found: Moments, values: Floats, rows: int) -> Moments:
    """Adds the residual parameter, by V^-1 = V^-1 V V^-1: its products are what the groupings leave."""
    variances, residual = values[:-1], float(values[-1])

    def rest(whole: Floats, parts: Floats) -> Floats:
        return np.asarray((whole - np.tensordot(variances, parts, axes=1)) / residual)

    def bordered(inside: Floats, edge: Floats, corner: Floats) -> Floats:
        right = np.concatenate((inside, edge[:, None]), axis=1)
        turned = edge if edge.ndim == 1 else edge.transpose(0, 2, 1)
        below = np.concatenate((turned, corner[None]))
        return np.concatenate((right, below[None]))

    last = rest(found.cross, found.first)
    edge = np.array([rest(found.first[r], found.second[r]) for r in range(len(variances))])
    corner = rest(last, edge.transpose(0, 2, 1))
    trace = rest(np.asarray(float(rows)), found.traces)
    along = np.array([rest(found.traces[r], found.pairs[r]) for r in range(len(variances))])
    return Moments(
        found.log_det,
        found.cross,
        np.concatenate((found.first, last[None])),
        bordered(found.second, edge, corner),
        np.append(found.traces, trace),
        bordered(found.pairs, along, rest(trace, along)),
    )
