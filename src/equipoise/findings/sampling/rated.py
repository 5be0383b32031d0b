"""What a contrast of ratings is found from: one row a judgement, its cell, what was drawn, who judged."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from equipoise.errors import DesignError
from equipoise.estimation.arrays import refuse
from equipoise.findings.reading.data import StudyData
from equipoise.findings.sampling.cells import Cells, cells_of
from equipoise.findings.sampling.covariates import dummies
from equipoise.findings.sampling.sample import Bools, Ints, shares_of, supported_contrast
from equipoise.instruments.scoring import Floats
from equipoise.protocol.expressions import compile_expression
from equipoise.protocol.factors import contrast_factors
from equipoise.protocol.facts import rating_facts
from equipoise.protocol.models.analyses import Analysis
from equipoise.protocol.study import Study

__all__ = ["SHOWN", "Rated", "rated_of", "ratings_with_people"]

SHOWN = "_text"
"""`ATTRIBUTE_text` in a file of ratings says which of the texts of a level was shown: the name, say."""

Labels = npt.NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class Rated:
    """The ratings that a contrast looks at.

    `ratings` has one row a rating, `code` its cell (-1 outside), `inside` whether it is looked at, `values`
    what was answered, NaN where nothing was; all of shape (ratings,).
    """

    data: StudyData
    analysis: Analysis
    ratings: pl.DataFrame
    cells: Cells
    code: Ints
    inside: Bools
    values: Floats

    @cached_property
    def answered(self) -> Bools:
        """Which ratings are analysed."""
        return self.inside & ~np.isnan(self.values)

    @cached_property
    def people(self) -> Labels:
        """Who gave each rating analysed, shape (n,)."""
        return self.labels(self.data.identifier)

    @cached_property
    def adjusted(self) -> tuple[tuple[str, ...], Floats | None]:
        """What was drawn and the contrast does not name, and the position: names, and columns (n, p)."""
        names, columns = [], []
        for name in self.analysis.adjust or ():
            if name in self.cells.factors or name not in self.ratings.columns:
                continue
            values = self.ratings[name]
            text = values.dtype in (pl.String, pl.Boolean)
            columns.append(
                dummies(values.cast(pl.String)) if text or name == "position" else values.to_numpy()[:, None]
            )
            names.append(name)
        if not columns or not (joined := np.concatenate(columns, axis=1)).shape[1]:
            return tuple(names), None
        return tuple(names), np.asarray(joined[self.answered], dtype=np.float64)

    @cached_property
    def cluster(self) -> Labels:
        """Whose errors go together, shape (n,), or (n, 2) where the analysis asks for two ways.

        Raises:
            DesignError: the column that the analysis names is not in the data.
        """
        column = self.analysis.cluster
        if column in (None, "participant"):
            return self.people
        other = self.labels(str(column))
        return np.stack((self.people, other), axis=1) if self.analysis.variance == "two-way" else other

    def labels(self, column: str) -> Labels:
        """A column of the ratings analysed, or of those who gave them, as labels.

        Raises:
            DesignError: there is none.
        """
        if column not in self.ratings.columns:
            raise refuse("ratings", f'have no column "{column}", nor have the participants.')
        return self.ratings[column].cast(pl.String).fill_null("(missing)").to_numpy()[self.answered]

    def among(self, column: str) -> "Rated":
        """The same for the ratings that have a level of this column."""
        if column not in self.ratings.columns:
            return self
        return replace(self, inside=self.inside & self.ratings[column].is_not_null().to_numpy())

    def counts(self, rows: Bools) -> dict[str, int]:
        """Ratings by cell among these rows."""
        found = np.bincount(self.code[rows], minlength=len(self.cells.names))
        return {name: int(count) for name, count in zip(self.cells.names, found, strict=True)}


def rated_of(study: Study, data: StudyData, analysis: Analysis, outcome: str, text: str) -> Rated:
    """The ratings of an outcome that a contrast and `among` look at.

    Raises:
        DesignError: the data hold no ratings of the task.
    """
    protocol, spec = study.protocol, study.protocol.outcomes[outcome]
    factors = contrast_factors(protocol, study.vignettes)
    cells = cells_of(supported_contrast(study, text), factors, shares_of(study))
    ratings = ratings_with_people(study, data, str(spec.task))
    code = cells.codes({factor: ratings[factor].to_numpy() for factor in cells.factors})
    inside = code >= 0
    if analysis.among is not None:
        among = compile_expression(analysis.among, rating_facts(protocol, study.vignettes))
        inside &= among.evaluate_frame(ratings).fill_null(False).to_numpy()
    values = ratings[str(spec.question)].cast(pl.Float64).to_numpy().astype(np.float64)
    return Rated(data, analysis, ratings, cells, code, inside, values)


def ratings_with_people(study: Study, data: StudyData, task: str) -> pl.DataFrame:
    """A task's ratings, each with what is known of its participant (arm, roster columns).

    Raises:
        DesignError: the data hold no ratings of the task.
    """
    if task not in data.ratings:
        raise DesignError(f'the data hold no ratings of the task "{task}"; they belong in a file {task}.csv')
    known = [column for column in data.participants.columns if column not in data.ratings[task].columns]
    people = data.participants.select(data.identifier, *known)
    return data.ratings[task].join(people, on=data.identifier, how="left", maintain_order="left")
