"""What those analysed are adjusted for and clustered by, whatever shape their outcome has."""

from abc import ABC, abstractmethod
from functools import cached_property

from equipoise.findings.reading.data import StudyData
from equipoise.findings.sampling.covariates import Covariates, Labels, covariates_of, labels_of, strata_of
from equipoise.findings.sampling.sample import Bools, Sample
from equipoise.instruments.scoring import Floats
from equipoise.protocol.models.analyses import Analysis
from equipoise.protocol.study import Study

__all__ = ["Adjusted"]


class Adjusted(ABC):
    """An analysis of an outcome in a sample; everything is worked out when it is first asked for."""

    study: Study
    data: StudyData
    analysis: Analysis
    outcome: str
    sample: Sample

    @property
    @abstractmethod
    def rows(self) -> Bools:
        """Who is analysed, shape (participants,); n of them."""

    @cached_property
    def covariates(self) -> Covariates:
        """What those analysed are adjusted for besides strata.

        Raises:
            DesignError: the data lack a column that the adjustment needs.
        """
        return covariates_of(self.study, self.data, self.analysis, self.outcome, self.rows, self.sample.stage)

    @property
    def columns(self) -> Floats | None:
        """The covariates' columns, shape (n, p); None without any."""
        return self.covariates.columns if self.covariates.columns.shape[1] else None

    @cached_property
    def all_strata(self) -> Labels | None:
        """The stratum of every participant, where the analysis adjusts for strata."""
        if "strata" not in (self.analysis.adjust or ()):
            return None
        return strata_of(self.study, self.data, self.sample.stage)

    @property
    def strata(self) -> Labels | None:
        """The strata of those analysed, shape (n,)."""
        return None if self.all_strata is None else self.all_strata[self.rows]

    @cached_property
    def cluster(self) -> Labels | None:
        """The clusters of those analysed, shape (n,); None where people were allocated one by one."""
        if self.analysis.cluster in (None, "participant"):
            return None
        return labels_of(self.data, str(self.analysis.cluster))[self.rows]
