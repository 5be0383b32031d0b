"""The statistic of a randomisation test: the contrast of a model with its robust error, for many draws."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

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
from equipoise.estimation.least_squares.covariance import Variance, check_variance
from equipoise.estimation.randomisation.additive import Additive
from equipoise.estimation.randomisation.blocks import blocks_of
from equipoise.estimation.randomisation.interacted import interacted
from equipoise.estimation.randomisation.means import means
from equipoise.estimation.randomisation.moments import Statistic

__all__ = ["TESTED_MODELS", "drawn_whole", "statistic_of"]

TESTED_MODELS = ("difference-in-means", "linear", "lin-interacted")
"""Models whose contrast can be re-drawn. The rest iterate for each draw, and have no constant effect."""


def statistic_of(
    model: str,
    outcome: npt.ArrayLike,
    place: npt.ArrayLike,
    contrast: npt.ArrayLike,
    *,
    shifted: npt.ArrayLike | None = None,
    covariates: npt.ArrayLike | None = None,
    strata: npt.ArrayLike | None = None,
    randomised: Mapping[Any, float] | None = None,
    cluster: npt.ArrayLike | None = None,
    variance: str | None = None,
) -> Statistic:
    """A model's contrast and its error as functions of the allocation.

    Args:
        model: one of `TESTED_MODELS`.
        outcome: (n,) of those analysed; under the sharp null it is the same whatever the draw.
        place: (n,) each row's unit of the draw.
        contrast: (arms,) weights by the codes of the draw, adding up to 0.
        shifted: (n,) 1 for those whom a constant effect moved, in the arms observed; with it the test can be
            inverted to an interval.
        covariates: (n, p) from before the draw.
        strata: (n,) labels.
        randomised: people randomised in each stratum, by its label, for a difference in means.
        cluster: (n,) labels; each cluster must lie within one unit of the draw, but for linear with CR0.
        variance: kind of covariance; HC2, or CR2 with clusters, unless given.
    Raises:
        DesignError: sizes that differ, or a model, variance or cluster that the test cannot take.

    With `shifted` an effect of tau is tested by outcome - tau x shifted, whose contrast and variance in any
    draw follow from those of the two columns.
    """
    if model not in TESTED_MODELS:
        raise refuse("model", f'is "{model}"; expected one of {nearest(model, TESTED_MODELS)}')
    y = finite(outcome, "outcome")
    columns = [y] if shifted is None else [y, finite(shifted, "shifted")]
    outcomes = np.stack(columns, axis=1)
    units = np.asarray(place, dtype=np.int64)
    weights = contrast_weights(contrast, np.empty(0, dtype=np.int64))
    extra = None if covariates is None else finite_columns(covariates, "covariates")
    stratum = None if strata is None else codes_of(strata, "strata")[0]
    block = None if cluster is None else codes_of(cluster, "cluster")[0]
    same_length(len(y), place=units, covariates=extra, strata=stratum, cluster=block)
    scale = np.maximum(np.abs(outcomes).max(axis=0), np.finfo(np.float64).tiny)
    if model == "difference-in-means":
        share = _shares(stratum, strata, randomised)
        within = np.zeros(len(y), dtype=np.int64) if stratum is None else stratum
        return means(outcomes, units, weights, within, share, scale)
    kind = _variance(variance, clustered=block is not None)
    if block is not None and model == "linear" and kind == "CR0" and not _whole(block, units):
        return _apart(outcomes, units, weights, extra, stratum, block, scale)
    if block is not None:
        drawn_whole(block, units)
    if model == "lin-interacted":
        if kind == "classical":
            raise refuse("variance", "classical cannot be re-drawn with lin-interacted; choose HC2.")
        return interacted(outcomes, units, weights, extra, stratum, block, kind, scale)
    return Additive(blocks_of(outcomes, units, extra, stratum, block), weights, kind, scale)


def _shares(
    stratum: Ints | None, strata: npt.ArrayLike | None, randomised: Mapping[Any, float] | None
) -> Floats:
    """The weight of each stratum: its people randomised, or those analysed where that is not said."""
    if stratum is None or strata is None:
        return np.ones(1)
    sizes = np.bincount(stratum).astype(np.float64)
    if randomised is not None:
        sizes = np.array([float(randomised[label]) for label in codes_of(strata, "strata")[1].tolist()])
    return np.asarray(sizes / sizes.sum())


def _variance(variance: str | None, *, clustered: bool) -> Variance:
    chosen = variance or ("CR2" if clustered else "HC2")
    check_variance(chosen, clustered=clustered)
    return cast(Variance, chosen)


def _apart(
    outcomes: Floats,
    units: Ints,
    weights: Floats,
    covariates: Floats | None,
    stratum: Ints | None,
    block: Ints,
    scale: Floats,
) -> Additive:
    """Rows that are drawn apart and err together: as what a person is shown one after another."""
    blocks = blocks_of(outcomes, np.arange(len(units)), covariates, stratum, None)
    kept = blocks.place
    return Additive(replace(blocks, place=units[kept]), weights, "CR0", scale, block[kept])


def drawn_whole(cluster: Ints, place: Ints) -> None:
    """Refuse clusters, (n,) codes, that hold people of several units of the draw, (n,).

    Raises:
        DesignError: one does.
    """
    if not _whole(cluster, place):
        raise refuse(
            "cluster",
            "holds people of several units of the draw, whose arms may differ; cluster by the unit that is "
            "drawn, or by one inside it.",
        )


def _whole(cluster: Ints, place: Ints) -> bool:
    return bool(np.unique(np.stack((cluster, place)), axis=1).shape[1] == len(np.unique(cluster)))
