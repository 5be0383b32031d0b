"""One effect in many trials: its rows, its columns and its fit."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from equipoise.diagnosis.batch.factored import Strata
from equipoise.diagnosis.batch.least_squares import Clusters, fit_each
from equipoise.diagnosis.batch.means import means_of_each
from equipoise.diagnosis.batch.rows import Fits, Rows
from equipoise.diagnosis.batch.world import Drawn
from equipoise.diagnosis.claims import Claim
from equipoise.diagnosis.simulated.covariance import Variable
from equipoise.estimation.arrays import Bools, Floats, Ints
from equipoise.findings.reading.data import StudyData
from equipoise.findings.sampling.cells import Cells, cells_of
from equipoise.findings.sampling.covariates import labels_of, strata_of
from equipoise.findings.sampling.points import own_waves, weights_at
from equipoise.findings.sampling.sample import shares_of, supported_contrast
from equipoise.protocol.expressions import compile_expression
from equipoise.protocol.factors import compared_stage, waves_asking
from equipoise.protocol.facts import before_allocation
from equipoise.protocol.models.analyses import Analysis
from equipoise.protocol.study import Study
from equipoise.protocol.timeline import waves_before

__all__ = ["Effect", "Fitted", "effect_of"]


@dataclass(frozen=True, eq=False)
class Fitted:
    """The effect in every trial, and how many people were analysed, each of shape (trials,)."""

    fits: Fits
    analysed: Ints


@dataclass(frozen=True, eq=False)
class Effect:
    """What an analysis needs to know of the people, worked out before any trial is drawn.

    Attributes:
        analysis: its model, variance and the like.
        cells: what is compared, and `stages` of the cells' factors.
        waves: the outcome's variables and their weights.
        before: the scores before for which it adjusts.
        inside: shape (n,), whom it is of.
        stratum: shape (n,), or None; `share` of each stratum among those inside.
        numbers: further columns of numbers, each of shape (n,), NaN where missing.
        indicators: further columns of zeros and ones, each of shape (n,).
        cluster: shape (n,), codes of the `clusters` by which errors go; None where people are independent.
    """

    analysis: Analysis
    cells: Cells
    stages: tuple[str, ...]
    waves: tuple[tuple[Variable, float], ...]
    before: tuple[Variable, ...]
    inside: Bools
    stratum: Ints | None
    share: Floats
    numbers: tuple[Floats, ...] = ()
    indicators: tuple[Floats, ...] = ()
    cluster: Ints | None = None
    clusters: int = 0

    @property
    def products(self) -> int:
        """How many numbers the products of a trial's clusters take, about; 0 without clusters."""
        columns = len(self.cells.weights) + 2 * len(self.before) + len(self.numbers) + len(self.indicators)
        return self.clusters * (columns + len(self.share)) ** 2

    @property
    def variables(self) -> tuple[Variable, ...]:
        """What has to be drawn."""
        return (*self.before, *(variable for variable, _ in self.waves))

    def fit(self, drawn: Drawn) -> Fitted:
        """The effect in every trial."""
        outcome = np.asarray(sum(weight * drawn.values[variable] for variable, weight in self.waves))
        chosen = np.flatnonzero(~np.isnan(outcome) & self.inside[drawn.person])
        if len(chosen) == len(outcome):
            chosen = np.arange(len(outcome))
        trial, person = drawn.trial[chosen], drawn.person[chosen]
        rows, y, cell = Rows.of(drawn.trials, trial), outcome[chosen], self._cell(drawn, trial, person)
        stratum = None if self.stratum is None else self.stratum[person]
        contrast = self.cells.weights
        if self.analysis.model == "difference-in-means":
            share = None if stratum is None else self.share
            fits = means_of_each(rows, y, cell, contrast, stratum=stratum, share=share)
            return Fitted(fits, rows.counts)
        covariates = self._covariates(drawn, rows, chosen, person)
        build = _interacted if self.analysis.model == "lin-interacted" else _additive
        strata = None if stratum is None else Strata(rows, stratum, len(self.share))
        columns, vector, absorbed = build(rows, cell, contrast, covariates, strata)
        fits = fit_each(
            rows,
            y,
            columns,
            vector,
            variance=str(self.analysis.variance),
            dof=self.analysis.dof,
            strata=absorbed,
            clusters=None if self.cluster is None else Clusters(self.cluster[person], self.clusters),
        )
        return Fitted(fits, rows.counts)

    def _cell(self, drawn: Drawn, trial: Ints, person: Ints) -> Ints:
        code = np.zeros(len(trial), dtype=np.int64)
        for stage, levels in zip(self.stages, self.cells.levels, strict=True):
            code = code * len(levels) + drawn.arms[stage][trial, person]
        return code

    def _covariates(self, drawn: Drawn, rows: Rows, chosen: Ints, person: Ints) -> list[Floats]:
        """Columns centred on their trial's mean; a second one says what is missing, as in the analysis."""
        found: list[Floats] = []
        before = [drawn.values[name][chosen] for name in self.before]
        for number in (*before, *(column[person] for column in self.numbers)):
            absent = np.isnan(number)
            if not absent.any():
                found.append(rows.centred(number))
                continue
            value = np.where(absent, 0.0, number)
            lacking = absent.astype(np.float64)
            mean = rows.sums(value) / np.maximum(rows.counts - rows.sums(lacking), 1)
            found += [np.where(absent, 0.0, value - mean[rows.trial]), rows.centred(lacking)]
        return [*found, *(rows.centred(column[person]) for column in self.indicators)]


