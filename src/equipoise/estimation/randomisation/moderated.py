"""How far an effect varies, with levels or along a number, in every draw of the allocation."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from equipoise.estimation.arrays import Bools, Floats, Ints, codes_of, finite, refuse, same_length
from equipoise.estimation.randomisation.redraws import Codes

__all__ = ["Apart", "Moderation", "levels_apart", "slopes_apart"]

_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Apart:
    """How far effects are apart in each of m draws.

    Attributes:
        effects: (m, k, 2) differences of effects, of the outcome and of those whom an effect moved.
        own, both, moved: (m, k, k) their covariances: of the outcome, of it and those moved, of those moved.
        undefined: (m,) the draws that allow none.
    """

    effects: Floats
    own: Floats
    both: Floats
    moved: Floats
    undefined: Bools

    def sizes(self, effect: float) -> Floats:
        """Wald's statistic over its degrees of freedom of outcomes less an effect for those moved."""
        left = self.effects[..., 0] - effect * self.effects[..., 1]
        cross = self.both + self.both.transpose(0, 2, 1)
        covariance = self.own - effect * cross + effect**2 * self.moved
        scale = np.trace(self.own + effect**2 * self.moved, axis1=1, axis2=2)
        blind = np.linalg.det(covariance / np.where(scale > 0, scale, 1.0)[:, None, None]) <= _ROUNDING
        safe = np.where((blind | self.undefined)[:, None, None], np.eye(left.shape[1]), covariance)
        wald = np.einsum("mk,mk->m", left, np.linalg.solve(safe, left[..., None])[..., 0]) / left.shape[1]
        return np.where(self.undefined | (blind & (np.abs(left).max(axis=1) > 0)), np.inf, wald)


@dataclass(frozen=True, eq=False)
class Moderation:
    """What an effect may vary with: each row's share in parts of the effect, by arm.

    Attributes:
        columns: (n, 2) the outcome and those whom an effect moved, both less what they are adjusted for.
        groups: the rows, (g,), in which each part is found.
        along: (n,) a number along which the effect has a slope; None where its parts are means.
        place: (n,) each row's unit of the draw.
        contrast: (arms,) weights by the codes of the draw.
        cluster: (n,) codes, or None.
    """

    columns: Floats
    groups: tuple[Ints, ...]
    along: Floats | None
    place: Ints
    contrast: Floats
    cluster: Ints | None

    def __call__(self, codes: Codes, /) -> Apart:
        """Differences of the parts from the first, or the slope itself, in every draw."""
        parts = [self._part(codes[:, self.place[rows]], rows) for rows in self.groups]
        effects = np.stack([effect for effect, _, _ in parts], axis=1)
        undefined = np.asarray(np.stack([absent for _, _, absent in parts]).any(axis=0))
        pick = np.eye(1) if len(parts) == 1 else np.eye(len(parts))[1:] - np.eye(len(parts))[0]
        whole = self._covariance([shares for _, shares, _ in parts])
        whole = np.einsum("kl,mlpde,jp->mkjde", pick, whole, pick)
        effects = np.einsum("kl,mld->mkd", pick, effects)
        return Apart(effects, whole[..., 0, 0], whole[..., 0, 1], whole[..., 1, 1], undefined)

    def _covariance(self, shares: list[Floats]) -> Floats:
        """(m, parts, parts, 2, 2): parts are of other rows, and hang together only by clusters."""
        if self.cluster is None:
            found = np.zeros((len(shares[0]), len(shares), len(shares), 2, 2))
            for part, own in enumerate(shares):
                found[:, part, part] = own.transpose(0, 2, 1) @ own
            return found
        each = zip(shares, self.groups, strict=True)
        sums = [_by_cluster(own, self.cluster[rows], int(self.cluster.max()) + 1) for own, rows in each]
        stacked = np.stack(sums, axis=2)
        return np.asarray(np.einsum("mgld,mgpe->mlpde", stacked, stacked))

    def _part(self, placed: Codes, rows: Ints) -> tuple[Floats, Floats, Bools]:
        """(m, 2) the contrast among some rows, (m, g, 2) each row's share of its error, and where there is
        none."""
        columns = self.columns[rows]
        effect, shares = np.zeros((len(placed), 2)), np.zeros((*placed.shape, 2))
        undefined = np.zeros(len(placed), dtype=bool)
        for arm in np.flatnonzero(self.contrast):
            there = (placed == arm).astype(np.float64)
            count = there.sum(axis=1)
            weight, lost = self._weights(there, np.maximum(count, 1), rows)
            undefined |= (count <= lost) | (np.abs(weight).max(axis=1) == 0)
            effect += self.contrast[arm] * (weight @ columns)
            fitted = self._fitted(there, weight, np.maximum(count, 1), columns, rows)
            factor = np.sqrt(np.maximum(count, 1) / np.maximum(count - lost, 1))
            shares += (self.contrast[arm] * factor)[:, None, None] * weight[..., None] * (columns - fitted)
        return effect, shares, undefined

    def _weights(self, there: Floats, count: Floats, rows: Ints) -> tuple[Floats, int]:
        """How much each row counts in the mean, or in the slope; and the parameters fitted in an arm."""
        if self.along is None:
            return there / count[:, None], 1
        away = there * (self.along[rows] - (there @ self.along[rows] / count)[:, None])
        spread = np.square(away).sum(axis=1)
        return away / np.where(spread > 0, spread, 1.0)[:, None], 2

    def _fitted(self, there: Floats, weight: Floats, count: Floats, columns: Floats, rows: Ints) -> Floats:
        means = (there @ columns / count[:, None])[:, None, :]
        if self.along is None:
            return means
        middle = there @ self.along[rows] / count
        return np.asarray(
            means + (self.along[rows] - middle[:, None])[..., None] * (weight @ columns)[:, None, :]
        )


