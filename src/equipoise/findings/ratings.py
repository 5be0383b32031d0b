"""Effects on ratings: several judgements by each participant, errors clustered by the participant."""

from collections.abc import Iterator
from typing import cast

import numpy as np
import polars as pl

from equipoise.errors import DesignError, NotSupportedError
from equipoise.estimation.arrays import Dof
from equipoise.estimation.effects.adjusted import linear_effect
from equipoise.estimation.inference import Estimate
from equipoise.estimation.least_squares.covariance import Variance
from equipoise.estimation.meaning.standardised import hedges_g, reference_sd
from equipoise.findings.cells import Cells, cells_of
from equipoise.findings.claims import claimed, tier_of
from equipoise.findings.covariates import dummies
from equipoise.findings.data import StudyData
from equipoise.findings.estimands import estimand, model_words
from equipoise.findings.estimates import standardised_of, with_estimate
from equipoise.findings.results import Finding, Standardised
from equipoise.findings.sample import Bools, Ints, shares_of, supported_contrast
from equipoise.instruments.scoring import Floats
from equipoise.protocol.expressions import compile_expression
from equipoise.protocol.factors import contrast_factors
from equipoise.protocol.facts import rating_facts
from equipoise.protocol.models.analyses import Analysis
from equipoise.protocol.study import Study

__all__ = ["rating_findings", "ratings_with_people"]


def rating_findings(
    study: Study, data: StudyData, name: str, analysis: Analysis, outcome: str, text: str, *, planned: bool
) -> Iterator[Finding]:
    """The effect of one contrast of attributes, ways of presenting or arms on what was rated."""
    if analysis.model != "linear":
        raise NotSupportedError(
            f"ratings are analysed by the linear model; {analysis.model} is not yet supported"
        )
    protocol = study.protocol
    spec = protocol.outcomes[outcome]
    factors = contrast_factors(protocol, study.vignettes)
    cells = cells_of(supported_contrast(study, text), factors, shares_of(study))
    ratings = ratings_with_people(study, data, str(spec.task))
    code = cells.codes({factor: ratings[factor].to_numpy() for factor in cells.factors})
    inside = code >= 0
    if analysis.among is not None:
        chosen = compile_expression(analysis.among, rating_facts(protocol, study.vignettes)).evaluate_frame(
            ratings
        )
        inside &= chosen.fill_null(False).to_numpy()
    values = ratings[str(spec.question)].cast(pl.Float64).to_numpy().astype(np.float64)
    answered = inside & ~np.isnan(values)
    adjusted, covariates = _covariates(analysis, ratings, cells)
    words = model_words(analysis, outcome, adjusted)
    shared = Finding(
        id=f"{name}.{outcome}.{text}",
        analysis=name,
        kind="effect",
        outcome=outcome,
        contrast=text,
        among=analysis.among,
        units=spec.unit,
        role=spec.role,
        tier=tier_of(analysis, spec.role, planned=planned, claimed=claimed(study, name, outcome, None)),
        planned=planned,
        estimand=estimand(study, analysis, outcome, None, text),
        n_randomised=_counts(cells, code, inside),
        n_missing=_counts(cells, code, inside & np.isnan(values)),
        n=_counts(cells, code, answered),
        margin=spec.margin,
        good=spec.good,
        model=words,
    )
    try:
        estimate = linear_effect(
            values[answered],
            code[answered],
            cells.weights,
            covariates=covariates[answered] if covariates.shape[1] else None,
            cluster=ratings[data.identifier].to_numpy()[answered],
            variance=cast(Variance, analysis.variance or "CR2"),
            dof=cast(Dof, analysis.dof),
            level=analysis.interval,
            arm_names=cells.names,
        )
    except DesignError as error:
        yield shared.model_copy(update={"not_estimable": str(error)})
        return
    people = ratings.filter(pl.Series(answered))[data.identifier].n_unique()
    notes = (f"{int(answered.sum())} ratings by {people} participants",)
    yield with_estimate(
        shared,
        estimate,
        standardised=_standardised(estimate, values[answered], code[answered], cells),
        warnings=notes,
    )


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


def _standardised(estimate: Estimate, values: Floats, code: Ints, cells: Cells) -> Standardised | None:
    """In SDs of the ratings of the first cell that is subtracted; None where those were all alike."""
    control = int(np.flatnonzero(cells.weights < 0)[0])
    try:
        found = hedges_g(estimate, reference_sd(values, None, code, control))
    except DesignError:
        return None
    return standardised_of(found, f"ratings of {cells.names[control]}")


def _covariates(analysis: Analysis, ratings: pl.DataFrame, cells: Cells) -> tuple[tuple[str, ...], Floats]:
    """Attributes that the contrast does not name, and the position, as columns shape (n, p)."""
    names, columns = [], []
    for name in analysis.adjust or ():
        if name in cells.factors or name not in ratings.columns:
            continue
        values = ratings[name]
        text = values.dtype in (pl.String, pl.Boolean)
        columns.append(
            dummies(values.cast(pl.String)) if text or name == "position" else values.to_numpy()[:, None]
        )
        names.append(name)
    return tuple(names), np.concatenate(columns, axis=1) if columns else np.empty((ratings.height, 0))


def _counts(cells: Cells, code: Ints, rows: Bools) -> dict[str, int]:
    found = np.bincount(code[rows], minlength=len(cells.names))
    return {name: int(count) for name, count in zip(cells.names, found, strict=True)}
