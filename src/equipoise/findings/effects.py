"""One analysis of an outcome that people have: the contrast, its standardised form, and what missing answers allow."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import polars as pl

from equipoise.errors import DesignError, NotSupportedError
from equipoise.estimation.adjusted import lin_interacted, linear_effect, missing_indicator
from equipoise.estimation.attrition import manski_bounds, tipping_points
from equipoise.estimation.inference import Estimate
from equipoise.estimation.neyman import difference_in_means
from equipoise.estimation.standardised import StandardisedEffect, hedges_g, reference_sd
from equipoise.findings.cells import Cells, cells_of
from equipoise.findings.data import StudyData
from equipoise.findings.estimands import claimed, estimand, model_words, tier_of
from equipoise.findings.results import Finding, Interval, Standardised
from equipoise.instruments.scoring import Floats
from equipoise.protocol.contrasts import Contrast, parse_contrast
from equipoise.protocol.expressions import compile_expression
from equipoise.protocol.factors import contrast_factors, default_factor
from equipoise.protocol.facts import before_allocation
from equipoise.protocol.folder import Study
from equipoise.protocol.models.allocation import Stage
from equipoise.protocol.models.analyses import Analysis
from equipoise.protocol.timeline import waves_before

__all__ = ["Sample", "dummies", "effect_findings", "numbers_of", "sample_of", "shares_of", "standardised_of"]

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
_BOUNDS = "Manski bounds: every missing answer at the worst, then at the best, possible value"
_TIPPING = (
    "how far the mean of this arm's missing answers would have to lie from that of its answers for the interval of "
    "the effect on all randomised to change sides of zero"
)


@dataclass(frozen=True)
class Sample:
    """Whom an analysis looks at, aligned with the rows of the participants.

    `inside`: randomised and selected by `among`; `code`: the cell of each, -1 outside; `notes`: what to tell.
    """

    cells: Cells
    inside: Bools
    code: Ints
    notes: tuple[str, ...]

    def counts(self, rows: Bools) -> dict[str, int]:
        """People by cell among these rows."""
        found = np.bincount(self.code[rows & self.inside], minlength=len(self.cells.names))
        return {name: int(count) for name, count in zip(self.cells.names, found, strict=True)}


def effect_findings(
    study: Study, data: StudyData, name: str, analysis: Analysis, outcome: str, at: str, text: str, *, planned: bool
) -> Iterator[Finding]:
    """The effect of one contrast on one outcome at one wave, then its bounds and tipping points.

    Args:
        at: the wave; for an outcome from a column without waves, the empty text.
        text: the contrast.
        planned: whether the locked protocol names the analysis.
    """
    contrast = parse_contrast(text, contrast_factors(study.protocol, study.vignettes), default_factor(study.protocol))
    if not contrast.supported:
        raise NotSupportedError(f'the contrast "{text}" compares strategies, which this version cannot estimate yet')
    sample = sample_of(study, data, analysis, contrast)
    spec = study.protocol.outcomes[outcome]
    values = data.numbers(study.protocol.frame_column(outcome, at or None))
    answered = sample.inside & ~np.isnan(values)
    finding_id = ".".join(part for part in (name, outcome, at, text) if part)
    shared = Finding(
        id=finding_id,
        analysis=name,
        kind="effect",
        outcome=outcome,
        at=at or None,
        contrast=text,
        among=analysis.among,
        units=spec.unit,
        role=spec.role,
        tier=tier_of(analysis, spec.role, planned=planned, claimed=claimed(study, name, outcome)),
        planned=planned,
        estimand=estimand(study, analysis, outcome, at or None, text),
        n_randomised=sample.counts(sample.inside),
        n=sample.counts(answered),
        n_missing=sample.counts(sample.inside & np.isnan(values)),
        margin=spec.margin,
        good=spec.good,
    )
    fitted = _Fit(study, data, analysis, outcome, sample, values, answered)
    try:
        estimate = fitted.estimate()
    except DesignError as error:
        yield shared.model_copy(update={"not_estimable": str(error), "model": fitted.words})
        return
    yield shared.model_copy(
        update={
            **numbers_of(estimate),
            "standardised": _standardised(study, data, outcome, sample, values, answered, estimate),
            "model": fitted.words,
            "warnings": (*sample.notes, *fitted.notes),
        }
    )
    yield from _for_all_randomised(shared, analysis, spec.range, sample, values, answered, estimate)


def sample_of(study: Study, data: StudyData, analysis: Analysis, contrast: Contrast) -> Sample:
    """Everybody randomised whom `among` selects, with the cell of the contrast's factors that each is in."""
    protocol = study.protocol
    levels = {protocol.arm_column(name): tuple(stage.arms) for name, stage in protocol.allocation.items()}
    cells = cells_of(contrast, levels, shares_of(study))
    columns = {factor: data.participants[factor].to_numpy() for factor in cells.factors}
    code = cells.codes(columns)
    inside, notes = code >= 0, ()
    if analysis.among is not None:
        selected = compile_expression(analysis.among, before_allocation(protocol)).evaluate_frame(data.participants)
        unknown = int((selected.is_null().to_numpy() & inside).sum())
        inside &= selected.fill_null(False).to_numpy()
        notes = (f"{unknown} people are left out because it is not known whether {analysis.among}",) if unknown else ()
    return Sample(cells, inside, np.where(inside, code, -1), notes)


