"""Effects on ratings: several judgements by each participant, errors clustered by the participant."""

from collections.abc import Iterator
from typing import cast

import numpy as np
import polars as pl

from equipoise.errors import DesignError, NotSupportedError
from equipoise.estimation.arrays import Dof, refuse
from equipoise.estimation.effects.adjusted import linear_effect
from equipoise.estimation.inference import Estimate
from equipoise.estimation.least_squares.covariance import Variance
from equipoise.estimation.meaning.standardised import hedges_g, reference_sd
from equipoise.findings.deciding.claims import claimed, tier_of
from equipoise.findings.estimates import standardised_of, with_estimate
from equipoise.findings.fitting.random_texts import fit_random_texts, random_texts_words
from equipoise.findings.fitting.redrawn_ratings import ratings_by_redraws
from equipoise.findings.levels.categories import Rows, by_category, of_how_many
from equipoise.findings.reading.data import StudyData
from equipoise.findings.results import Finding, Standardised
from equipoise.findings.sampling.rated import SHOWN, Labels, Rated, rated_of
from equipoise.findings.wording.estimands import estimand, model_words
from equipoise.protocol.checks.analyses import NO_GROUPS
from equipoise.protocol.models.analyses import Analysis
from equipoise.protocol.study import Study

__all__ = ["rating_findings"]


def rating_findings(
    study: Study, data: StudyData, name: str, analysis: Analysis, outcome: str, text: str, *, planned: bool
) -> Iterator[Finding]:
    """The effect of one contrast of attributes, ways of presenting or arms on what was rated.

    Where the ratings say which text of an attribute was shown, errors by participant and by text stand beside
    an effect of that attribute: they hold for other texts of the kind, not for these alone. By the model
    `mixed` texts have a random effect.
    """
    if analysis.model not in ("linear", "mixed"):
        raise NotSupportedError(
            f"ratings are analysed by the models linear and mixed; {analysis.model} is not yet supported"
        )
    rated = rated_of(study, data, analysis, outcome, text)
    shared = _provenance(study, name, rated, outcome, text, planned=planned)
    if analysis.by is not None:
        yield from _by_level(study, shared, rated)
        return
    told: tuple[str, ...] = ()
    try:
        if analysis.model == "mixed":
            estimate, told = fit_random_texts(rated)
        else:
            estimate = _estimate(rated, rated.cluster, analysis.variance or "CR2")
    except DesignError as error:
        yield shared.model_copy(update={"not_estimable": str(error)})
        return
    people = len(np.unique(rated.people))
    effect = with_estimate(
        shared,
        estimate,
        standardised=_standardised(estimate, rated),
        warnings=(f"{int(rated.answered.sum())} ratings by {people} participants", *told),
    )
    yield _redrawn(study, effect, rated) if analysis.test.by == "randomisation" else effect
    if analysis.model == "linear":
        yield from _by_text_shown(study, effect, rated)


def _redrawn(study: Study, effect: Finding, rated: Rated) -> Finding:
    """The effect with p-value and interval from drawing again what was shown."""
    task = str(study.protocol.outcomes[str(effect.outcome)].task)
    try:
        found = ratings_by_redraws(study, rated, task)
    except DesignError as error:
        return _without_numbers(effect, str(error))
    told = {"model": f"{effect.model}; {found.how}", "warnings": (*effect.warnings, *found.notes)}
    return effect.model_copy(update=found.fields | told)


def _provenance(study: Study, name: str, rated: Rated, outcome: str, text: str, *, planned: bool) -> Finding:
    spec, analysis = study.protocol.outcomes[outcome], rated.analysis
    return Finding(
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
        n_randomised=rated.counts(rated.inside),
        n_missing=rated.counts(rated.inside & np.isnan(rated.values)),
        n=rated.counts(rated.answered),
        margin=spec.margin,
        good=spec.good,
        model=random_texts_words(rated)
        if analysis.model == "mixed"
        else model_words(analysis, outcome, rated.adjusted[0]),
    )


def _estimate(rated: Rated, cluster: Labels, variance: str) -> Estimate:
    if variance == "wild-bootstrap":
        raise refuse("variance", "of ratings is CR2 or two-way; there are participants enough for either.")
    return linear_effect(
        rated.values[rated.answered],
        rated.code[rated.answered],
        rated.cells.weights,
        covariates=rated.adjusted[1],
        cluster=cluster,
        variance=cast(Variance, variance),
        dof=cast(Dof, rated.analysis.dof),
        level=rated.analysis.interval,
        arm_names=rated.cells.names,
    )


def _by_level(study: Study, shared: Finding, rated: Rated) -> Iterator[Finding]:
    """The contrast at each level of something drawn for the rating, or known of its participant."""
    by = str(rated.analysis.by)
    base = shared.model_copy(update={"by": by, "tier": "exploratory", "n": {}, "n_missing": {}})
    try:
        if by in NO_GROUPS:
            raise refuse("by", f"is {by}, which ratings do not have; name a column or what was drawn.")
        known = rated.among(by)
        rows = Rows(
            known.values[known.answered],
            known.code[known.answered],
            pl.Series(known.labels(by), dtype=pl.String),
            known.cells,
            known.adjusted[1],
            known.people if known.analysis.variance == "two-way" else known.cluster,
            known.adjusted[0],
        )
    except DesignError as error:
        yield base.model_copy(update={"not_estimable": str(error)})
        return
    base = base.model_copy(update={"warnings": (of_how_many(study),)})
    yield from by_category(rows, base, rated.analysis)


def _by_text_shown(study: Study, effect: Finding, rated: Rated) -> Iterator[Finding]:
    """Two-way errors for each attribute of the contrast whose texts are named in the ratings."""
    for factor in rated.cells.factors:
        column = f"{factor}{SHOWN}"
        if column not in rated.ratings.columns or effect.tier not in ("primary", "secondary", "exploratory"):
            continue
        shown = rated.labels(column)
        texts = len(np.unique(shown))
        finding = effect.model_copy(
            update={
                "id": f"{effect.id}.{factor}.other-texts",
                "tier": "sensitivity" if effect.planned else "exploratory",
                "margin": None,
                "model": f"{effect.model}; here two-way standard errors, by participant and by the "
                f"{texts} texts of {factor} that were shown (CR1)",
                "warnings": (),
            }
        )
        try:
            both = _estimate(rated, np.stack((rated.people, shown), axis=1), "two-way")
            yield with_estimate(finding, both, standardised=None)
        except DesignError as error:
            yield _without_numbers(finding, str(error))


def _without_numbers(finding: Finding, why: str) -> Finding:
    numbers = ("estimate", "std_error", "dof", "statistic", "p_value", "interval", "standardised")
    return finding.model_copy(update=dict.fromkeys(numbers) | {"not_estimable": why})


def _standardised(estimate: Estimate, rated: Rated) -> Standardised | None:
    """In SDs of the ratings of the first cell that is subtracted; None where those were all alike."""
    control = int(np.flatnonzero(rated.cells.weights < 0)[0])
    try:
        sd = reference_sd(rated.values[rated.answered], None, rated.code[rated.answered], control)
        found = hedges_g(estimate, sd)
    except DesignError:
        return None
    return standardised_of(found, f"ratings of {rated.cells.names[control]}")
