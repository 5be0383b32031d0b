"""What regressions are given where people were allocated in clusters: rows of people, or of clusters."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from equipoise.errors import DesignError
from equipoise.estimation.effects.wild import few_clusters_in_an_arm, wild_effect
from equipoise.findings.fitting.fitted import Fitted
from equipoise.findings.sampling.covariates import Labels, labels_of
from equipoise.findings.sampling.measured import Measured
from equipoise.findings.sampling.sample import Ints
from equipoise.instruments.scoring import Floats
from equipoise.protocol.registration import current_hash
from equipoise.streams import analysis_seed, generator

__all__ = ["Rows", "both_ways", "fit_wild", "rows_of"]


@dataclass(frozen=True)
class Rows:
    """Rows of a regression, one a person or one a cluster: arrays of shape (rows,), covariates (rows, p)."""

    y: Floats
    arm: Ints
    covariates: Floats | None
    strata: Labels | None
    cluster: Labels | None
    notes: tuple[str, ...] = ()


def rows_of(measured: Measured) -> Rows:
    """A row a person, or a row a cluster where the analysis averages over clusters.

    Raises:
        DesignError: averages over clusters, and a cluster's people are in two arms or two strata.
    """
    people = Rows(measured.y, measured.arm, measured.columns, measured.strata, measured.cluster)
    return _means(people) if measured.analysis.average_over == "clusters" else people


def both_ways(measured: Measured) -> npt.NDArray[np.object_]:
    """The two ways of clustering of those analysed: by the unit of allocation, and by `cluster`."""
    unit = measured.study.protocol.allocation[measured.sample.stage].unit
    columns = (unit, str(measured.analysis.cluster))
    return np.stack([labels_of(measured.data, column)[measured.answered] for column in columns], axis=1)


def fit_wild(measured: Measured, rows: Rows) -> Fitted:
    """The contrast with the wild cluster bootstrap, in draws that follow from the protocol's hash.

    Raises:
        DesignError: too few clusters to reject anything, or a design that cannot be estimated.
    """
    analysis, clusters = measured.analysis, rows.cluster
    if clusters is None:
        raise DesignError("the wild bootstrap re-draws whole clusters, and there are none")
    found = wild_effect(
        str(analysis.model),
        rows.y,
        rows.arm,
        measured.weights,
        clusters,
        _chance(measured),
        covariates=rows.covariates,
        strata=rows.strata,
        draws=analysis.test.draws,
        level=analysis.interval,
        arm_names=measured.arm_names,
    )
    points = "Webb's six-point" if found.points == "webb" else "Rademacher"
    how = "all that there are" if found.enumerated else "drawn"
    few = few_clusters_in_an_arm(rows.arm, measured.weights, clusters, measured.arm_names)
    return Fitted(
        found.estimate,
        (*rows.notes, f"{points} weights, {found.draws} {how}", *(() if few is None else (few,))),
        {"draws": found.draws, "mc_error": found.mc_error},
    )


def _chance(measured: Measured) -> np.random.Generator:
    """The stream of this contrast: of the analysis's seed, its outcome, its time and its weights."""
    seed = analysis_seed(current_hash(measured.study))
    weights = " ".join(f"{weight:.12g}" for weight in measured.weights)
    return generator(seed, "bootstrap", measured.name, measured.outcome, measured.at, weights)


def _means(people: Rows) -> Rows:
    """Each cluster as one row, with the means of its people."""
    if people.cluster is None:
        raise DesignError("an average over clusters needs people allocated in clusters")
    names, first, code = np.unique(people.cluster.astype(str), return_index=True, return_inverse=True)
    _constant(people.arm, first, code, names, "arms")
    if people.strata is not None:
        _constant(people.strata, first, code, names, "strata")
    sizes = np.bincount(code)
    return Rows(
        np.bincount(code, people.y) / sizes,
        people.arm[first],
        None
        if people.covariates is None
        else np.stack([np.bincount(code, column) / sizes for column in people.covariates.T], axis=1),
        None if people.strata is None else people.strata[first],
        names.astype(object),
        (f"{len(names)} clusters, each with the mean of its people ({len(code)} in all) as one row",),
    )


def _constant(labels: Ints | Labels, first: Ints, code: Ints, names: Labels, what: str) -> None:
    apart = labels[first][code] != labels
    if apart.any():
        name = names[code[int(np.flatnonzero(apart)[0])]]
        raise DesignError(
            f'cluster "{name}" has people in different {what}; an average over clusters takes clusters that '
            "were allocated as a whole. Choose `average-over: people`."
        )