def shares_of(study: Study) -> dict[str, dict[str, Fraction]]:
    """The randomised share of each level of each stage; of unequal ratios by stratum, the last rule's."""
    shares = {}
    for name, stage in study.protocol.allocation.items():
        shares[study.protocol.arm_column(name)] = _ratio_shares(stage)
    for task in study.protocol.tasks.values():
        total = sum(task.present.values())
        if total:
            shares[task.present_as] = {level: Fraction(share, total) for level, share in task.present.items()}
        if task.vignette in study.vignettes:
            for attribute, spec in study.vignettes[task.vignette].attributes.items():
                whole = sum(spec.levels.values())
                shares[attribute] = {level: Fraction(share, whole) for level, share in spec.levels.items()}
    return shares


def _ratio_shares(stage: Stage) -> dict[str, Fraction]:
    if not stage.ratio:
        return {}
    rule = stage.ratio[-1].shares
    total = sum(rule.values())
    return {arm: Fraction(share, total) for arm, share in rule.items()}


@dataclass
class _Fit:
    """The model of one analysis, put together from the columns that it adjusts for."""

    study: Study
    data: StudyData
    analysis: Analysis
    outcome: str
    sample: Sample
    values: Floats
    answered: Bools
    notes: tuple[str, ...] = ()
    words: str = ""

    def estimate(self) -> Estimate:
        """The contrast by the model that the analysis names."""
        analysis, rows = self.analysis, self.answered
        names, covariates = self._covariates()
        strata = self._strata() if "strata" in (analysis.adjust or ()) else None
        told = (*names, "strata") if strata is not None else names
        self.words = model_words(analysis, self.outcome, told)
        y, arm, weights = self.values[rows], self.sample.code[rows], self.sample.cells.weights
        shared = {"level": analysis.interval, "arm_names": self.sample.cells.names}
        if analysis.model == "difference-in-means":
            sizes = None
            if strata is not None:
                everyone = strata[self.sample.inside]
                labels, counts = np.unique(everyone, return_counts=True)
                sizes = {str(label): float(count) for label, count in zip(labels, counts, strict=True)}
            return difference_in_means(
                y, arm, weights, strata=None if strata is None else strata[rows], randomised=sizes, **shared
            )
        if analysis.model in ("linear", "lin-interacted"):
            fit = linear_effect if analysis.model == "linear" else lin_interacted
            return fit(
                y,
                arm,
                weights,
                covariates=covariates[rows] if covariates.shape[1] else None,
                strata=None if strata is None else strata[rows],
                cluster=self._cluster(),
                variance=analysis.variance,
                dof=analysis.dof,
                **shared,
            )
        return self._generalised(y, arm, weights, covariates[rows], strata)

    def _generalised(
        self, y: Floats, arm: Ints, weights: Floats, covariates: Floats, strata: npt.NDArray[np.object_] | None
    ) -> Estimate:
        from equipoise.estimation.registry import generalised_effect

        columns = [covariates] if covariates.shape[1] else []
        if strata is not None:
            labels, code = np.unique(strata[self.answered], return_inverse=True)
            columns.append((code[:, None] == np.arange(1, len(labels))).astype(np.float64))
        return generalised_effect(
            str(self.analysis.model),
            y,
            arm,
            weights,
            covariates=np.concatenate(columns, axis=1) if columns else None,
            cluster=self._cluster(),
            level=self.analysis.interval,
            arm_names=self.sample.cells.names,
        )

    def _cluster(self) -> npt.NDArray[np.object_] | None:
        cluster = self.analysis.cluster
        if cluster is None or cluster == "participant":
            return None
        return self._text(cluster)[self.answered]

    def _strata(self) -> npt.NDArray[np.object_]:
        protocol = self.study.protocol
        columns = protocol.allocation[protocol.main_stage].strata
        labels = [self._text(column) for column in columns]
        return np.array([" / ".join(row) for row in zip(*labels, strict=True)], dtype=object)

    def _text(self, column: str) -> npt.NDArray[np.object_]:
        """A column as labels, shape (n,)."""
        if not self.data.has(column):
            raise DesignError(f'the data have no column "{column}", which the analysis needs')
        return self.data.participants[column].cast(pl.String).fill_null("(missing)").to_numpy()

    def _covariates(self) -> tuple[tuple[str, ...], Floats]:
        """What is adjusted for besides the strata: its names for the reader, and its columns, shape (n, p)."""
        names: list[str] = []
        columns: list[Floats] = []
        for name in self.analysis.adjust or ():
            if name == "strata":
                continue
            added = self._columns_of(name)
            if added is not None:
                names.append(added[0])
                columns.append(added[1])
        joined = np.concatenate(columns, axis=1) if columns else np.empty((len(self.values), 0))
        return tuple(names), joined

    def _columns_of(self, name: str) -> tuple[str, Floats] | None:
        protocol = self.study.protocol
        if name in waves_before(protocol, protocol.main_stage):
            column = f"{self.outcome}_{name}"
            if self.outcome in self.analysis.unadjusted or not self.data.has(column):
                return None
            return f"the score {name}", self._numeric(f"score {name}", self.data.numbers(column))
        participants = protocol.participants
        if participants is not None and name in participants.derived:
            expression = compile_expression(participants.derived[name], before_allocation(protocol))
            values = expression.evaluate_frame(self.data.participants)
        elif self.data.has(name):
            values = self.data.participants[name]
        else:
            raise DesignError(f'the data have no column "{name}", for which the analysis adjusts')
        if values.dtype in (pl.String, pl.Boolean):
            return name, dummies(values.cast(pl.String).fill_null("(missing)"))
        return name, self._numeric(name, values.cast(pl.Float64).to_numpy().astype(np.float64))

    def _numeric(self, name: str, values: Floats) -> Floats:
        """The covariate without gaps, filled among those analysed, with a column that says who lacked it."""
        filled = missing_indicator(np.where(self.answered, values, np.nan)[self.answered])
        if filled.missing:
            self.notes += (
                f"{name} is missing for {filled.missing} of {int(self.answered.sum())} analysed: kept by the "
                "missing-indicator method",
            )
        columns = np.zeros((len(values), filled.columns.shape[1]))
        columns[self.answered] = filled.columns
        return columns