def effect_of(study: Study, claim: Claim, people: pl.DataFrame, identifier: str) -> Effect:
    """An effect for these people, who are in the order in which trials are drawn.

    Raises:
        DesignError: the people lack a column that the analysis needs.
    """
    protocol, analysis = study.protocol, study.protocol.analyses[claim.analysis]
    contrast = supported_contrast(study, claim.contrast)
    stage = compared_stage(protocol, [contrast])
    data = StudyData(identifier=identifier, participants=people)
    levels = {protocol.arm_column(name): protocol.drawn(name) for name in protocol.allocation}
    cells = cells_of(contrast, levels, shares_of(study))
    of_column = {protocol.arm_column(name): name for name in protocol.allocation}
    inside = np.ones(people.height, dtype=bool)
    if analysis.among is not None:
        rule = compile_expression(analysis.among, before_allocation(protocol, stage))
        inside = rule.evaluate_frame(people).fill_null(False).to_numpy()
    adjust = analysis.adjust or ()
    labels = strata_of(study, data, stage) if "strata" in adjust else None
    stratum, share = None, np.ones(1)
    if labels is not None:
        names, stratum = np.unique(labels.astype(str), return_inverse=True)
        share = np.bincount(stratum[inside], minlength=len(names)) / inside.sum()
    numbers, indicators = _columns(people, [name for name in adjust if name in people.columns])
    return Effect(
        analysis,
        cells,
        tuple(of_column[factor] for factor in cells.factors),
        _waves(study, claim),
        _before(study, claim, stage),
        inside,
        stratum,
        share,
        numbers,
        indicators,
        *_clusters(data, analysis),
    )


def _clusters(data: StudyData, analysis: Analysis) -> tuple[Ints | None, int]:
    if analysis.cluster in (None, "participant"):
        return None, 0
    names, code = np.unique(labels_of(data, str(analysis.cluster)).astype(str), return_inverse=True)
    return code, len(names)


def _waves(study: Study, claim: Claim) -> tuple[tuple[Variable, float], ...]:
    if not claim.at:
        return (((claim.outcome, ""), 1.0),)
    waves, weights = own_waves(study, claim.outcome), weights_at(study, claim.outcome, claim.at)
    kept = zip(waves, weights, strict=True)
    return tuple(((claim.outcome, wave), float(weight)) for wave, weight in kept if weight)


def _before(study: Study, claim: Claim, stage: str) -> tuple[Variable, ...]:
    analysis = study.protocol.analyses[claim.analysis]
    if claim.outcome in analysis.unadjusted:
        return ()
    asked = waves_asking(study.protocol, study.surveys, study.protocol.outcomes[claim.outcome])
    before = waves_before(study.protocol, stage)
    return tuple((claim.outcome, name) for name in analysis.adjust or () if name in before and name in asked)


def _columns(people: pl.DataFrame, names: Sequence[str]) -> tuple[tuple[Floats, ...], tuple[Floats, ...]]:
    """Columns of numbers, and of zeros and ones for every level but the first."""
    numbers: list[Floats] = []
    indicators: list[Floats] = []
    for name in names:
        values = people[name]
        if values.dtype in (pl.String, pl.Boolean):
            labels = values.cast(pl.String).fill_null("(missing)")
            levels = labels.unique().sort().to_list()[1:]
            indicators += [(labels == level).to_numpy().astype(np.float64) for level in levels]
            continue
        if values.dtype.is_temporal():
            values = values.cast(pl.Datetime("us")).dt.epoch("d")
        numbers.append(values.cast(pl.Float64).to_numpy().astype(np.float64))
    return tuple(numbers), tuple(indicators)


_Design = tuple[list[Floats], Floats, Strata | None]


def _additive(
    rows: Rows, cell: Ints, contrast: Floats, covariates: list[Floats], strata: Strata | None
) -> _Design:
    """A mean for each arm, one slope for each covariate, strata projected out."""
    first = 0 if strata is None else 1
    arms = [(cell == code).astype(np.float64) for code in range(first, len(contrast))]
    return [*arms, *covariates], np.concatenate((contrast[first:], np.zeros(len(covariates)))), strata


def _interacted(
    rows: Rows, cell: Ints, contrast: Floats, covariates: list[Floats], strata: Strata | None
) -> _Design:
    """A regression on centred covariates and strata for each arm."""
    arms = [(cell == code).astype(np.float64) for code in range(len(contrast))]
    if strata is not None:
        indicators = [(strata.code == code).astype(np.float64) for code in range(1, strata.count)]
        covariates = covariates + [rows.centred(column) for column in indicators]
    each = [arm * column for column in covariates for arm in arms]
    return [*arms, *each], np.concatenate((contrast, np.zeros(len(each)))), None
