"""Repeated waves of people in clusters: the covariance of the waves, and an intercept for each cluster.

V = R + s^2 Z Z', R the waves' covariance person by person, Z a column for each cluster. With D the inverse of
R, that of V is D - w D z z'D for each cluster, w = s^2 / (1 + s^2 z'D z). So what a cluster adds to the cross
products of people apart follows from sums over its people, whatever their number.

Laird & Ware (1982), Biometrics 38:963; Searle, Casella & McCulloch (1992), Variance Components, appendix M.5.
"""

from dataclasses import dataclass

import numpy as np

from equipoise.estimation.arrays import Bools, Floats, Ints
from equipoise.estimation.mixed.moments import Curvature, Moments
from equipoise.estimation.mixed.repeated import Repeated, Structure, people_by_pattern, repeated

__all__ = ["RepeatedInClusters", "repeated_in_clusters"]

_FIRST_SHARE = 0.1
"""Of the variance between clusters, where the search begins; the waves' own gives it up."""


@dataclass(frozen=True, eq=False)
class _Sums:
    """People who answered the same `waves` (t,), cluster by cluster: how many, (g,), and the sums of their
    rows, (g, t, k + 1)."""

    waves: Ints
    people: Floats
    rows: Floats


@dataclass(frozen=True, eq=False)
class _Shared:
    """What a cluster needs, by its number: U'D z (g, k + 1), z'D z (g,), and the same with derivatives of R
    between: U'D R_i D z, z'D R_i D z, U'D R_i D R_j D z, z'D R_i D R_j D z."""

    edge: Floats
    inner: Floats
    edges: Floats
    inners: Floats
    edge_pairs: Floats
    inner_pairs: Floats