def dummies(labels: pl.Series) -> Floats:
    levels = labels.unique().sort().to_list()
    found = labels.to_numpy()
    return np.stack([(found == level).astype(np.float64) for level in levels[1:]], axis=1) if len(levels) > 1 else (
        np.empty((len(labels), 0))
    )


def numbers_of(estimate: Estimate) -> dict[str, object]:
    return {
        "estimate": estimate.estimate,
        "std_error": estimate.std_error,
        "dof": estimate.dof if np.isfinite(estimate.dof) else None,
        "statistic": estimate.statistic,
        "p_value": estimate.p_value,
        "interval": Interval(
            level=estimate.interval.level, low=estimate.interval.low, high=estimate.interval.high
        ),
    }


def _standardised(
    study: Study, data: StudyData, outcome: str, sample: Sample, values: Floats, answered: Bools, estimate: Estimate
) -> Standardised | None:
    """Hedges' g, by the SD before allocation where enough of the analysed have it; None where there is no SD."""
    waves = waves_before(study.protocol, study.protocol.main_stage)
    before = [f"{outcome}_{wave}" for wave in waves if data.has(f"{outcome}_{wave}")]
    score = data.numbers(before[-1])[answered] if before else None
    control = int(np.flatnonzero(sample.cells.weights < 0)[0])
    try:
        found = hedges_g(estimate, reference_sd(values[answered], score, sample.code[answered], control))
    except DesignError:
        return None
    return standardised_of(found, found.sd.of.replace("the control arm", f"the arm {sample.cells.names[control]}"))


