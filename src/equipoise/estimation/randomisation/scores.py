"""The score of the arms in a model that was fitted without them, for many allocations at once.

Under the sharp null the outcomes, and so the model without the arms, are the same in every draw: it is fitted
once, and a draw costs two products of matrices.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from equipoise.errors import nearest
from equipoise.estimation.arrays import (
    Floats,
    Ints,
    codes_of,
    contrast_weights,
    finite,
    finite_columns,
    refuse,
    same_length,
)
from equipoise.estimation.effects.ordinal import ordinal_scores
from equipoise.estimation.effects.pseudo_likelihood import logistic_scores, poisson_scores
from equipoise.estimation.likelihood.null_scores import NullScores
from equipoise.estimation.randomisation.moments import Moments, settled
from equipoise.estimation.randomisation.redraws import Codes
from equipoise.estimation.randomisation.statistics import drawn_whole

__all__ = ["SCORED_MODELS", "score_of"]

_NULL: Mapping[str, Callable[[Floats, Floats | None, npt.ArrayLike | None], NullScores]] = {
    "logistic": logistic_scores,
    "ordinal": ordinal_scores,
    "poisson": poisson_scores,
}
SCORED_MODELS = tuple(_NULL)
"""Models that are tested by their score, since an effect fitted in every draw is dear."""


@dataclass(frozen=True, eq=False)
class _Scores:
    """A statistic: see `Statistic`.

    In a draw row i has the direction z_i: its arm's weight in the contrast over the people of that arm. The
    score is the sum of z_i times the derivative by the row's predictor, a contrast of means; each row's part
    of it, less what the model's own parameters explain, is squared for the variance.
    """

    null: NullScores
    place: Ints
    contrast: Floats
    scale: Floats
    clustered: bool
    order: Ints
    starts: Ints

    def __call__(self, codes: Codes, /) -> Moments:
        placed = codes[:, self.place]
        direction = np.zeros(placed.shape)
        absent = np.zeros(len(codes), dtype=bool)
        for arm in np.flatnonzero(self.contrast):
            there = placed == arm
            count = there.sum(axis=1)
            absent |= count == 0
            direction += there * (self.contrast[arm] / np.maximum(count, 1))[:, None]
        explained = (direction @ self.null.cross) @ (self.null.bread @ self.null.nuisance.T)
        parts = direction * self.null.predictor - explained
        if self.clustered:
            parts = np.add.reduceat(parts[:, self.order], self.starts, axis=1)
        variance = np.einsum("mb,mb->m", parts, parts)
        effect = direction @ self.null.predictor
        return settled(effect[:, None], variance[:, None, None], absent, self.scale)


def score_of(
    model: str,
    outcome: npt.ArrayLike,
    place: npt.ArrayLike,
    contrast: npt.ArrayLike,
    *,
    covariates: npt.ArrayLike | None = None,
    strata: npt.ArrayLike | None = None,
    cluster: npt.ArrayLike | None = None,
) -> _Scores:
    """The score of a contrast of arms and its robust error as functions of the allocation.

    Args:
        model: one of `SCORED_MODELS`.
        outcome: (n,) of those analysed, the same whatever the draw. Those in arms that are neither compared
            nor drawn again are to be left out.
        place: (n,) each row's unit of the draw.
        contrast: (arms,) weights by the codes of the draw, adding up to 0.
        covariates: (n, p) from before the draw.
        strata: (n,) labels.
        cluster: (n,) labels; each cluster must lie within one unit of the draw.
    Raises:
        DesignError: sizes that differ, or a model that has no fit without the arms.

    Boos (1992), The American Statistician 46:327, eq. 13; residuals of a model of covariates as outcomes of a
    randomisation test: Rosenbaum (2002), Statistical Science 17:286, section 3.
    """
    if model not in _NULL:
        raise refuse("model", f'is "{model}"; expected one of {nearest(model, SCORED_MODELS)}')
    y = finite(outcome, "outcome")
    units = np.asarray(place, dtype=np.int64)
    extra = None if covariates is None else finite_columns(covariates, "covariates")
    block = None if cluster is None else codes_of(cluster, "cluster")[0]
    same_length(len(y), place=units, covariates=extra, cluster=block)
    if block is not None:
        drawn_whole(block, units)
    null = _NULL[model](y, extra, strata)
    weights = contrast_weights(contrast, np.empty(0, dtype=np.int64))
    scale = np.array([max(float(np.abs(null.predictor).max()), np.finfo(np.float64).tiny)])
    order = np.arange(len(y)) if block is None else np.argsort(block, kind="stable")
    starts = order if block is None else np.flatnonzero(np.diff(block[order], prepend=-1))
    return _Scores(null, units, weights, scale, block is not None, order, starts)
