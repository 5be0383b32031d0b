"""The imputations of one outcome for everybody randomised, and the analysis of each."""

from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass, replace

import numpy as np

from equipoise.errors import DesignError
from equipoise.estimation.inference import Estimate
from equipoise.estimation.missing.chained import Gappy, Imputer, imputer
from equipoise.estimation.missing.conditional import Kind
from equipoise.estimation.missing.pooling import Pooled, enough_imputations, pool
from equipoise.findings.fitting import fit
from equipoise.findings.sampling.auxiliaries import Predicting
from equipoise.findings.sampling.covariates import labels_of
from equipoise.findings.sampling.measured import Measured
from equipoise.instruments.scoring import Floats
from equipoise.protocol.models.analyses import TestPlan
from equipoise.protocol.registration import current_hash
from equipoise.streams import analysis_seed, generator

__all__ = ["FEWEST", "Imputations", "imputations_of"]

FEWEST = 20
"""Imputations made before it is known how much information is missing."""


@dataclass(frozen=True)
class Imputations:
    """Imputations of an outcome.

    Attributes:
        whole: everybody in the sample, each with an answer; tested by t, since a randomisation test is of
            answers and not of imputations.
        imputer: the equations, arm by arm.
        seeds: one an imputation.
        answers: (inside,) the outcome of each imputation.
        effects: the analysis of each.
    """

    whole: Measured
    imputer: Imputer
    seeds: tuple[np.random.SeedSequence, ...] = ()
    answers: tuple[Floats, ...] = ()
    effects: tuple[Estimate, ...] = ()

    def more(self, seeds: Sequence[np.random.SeedSequence]) -> "Imputations":
        """These imputations and further ones."""
        drawn = tuple(self.drawn(seeds))
        return replace(
            self,
            seeds=(*self.seeds, *seeds),
            answers=self.answers + drawn,
            effects=(*self.effects, *self.effects_of(drawn)),
        )

    def drawn(self, seeds: Iterable[np.random.SeedSequence], shift: Floats | float = 0.0) -> Iterable[Floats]:
        """The outcome imputed by each seed, with what is imputed shifted; the same draws for every shift."""
        return (self.imputer.impute(np.random.Generator(np.random.PCG64(seed)), shift) for seed in seeds)

    def effects_of(self, answers: Iterable[Floats]) -> list[Estimate]:
        """The analysis of imputed outcomes."""
        return [fit(self._with(each)).estimate for each in answers]

    def pooled(self, effects: Sequence[Estimate] | None = None) -> Pooled:
        """The effects of these imputations, or others of the same people, by Rubin's rules."""
        found = self.effects if effects is None else effects
        return pool(
            [one.estimate for one in found],
            [one.std_error for one in found],
            float(np.mean([one.dof for one in found])),
            self.whole.analysis.interval,
        )

    def _with(self, answers: Floats) -> Measured:
        """The same people with other answers: nobody lacks one, so what was worked out of them stands."""
        values = np.full(len(self.whole.values), np.nan)
        values[self.whole.sample.inside] = answers
        again = copy(self.whole)
        object.__setattr__(again, "values", values)
        return again


def imputations_of(measured: Measured, given: Predicting) -> Imputations:
    """As many imputations as per cent of the information are missing, and at least twenty.

    Raises:
        DesignError: nobody's answer is missing, an arm has too few answers, or an imputation has no estimate.
    """
    seed = analysis_seed(current_hash(measured.study))
    names = (measured.name, measured.outcome, measured.at, "/".join(measured.arm_names))
    root = np.random.SeedSequence(int(generator(seed, "imputation", *names).integers(2**63)))
    made = Imputations(_whole(measured), _imputer(measured, given)).more(root.spawn(FEWEST))
    while (needed := enough_imputations(made.pooled())) > len(made.effects):
        made = made.more(root.spawn(needed - len(made.effects)))
    return made


def _whole(measured: Measured) -> Measured:
    by_t = measured.analysis.model_copy(update={"test": TestPlan()})
    whole = replace(measured, analysis=by_t, values=np.where(measured.sample.inside, 0.0, np.nan))
    # asked for here, so that each imputation finds them worked out
    _ = whole.answered, whole.covariates, whole.all_strata
    return whole


def _imputer(measured: Measured, given: Predicting) -> Imputer:
    inside = measured.sample.inside
    if measured.answered[inside].all():
        raise DesignError("nobody's answer is missing, so there is nothing to impute")
    values, scale = measured.values[inside], measured.study.protocol.outcomes[measured.outcome].scale
    outcome = Gappy(values, "logistic" if scale == "yes-no" else _kind(values), measured.outcome)
    others = [Gappy(each, _kind(each), name) for name, each in given.gappy.items()]
    complete = np.concatenate((given.covariates, given.cells, given.complete), axis=1)
    column = measured.analysis.cluster
    cluster = None if column in (None, "participant") else labels_of(measured.data, str(column))[inside]
    return imputer((outcome, *others), complete, measured.sample.code[inside], measured.arm_names, cluster)


def _kind(values: Floats) -> Kind:
    """Yes or no by a logistic regression, anything else by matching, which stays on the variable's scale."""
    return "logistic" if np.isin(values[~np.isnan(values)], (0.0, 1.0)).all() else "matching"
