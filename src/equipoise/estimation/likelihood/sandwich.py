"""The sandwich covariance of models fitted by likelihood."""

from collections.abc import Sequence
from typing import Literal, TypedDict

import numpy as np
import numpy.typing as npt

from equipoise.errors import nearest
from equipoise.estimation.arrays import Floats, Ints, refuse

__all__ = ["LikelihoodOptions", "Robust", "robust_kind", "sandwich"]

Robust = Literal["HC0", "HC1", "CR0", "CR1"]


class LikelihoodOptions(TypedDict, total=False):
    """What every model fitted by likelihood takes besides outcome and arm."""

    covariates: npt.ArrayLike | None
    strata: npt.ArrayLike | None
    cluster: npt.ArrayLike | None
    variance: Robust | None
    arm_names: Sequence[str] | None
    covariate_names: Sequence[str] | None


def robust_kind(variance: Robust | None, cluster: Ints | None) -> Robust:
    """The kind of sandwich: `HC1` where left out, `CR1` with clusters.

    Raises:
        DesignError: a kind that does not suit the presence of clusters.
    """
    allowed: tuple[Robust, ...] = ("HC1", "HC0") if cluster is None else ("CR1", "CR0")
    kind = variance or allowed[0]
    if kind not in allowed:
        raise refuse("variance", f'is "{kind}"; expected one of {nearest(kind, allowed)}')
    return kind


def sandwich(bread: Floats, scores: Floats, kind: Robust, cluster: Ints | None) -> Floats:
    """The covariance of a maximum of a likelihood that need only have the mean right.

    Args:
        bread: (k, k) inverse of the observed information.
        scores: (n, k) by row.
        kind: `HC1` has the factor n/(n-k), `CR1` G/(G-1) (n-1)/(n-k).
        cluster: (n,) codes from 0 without gaps, for CR.
    Raises:
        DesignError: a single cluster.

    White (1982), Econometrica 50:1, theorem 3.2; by cluster Liang & Zeger (1986), Biometrika 73:13.
    """
    rows, columns = scores.shape
    factor = rows / (rows - columns) if kind == "HC1" else 1.0
    if cluster is not None:
        blocks = int(cluster.max()) + 1
        if blocks < 2:
            raise refuse("cluster", "holds one cluster; errors by cluster need at least two.")
        scores = np.stack([np.bincount(cluster, column) for column in scores.T], axis=1)
        factor = blocks / (blocks - 1) * (rows - 1) / (rows - columns) if kind == "CR1" else 1.0
    return np.asarray(bread @ (scores.T @ scores * factor) @ bread)
