"""The effect with each answer weighted by one over its chance of being given."""

from collections.abc import Iterator

import numpy as np

from equipoise.errors import DesignError
from equipoise.estimation.effects.adjusted import missing_indicator
from equipoise.estimation.missing.response_weights import (
    ResponseModel,
    WeightedEffect,
    effect_by_response_weights,
    response_model,
)
from equipoise.estimation.missing.weighted_clusters import effect_of_clusters
from equipoise.findings.beside.missing import bare, estimated_otherwise
from equipoise.findings.estimates import with_estimate
from equipoise.findings.fitting import Fitted
from equipoise.findings.results import Finding
from equipoise.findings.sampling.auxiliaries import Predicting, predicting
from equipoise.findings.sampling.covariates import labels_of
from equipoise.findings.sampling.measured import Measured
from equipoise.instruments.scoring import Floats
from equipoise.protocol.names import in_words

__all__ = ["by_response_weights"]

LARGE = 10.0
"""A stabilised weight from which one person's answer counts as an extreme."""
FEW = 0.5
"""A share of an arm's answers; weighted ones worth fewer are said to hang on few people."""
_OWN_REGRESSIONS = ("lin-interacted", "difference-in-means")


def by_response_weights(effect: Finding, measured: Measured, fitted: Fitted) -> Iterator[Finding]:
    """The effect on everybody randomised by response weights, where the analysis asks for them."""
    if "response-weights" not in (measured.analysis.missing or ()):
        return
    how = "for all randomised, from those who answered, weighted for those who did not"
    base = bare(effect).model_copy(
        update={
            "id": f"{effect.id}.response-weights",
            "kind": "effect",
            "estimand": estimated_otherwise(effect, measured, how),
        }
    )
    try:
        found = _found(measured)
    except DesignError as error:
        yield base.model_copy(update={"not_estimable": str(error)})
        return
    yield with_estimate(
        base, found.estimate, model=_words(measured), warnings=tuple(_extremes(measured, found.response))
    )


def _found(measured: Measured) -> WeightedEffect:
    inside, analysis, given = measured.sample.inside, measured.analysis, predicting(measured)
    cluster = None
    if analysis.cluster not in (None, "participant"):
        cluster = labels_of(measured.data, str(analysis.cluster))[inside]
    response = response_model(
        measured.answered[inside],
        measured.sample.code[inside],
        _predictors(given),
        measured.arm_names,
    )
    covariates = given.covariates if given.covariates.shape[1] else None
    strata = None if measured.all_strata is None else measured.all_strata[inside].astype(str)
    interacted = analysis.model in _OWN_REGRESSIONS
    if analysis.average_over == "clusters" and cluster is not None:
        found = effect_of_clusters(
            measured.values[inside],
            response,
            measured.weights,
            cluster,
            covariates=covariates,
            strata=strata,
            interacted=interacted,
            level=analysis.interval,
            arm_names=measured.arm_names,
        )
        return WeightedEffect(found, response)
    return effect_by_response_weights(
        measured.values[inside],
        response,
        measured.weights,
        covariates=covariates,
        strata=strata,
        cluster=cluster,
        interacted=interacted,
        level=analysis.interval,
        arm_names=measured.arm_names,
    )


def _predictors(given: Predicting) -> Floats:
    """Columns without gaps: an auxiliary's gaps hold its mean, beside a column that says who lacked it."""
    filled = [missing_indicator(values).columns for values in given.gappy.values()]
    return np.concatenate((given.covariates, given.parts, given.complete, *filled), axis=1)


def _words(measured: Measured) -> str:
    own = ", a regression of its own in each arm" if measured.analysis.model in _OWN_REGRESSIONS else ""
    adjusted = f", adjusted for {' and '.join(measured.adjusted_for)}" if measured.adjusted_for else ""
    clustered = measured.analysis.cluster not in (None, "participant")
    errors = f"added up by {measured.analysis.cluster}" if clustered else "HC2"
    of_means = measured.analysis.average_over == "clusters"
    of_what = f"one mean for each {in_words(measured.analysis.cluster)}, its" if of_means else "the"
    return (
        f"least squares of {of_what} answers, each weighted by one over its chance of being given by a "
        f"logistic regression in each arm{adjusted}{own}; errors that know the weights to be estimated, "
        f"{errors}. "
        "Holds if answering depends on nothing else"
    )


def _extremes(measured: Measured, response: ResponseModel) -> Iterator[str]:
    largest = float(response.weights.max())
    if largest > LARGE:
        yield f"extreme weights: one answer counts for {largest:.0f}"
    for code in np.flatnonzero(measured.weights):
        answers = int((response.held & (response.arm == code)).sum())
        worth = response.effective(int(code))
        if worth < FEW * answers:
            yield (
                f"uneven weights: the {answers} answers of {measured.arm_names[code]} are worth "
                f"{worth:.0f} unweighted ones"
            )
