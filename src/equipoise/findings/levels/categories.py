"""A contrast at each level of a category: whether the levels differ first, then each without its own test."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from equipoise.errors import DesignError
from equipoise.estimation.least_squares.linear import LinearFit, fit_linear
from equipoise.findings.estimates import with_estimate
from equipoise.findings.levels.variances import dof_of, variance_of
from equipoise.findings.results import Finding
from equipoise.findings.sampling.cells import Cells
from equipoise.findings.sampling.sample import Ints
from equipoise.instruments.scoring import Floats
from equipoise.protocol.checks.analyses import NO_GROUPS
from equipoise.protocol.models.analyses import Analysis
from equipoise.protocol.study import Study

__all__ = ["Rows", "by_category", "of_how_many"]

MANY = 5
"""From this many ways of telling people apart on, one that differs by chance alone is to be expected."""


@dataclass(frozen=True, eq=False)
class Rows:
    """People or ratings analysed.

    `values`, `code` (the cell) and `grouping` (the level) have shape (n,); `columns` are adjusted for,
    `adjusted_for` says so in words; errors go together within a `cluster`.
    """

    values: Floats
    code: Ints
    grouping: pl.Series
    cells: Cells
    columns: Floats | None = None
    cluster: npt.NDArray[np.object_] | None = None
    adjusted_for: tuple[str, ...] = ()


def of_how_many(study: Study) -> str:
    """How many ways of telling people apart are looked at, and how many of them were planned."""
    planned, explored = (
        sum(one.by is not None and one.by not in NO_GROUPS for one in analyses.values())
        for analyses in (study.protocol.analyses, study.explore)
    )
    looked = planned + explored
    ways = "1 way of telling people apart is" if looked == 1 else f"{looked} ways of telling people apart are"
    words = f"{ways} looked at, {planned if study.registration else 0} of them planned"
    return f"{words}; of so many, one may well differ by chance alone" if looked >= MANY else words


def by_category(rows: Rows, base: Finding, analysis: Analysis) -> Iterator[Finding]:
    """The interaction, then the contrast at each level.

    Args:
        rows: without gaps.
        base: what all these findings share.
        analysis: with `by`, its variance and its level.
    """
    levels, by = _levels(rows), str(analysis.by)
    try:
        fit = _fitted(rows, levels, analysis)
    except DesignError as error:
        yield base.model_copy(update={"not_estimable": str(error)})
        return
    words = f"linear regression with a mean for each arm at each level of {by}"
    if rows.adjusted_for:
        words += f", adjusted for {' and '.join(rows.adjusted_for)}"
    base = base.model_copy(update={"model": f"{words}; {variance_of(analysis)} standard errors"})
    vectors = {number: levels.vector(number, rows.cells) for number in levels.whole}
    if fit is not None and len(vectors) > 1:
        yield _interaction(base, fit, list(vectors.values()), by, analysis.interval)
    for number, level in enumerate(levels.names):
        finding = base.model_copy(
            update={
                "id": f"{base.id}.{by}={level}",
                "level": level,
                "n": dict(zip(rows.cells.names, levels.counts[number].tolist(), strict=True)),
            }
        )
        if fit is not None and number in vectors:
            estimate = fit.contrast(_padded(vectors[number], fit), analysis.interval)
            yield with_estimate(finding, estimate, statistic=None, p_value=None)
        else:
            why = "fewer than two people in an arm at this level"
            yield finding.model_copy(update={"not_estimable": why})


@dataclass(frozen=True)
class _Levels:
    """The cells of a grouping and the arms: `cell` of each row, `counts` of shape (levels, arms).

    `whole` are the levels with two rows or more in every arm compared, `used` their cells that have any.
    """

    names: tuple[str, ...]
    cell: Ints
    counts: Ints
    whole: list[int]
    used: Ints

    def vector(self, number: int, cells: Cells) -> Floats:
        """The contrast at a level, as weights of the cells used."""
        arms = len(cells.names)
        return np.where(self.used // arms == number, cells.weights[self.used % arms], 0.0)


def _levels(rows: Rows) -> _Levels:
    names = tuple(rows.grouping.unique().sort().to_list())
    arms = len(rows.cells.names)
    number = np.searchsorted(np.array(names, dtype=object), rows.grouping.to_numpy()) if names else rows.code
    cell = number.astype(np.int64) * arms + rows.code
    counts = np.bincount(cell, minlength=len(names) * arms).reshape(len(names), arms)
    compared = counts[:, rows.cells.weights != 0]
    whole = [number for number in range(len(names)) if (compared[number] > 1).all()]
    return _Levels(names, cell, counts, whole, np.unique(cell[np.isin(cell // arms, whole)]))


def _fitted(rows: Rows, levels: _Levels, analysis: Analysis) -> LinearFit | None:
    """A mean for each cell that somebody is in, then what is adjusted for; None without a whole level."""
    kept = np.isin(levels.cell, levels.used)
    if not kept.any():
        return None
    design = (levels.cell[kept][:, None] == levels.used).astype(np.float64)
    if rows.columns is not None:
        extra = rows.columns[kept]
        design = np.concatenate((design, extra - extra.mean(axis=0)), axis=1)
    return fit_linear(
        rows.values[kept],
        design,
        variance=variance_of(analysis),
        cluster=None if rows.cluster is None else rows.cluster[kept],
        dof=dof_of(analysis),
    )


def _padded(vector: Floats, fit: LinearFit) -> Floats:
    return np.pad(vector, (0, len(fit.coefficients) - len(vector)))


def _interaction(base: Finding, fit: LinearFit, vectors: list[Floats], by: str, interval: float) -> Finding:
    """Whether the levels differ; for two levels, by how much."""
    base = base.model_copy(update={"id": f"{base.id}.interaction"})
    differences = np.array([_padded(vector - vectors[0], fit) for vector in vectors[1:]])
    if len(differences) == 1:
        words = f"difference of the effects between levels of {by}"
        return with_estimate(base, fit.contrast(differences[0], interval), model=words)
    try:
        test = fit.joint_test(differences)
    except DesignError as error:
        return base.model_copy(update={"kind": "test", "not_estimable": str(error)})
    return base.model_copy(
        update={
            "kind": "test",
            "statistic": test.statistic,
            "dof": test.dof_denominator,
            "p_value": test.p_value,
            "model": f"joint test that every level of {by} has the same effect",
        }
    )
