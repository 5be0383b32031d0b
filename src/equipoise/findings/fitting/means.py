"""The difference in means; within strata, weighted by the people (or clusters) randomised in each."""

from collections.abc import Mapping

import numpy as np

from equipoise.errors import DesignError
from equipoise.estimation.effects.neyman import difference_in_means
from equipoise.estimation.effects.pairs import hybrid_difference, paired_clusters
from equipoise.findings.fitting.clusters import Rows, rows_of
from equipoise.findings.fitting.fitted import Fitted
from equipoise.findings.sampling.covariates import Labels, labels_of
from equipoise.findings.sampling.measured import Measured

__all__ = ["fit_means", "randomised_in_strata"]


def fit_means(measured: Measured) -> Fitted:
    """Neyman's difference in means, of people or of clusters' means.

    Where strata have one person (or cluster) in an arm the variance is the hybrid's; where the people of
    clusters in pairs are averaged, that of Imai, King & Nall (2009).

    Raises:
        DesignError: an arm or a stratum has too few, or the people averaged are of clusters in no pairs.
    """
    if measured.cluster is not None and measured.analysis.average_over != "clusters":
        return _pairs_of_clusters(measured, measured.cluster)
    return _neyman(measured, rows_of(measured), randomised_in_strata(measured))


def randomised_in_strata(measured: Measured) -> dict[str, float] | None:
    """People, or clusters where each counts once, randomised in each stratum; None without strata."""
    if measured.all_strata is None:
        return None
    inside = measured.sample.inside
    strata = measured.all_strata[inside].astype(str)
    if measured.analysis.average_over == "clusters":
        clusters = labels_of(measured.data, str(measured.analysis.cluster))[inside].astype(str)
        strata = np.unique(np.stack((strata, clusters)), axis=1)[0]
    labels, counts = np.unique(strata, return_counts=True)
    return {str(label): float(count) for label, count in zip(labels, counts, strict=True)}


def _neyman(measured: Measured, rows: Rows, randomised: Mapping[str, float] | None) -> Fitted:
    level, names = measured.analysis.interval, measured.arm_names
    if rows.strata is None or randomised is None:
        found = difference_in_means(rows.y, rows.arm, measured.weights, level=level, arm_names=names)
        return Fitted(found, rows.notes)
    small = _small(rows.strata, rows, measured)
    estimator = hybrid_difference if small else difference_in_means
    found = estimator(
        rows.y,
        rows.arm,
        measured.weights,
        strata=rows.strata,
        randomised=randomised,
        level=level,
        arm_names=names,
    )
    noun = "cluster" if measured.analysis.average_over == "clusters" else "person"
    told = (_told(small, len(randomised), noun),) if small else ()
    return Fitted(found, (*rows.notes, *told))


def _pairs_of_clusters(measured: Measured, cluster: Labels) -> Fitted:
    try:
        found = paired_clusters(
            measured.y,
            measured.arm,
            measured.weights,
            cluster if measured.strata is None else measured.strata,
            cluster,
            level=measured.analysis.interval,
            arm_names=measured.arm_names,
        )
    except DesignError as error:
        raise DesignError(
            f"{error} A difference in means averages the people of clusters only where these were drawn in "
            "pairs; choose the model `linear`, or `average-over: clusters`."
        ) from error
    pairs = int(found.dof) + 1
    return Fitted(
        found, (f"{pairs} pairs of clusters, weighted by their people; the error is that of pairs",)
    )


def _small(strata: Labels, rows: Rows, measured: Measured) -> int:
    """How many strata have just one row in an arm that is compared."""
    labels, code = np.unique(strata.astype(str), return_inverse=True)
    compared = np.flatnonzero(measured.weights)
    counts = np.zeros((len(labels), len(measured.weights)), dtype=np.int64)
    np.add.at(counts, (code, rows.arm), 1)
    return int((counts[:, compared] == 1).any(axis=1).sum())


def _told(small: int, strata: int, noun: str) -> str:
    return (
        f"{small} of {strata} strata have one {noun} in an arm: their error is taken from how such strata "
        "differ (Pashley and Miratrix 2021)"
    )
