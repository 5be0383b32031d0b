"""What an estimator is given: an outcome at one point of time for a sample, and what it is adjusted for."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import polars as pl

from equipoise.findings.reading.data import StudyData
from equipoise.findings.sampling.adjusted import Adjusted
from equipoise.findings.sampling.covariates import (
    dummies,
)
from equipoise.findings.sampling.sample import Bools, Ints, Sample
from equipoise.instruments.scoring import Floats
from equipoise.protocol.models.analyses import Analysis
from equipoise.protocol.study import Study

__all__ = ["Measured"]


@dataclass(frozen=True)
class Measured(Adjusted):
    """An outcome at one point of time for a sample.

    `name` is that of the analysis, `at` the wave (empty for an outcome without waves), `values` has shape
    (participants,), NaN where nobody answered. Everything else is worked out when it is first asked for.
    """

    study: Study
    data: StudyData
    name: str
    analysis: Analysis
    outcome: str
    at: str
    sample: Sample
    values: Floats

    @cached_property
    def answered(self) -> Bools:
        """Who is analysed: in the sample, with a value; shape (participants,)."""
        return self.sample.inside & ~np.isnan(self.values)

    @property
    def rows(self) -> Bools:
        """Those analysed."""
        return self.answered

    @property
    def y(self) -> Floats:
        """The outcome of those analysed, shape (n,)."""
        return self.values[self.answered]

    @property
    def arm(self) -> Ints:
        """The cell of those analysed, shape (n,)."""
        return self.sample.code[self.answered]

    @property
    def weights(self) -> Floats:
        """The contrast: a weight for each cell, adding up to zero."""
        return self.sample.cells.weights

    @property
    def arm_names(self) -> tuple[str, ...]:
        """The cells' names, for messages."""
        return self.sample.cells.names

    @property
    def columns_and_strata(self) -> Floats | None:
        """The covariates' columns and one for each stratum but the first, shape (n, p); None without any."""
        parts = [self.covariates.columns]
        if self.strata is not None:
            parts.append(dummies(pl.Series(self.strata, dtype=pl.String)))
        joined = np.concatenate(parts, axis=1)
        return joined if joined.shape[1] else None

    @property
    def adjusted_for(self) -> tuple[str, ...]:
        """What is adjusted for, in words for a reader."""
        return (*self.covariates.names, *(() if self.all_strata is None else ("strata",)))

    def among(self, rows: Bools) -> "Measured":
        """The same for some participants alone, shape (participants,): the others are not analysed."""
        return replace(self, values=np.where(rows, self.values, np.nan))