@dataclass(frozen=True, eq=False)
class RepeatedInClusters:
    """The covariance; its parameters are those of the waves and then the variance between clusters."""

    waves: Repeated
    name: str
    clusters: int
    _sums: tuple[_Sums, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Of the parameters."""
        return (*self.waves.names, self.name)

    @property
    def start(self) -> Floats:
        """Most of the variance within clusters."""
        within = self.waves.start
        scaled = [not name.endswith("correlation") for name in self.waves.names]
        return np.append(np.where(scaled, within * (1 - _FIRST_SHARE), within), _FIRST_SHARE)

    @property
    def nonnegative(self) -> Bools:
        """The variance between clusters may be 0."""
        return np.append(self.waves.nonnegative, True)

    def moments(self, values: Floats) -> Moments | None:
        """The cross products at some values; None where they are no covariance."""
        apart = self.waves.moments(values[:-1])
        if apart is None:
            return None
        _, slopes, bends = self.waves.covariance(values[:-1])
        shared = self._shared(values[:-1], slopes)
        weight = values[-1] / (1 + values[-1] * shared.inner)
        log_det = apart.log_det + float(np.log1p(values[-1] * shared.inner).sum())
        curvature = apart.curvature
        if curvature is not None and bends is not None:
            curvature = self._curved(curvature, values[:-1], bends, shared, weight)
        return _joined(apart, shared, weight, log_det, curvature)

    def _shared(self, values: Floats, slopes: Floats) -> _Shared:
        """Sums over the patterns of answered waves."""
        parts = []
        whole = self.waves.covariance(values)[0]
        for sums in self._sums:
            chosen = np.ix_(sums.waves, sums.waves)
            inverse = np.asarray(np.linalg.inv(whole[chosen]), dtype=np.float64)
            turned = inverse @ slopes[:, chosen[0], chosen[1]]
            once = inverse.sum(axis=1)  # D z
            twice = turned @ once  # D R_i D z
            thrice = turned[:, None] @ twice[None, :, :, None]  # D R_i D R_j D z
            vectors = (once[None], twice, thrice[..., 0].reshape(-1, len(once)))
            parts.append(
                [
                    (np.einsum("ia,gak->igk", each, sums.rows), np.outer(each.sum(axis=1), sums.people))
                    for each in vectors
                ]
            )
        added = [[sum(part[level][side] for part in parts) for side in (0, 1)] for level in range(3)]
        count = len(slopes)
        (edge, inner), (edges, inners), (edge_pairs, inner_pairs) = added
        return _Shared(
            np.asarray(edge)[0],
            np.asarray(inner)[0],
            np.asarray(edges),
            np.asarray(inners),
            np.asarray(edge_pairs).reshape(count, count, *np.asarray(edge).shape[1:]),
            np.asarray(inner_pairs).reshape(count, count, -1),
        )

    def _curved(
        self, apart: Curvature, values: Floats, bends: Floats, shared: _Shared, weight: Floats
    ) -> Curvature:
        """What second derivatives of R add: they stand in V as first ones do."""
        count = len(bends)
        bent = self._shared(values, bends.reshape(count**2, *bends.shape[2:]))
        cross, traces = _first(bent, shared, weight)
        size = count + 1
        whole, sums = np.zeros((size, size, *cross.shape[1:])), np.zeros((size, size))
        whole[:count, :count] = apart.cross + cross.reshape(count, count, *cross.shape[1:])
        sums[:count, :count] = apart.traces + traces.reshape(count, count)
        return Curvature(whole, sums)


def repeated_in_clusters(
    structure: Structure, person: Ints, wave: Ints, columns: Floats, cluster: Ints, name: str
) -> RepeatedInClusters:
    """Reduces the rows to what the covariance needs of them.

    Args:
        structure: of the waves' covariance.
        person: (n,) codes from 0 without gaps.
        wave: (n,) codes from 0 in the order of time; no person has a wave twice.
        columns: (n, k + 1) the design, and the outcome last.
        cluster: (people,) codes from 0 without gaps, by the code of the person.
        name: of the variance between clusters.
    """
    count = int(cluster.max()) + 1
    sums = []
    for waves, people, rows in people_by_pattern(person, wave, len(columns)):
        total = np.zeros((count, len(waves), columns.shape[1]))
        np.add.at(total, cluster[people], columns[rows])
        held = np.bincount(cluster[people], minlength=count).astype(np.float64)
        sums.append(_Sums(waves, held, total))
    return RepeatedInClusters(repeated(structure, person, wave, columns), name, count, tuple(sums))


def _first(of: _Shared, shared: _Shared, weight: Floats) -> tuple[Floats, Floats]:
    """What clusters add to U'V^-1 V_i V^-1 U and to tr(V^-1 V_i)."""
    bordered = np.einsum("g,igk,gl->ikl", weight, of.edges, shared.edge)
    square = np.einsum("ig,gk,gl->ikl", weight**2 * of.inners, shared.edge, shared.edge)
    return square - bordered - bordered.transpose(0, 2, 1), -(of.inners @ weight)


def _joined(
    apart: Moments, shared: _Shared, weight: Floats, log_det: float, curvature: Curvature | None
) -> Moments:
    """The cross products of people apart, less what clusters share, bordered by the clusters' parameter."""
    edge, inner, edges, inners = shared.edge, shared.inner, shared.edges, shared.inners
    left = 1 - weight * inner  # z'V^-1 is this times z'D
    first, traces = _first(shared, shared, weight)
    own = np.einsum("g,gk,gl->kl", left**2, edge, edge)
    tilted = edges - (weight * inners)[:, :, None] * edge  # U'V^-1 V_i D z
    along = np.einsum("g,igk,gl->ikl", left**2, tilted, edge)
    corner = np.einsum("g,gk,gl->kl", left**3 * inner, edge, edge)
    beside = inners @ left**2
    return Moments(
        log_det,
        apart.cross - np.einsum("g,gk,gl->kl", weight, edge, edge),
        np.concatenate((apart.first + first, own[None])),
        _bordered(apart.second + _second(shared, weight), along, corner),
        np.append(apart.traces + traces, float(left @ inner)),
        _bordered(apart.pairs + _pairs(shared, weight), beside, np.asarray(np.square(left * inner).sum())),
        curvature,
    )


def _second(shared: _Shared, weight: Floats) -> Floats:
    """What clusters add to U'V^-1 V_i V^-1 V_j V^-1 U: the product of three inverses, written out."""
    edge, edges, inners = shared.edge, shared.edges, shared.inners
    through = np.einsum("g,ijgk,gl->ijkl", weight, shared.edge_pairs, edge)
    once = through + through.transpose(1, 0, 3, 2) + np.einsum("g,igk,jgl->ijkl", weight, edges, edges)
    near = np.einsum("g,ig,gk,jgl->ijkl", weight**2, inners, edge, edges)
    square = np.einsum("g,ijg,gk,gl->ijkl", weight**2, shared.inner_pairs, edge, edge)
    cube = np.einsum("g,ig,jg,gk,gl->ijkl", weight**3, inners, inners, edge, edge)
    return np.asarray(near + near.transpose(1, 0, 3, 2) + square - once - cube)


def _pairs(shared: _Shared, weight: Floats) -> Floats:
    """What clusters add to tr(V^-1 V_i V^-1 V_j)."""
    inners = shared.inners
    both = shared.inner_pairs @ weight
    return np.asarray((inners * weight**2) @ inners.T - both - both.T)


def _bordered(inside: Floats, edge: Floats, corner: Floats) -> Floats:
    right = np.concatenate((inside, edge[:, None]), axis=1)
    turned = edge if edge.ndim == 1 else edge.transpose(0, 2, 1)
    return np.concatenate((right, np.concatenate((turned, corner[None]))[None]))