def levels_apart(
    outcome: npt.ArrayLike,
    moved: npt.ArrayLike,
    place: npt.ArrayLike,
    contrast: npt.ArrayLike,
    level: npt.ArrayLike,
    *,
    adjusted: npt.ArrayLike | None = None,
    cluster: npt.ArrayLike | None = None,
) -> Moderation:
    """Prepare the differences of a contrast between levels.

    Args:
        outcome: (n,).
        moved: (n,) 1 for those whom a constant effect moved, in the arms observed.
        place: (n,) each row's unit of the draw.
        contrast: (arms,) weights by the codes of the draw.
        level: (n,) labels known before the draw, two or more.
        adjusted: (n, p) columns known before the draw; outcomes are taken less what they explain (Rosenbaum
            2002, Statistical Science 17:286), levels allowed for.
        cluster: (n,) labels whose rows err together.
    Raises:
        DesignError: sizes that differ, or a single level.
    """
    codes, labels = codes_of(level, "level")
    if len(labels) < 2:
        raise refuse("level", f'is "{labels[0]}" for everybody; an effect varies between two or more.')
    dummies = (codes[:, None] == np.arange(len(labels))).astype(np.float64)
    groups = tuple(np.flatnonzero(codes == code) for code in range(len(labels)))
    return _moderation(outcome, moved, place, contrast, dummies, groups, None, adjusted, cluster)


def slopes_apart(
    outcome: npt.ArrayLike,
    moved: npt.ArrayLike,
    place: npt.ArrayLike,
    contrast: npt.ArrayLike,
    number: npt.ArrayLike,
    *,
    adjusted: npt.ArrayLike | None = None,
    cluster: npt.ArrayLike | None = None,
) -> Moderation:
    """Prepare the contrast of the arms' slopes along a number, (n,), known before the draw.

    Other arguments as for `levels_apart`.

    Raises:
        DesignError: sizes that differ.
    """
    along = finite(number, "number")
    base = np.stack((np.ones(len(along)), along), axis=1)
    everybody = (np.arange(len(along)),)
    return _moderation(outcome, moved, place, contrast, base, everybody, along, adjusted, cluster)


def _moderation(
    outcome: npt.ArrayLike,
    moved: npt.ArrayLike,
    place: npt.ArrayLike,
    contrast: npt.ArrayLike,
    base: Floats,
    groups: tuple[Ints, ...],
    along: Floats | None,
    adjusted: npt.ArrayLike | None,
    cluster: npt.ArrayLike | None,
) -> Moderation:
    columns = np.stack((finite(outcome, "outcome"), finite(moved, "moved")), axis=1)
    units, weights = np.asarray(place, dtype=np.int64), finite(contrast, "contrast")
    block = None if cluster is None else codes_of(cluster, "cluster")[0]
    extra = np.empty((len(columns), 0)) if adjusted is None else np.asarray(adjusted, dtype=np.float64)
    same_length(len(columns), place=units, cluster=block, adjusted=extra, level=base)
    design = np.concatenate((base, extra), axis=1)
    explained = np.linalg.lstsq(design, columns, rcond=None)[0]
    explained[: base.shape[1]] = 0.0  # what a level or the number itself explains is for the arms to share
    return Moderation(columns - design @ explained, groups, along, units, weights, block)


def _by_cluster(shares: Floats, cluster: Ints, clusters: int) -> Floats:
    """(m, clusters, 2) sums over the clusters of some rows, 0 where a cluster has none of them."""
    order = np.argsort(cluster, kind="stable")
    starts = np.flatnonzero(np.diff(cluster[order], prepend=-1))
    whole = np.zeros((len(shares), clusters, 2))
    whole[:, cluster[order][starts]] = np.add.reduceat(shares[:, order], starts, axis=1)
    return whole