def standardised_of(found: StandardisedEffect, source: str) -> Standardised:
    """A standardised effect as a finding holds it."""
    effect = found.effect
    return Standardised(
        estimate=effect.estimate,
        std_error=effect.std_error,
        dof=effect.dof if np.isfinite(effect.dof) else None,
        interval=Interval(level=effect.interval.level, low=effect.interval.low, high=effect.interval.high),
        sd=found.sd.value,
        sd_source=source,
    )


def _for_all_randomised(
    shared: Finding,
    analysis: Analysis,
    span: tuple[float, float] | None,
    sample: Sample,
    values: Floats,
    answered: Bools,
    estimate: Estimate,
) -> Iterator[Finding]:
    """Bounds that need no assumption, and how wrong one arm's missing answers would have to be."""
    base = shared.model_copy(update={"kind": "bound", "tier": "sensitivity" if shared.planned else "exploratory"})
    arm, weights = sample.code[sample.inside], sample.cells.weights
    y, held = values[sample.inside], answered[sample.inside]
    if "bounds" in (analysis.missing or ()):
        yield _bounds(base, span, y, held, arm, weights)
    if "tipping-point" in (analysis.missing or ()):
        for point in tipping_points(estimate, y, held, arm, weights, span):
            name = sample.cells.names[point.arm]
            shift = point.to_change
            none = None if shift is not None else "no shift of this arm's missing answers changes the conclusion"
            impossible = point.possible is False
            yield base.model_copy(
                update={
                    "id": f"{shared.id}.tipping-point.{name}",
                    "arm": name,
                    "estimate": shift,
                    "not_estimable": none,
                    "model": _TIPPING,
                    "warnings": ("such a shift lies outside what the outcome can be",) if impossible else (),
                }
            )


def _bounds(
    base: Finding, span: tuple[float, float] | None, y: Floats, held: Bools, arm: Ints, weights: Floats
) -> Finding:
    finding = base.model_copy(update={"id": f"{base.id}.bounds", "model": _BOUNDS})
    if span is None:
        why = "the outcome has no lowest and highest possible value"
        return finding.model_copy(update={"not_estimable": why})
    found = manski_bounds(y, held, arm, weights, span)
    return finding.model_copy(update={"interval": Interval(level=None, low=found.low, high=found.high)})
