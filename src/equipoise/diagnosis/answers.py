"""The answers of one wave, item by item, from latent values; and the ratings of a task."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from equipoise.instruments.definition import Composite, Instrument
from equipoise.instruments.library import load
from equipoise.instruments.scoring import Floats, rule_of
from equipoise.instruments.simulate import (
    answers_for,
    answers_for_composite,
    counts_for,
    latent_shift,
    planning_values,
)
from equipoise.protocol.factors import questions
from equipoise.protocol.folder import Study
from equipoise.protocol.models.assumptions import AssumedOutcome
from equipoise.protocol.models.files import Question, Survey
from equipoise.protocol.models.outcomes import Outcome

__all__ = ["Latent", "outcome_shift", "survey_answers"]

_RELATED = 0.6  # correlation of scores that no outcome takes with the outcomes of the same instrument


class Latent:
    """Standard normal values of the people who answer, by outcome, with the effect that each of them got.

    `effect` is in the outcome's own unit, shape (n,).
    """

    def __init__(self, value: Floats, effect: Floats) -> None:
        self.value = value
        self.effect = effect


def survey_answers(
    study: Study, survey: Survey, latents: Mapping[str, Latent], n: int, rng: np.random.Generator
) -> dict[str, pl.Series]:
    """Every answer to a survey: instruments by item, questions by id.

    Args:
        study: its assumptions say how outcomes are distributed.
        survey: what is asked.
        latents: of the outcomes that the survey measures.
        n: people who answer.
        rng: where the chance comes from.
    Returns:
        Columns named `instrument.item` or by the question, each of n answers.
    """
    columns: dict[str, pl.Series] = {}
    for question in questions(survey):
        if question.instrument is not None:
            found = _instrument_answers(study, question.instrument, latents, n, rng)
            columns |= {name: pl.Series(name, values, nan_to_null=True) for name, values in found.items()}
        elif question.id is not None and question.type not in ("text", "several"):
            columns[question.id] = _question_answers(study, question, latents, n, rng)
    return columns


def outcome_shift(outcome: Outcome, assumed: AssumedOutcome, effect: Floats) -> Floats:
    """The latent shift that moves the mean score by each person's effect."""
    definition = load(str(outcome.instrument)) if outcome.instrument else None
    if not isinstance(definition, Instrument) or assumed.sd is None:
        return effect / (assumed.sd or 1.0)
    sizes = np.unique(effect)
    shifts = [
        latent_shift(definition, outcome.score, assumed.mean, assumed.sd, float(size)) for size in sizes
    ]
    return np.asarray(shifts, dtype=np.float64)[np.searchsorted(sizes, effect)]


def _instrument_answers(
    study: Study, name: str, latents: Mapping[str, Latent], n: int, rng: np.random.Generator
) -> dict[str, Floats]:
    definition = load(name)
    if not isinstance(definition, Instrument):
        return {}
    found: dict[str, Floats] = {}
    related: Floats | None = None
    outcomes = study.protocol.outcomes
    for outcome, latent in latents.items():
        spec = outcomes[outcome]
        assumed = study.protocol.diagnosis.assume.outcomes.get(outcome)
        if spec.instrument == name and assumed is not None:
            sd = assumed.sd or planning_values(definition, spec.score)[1]
            shift = outcome_shift(spec, assumed.model_copy(update={"sd": sd}), latent.effect)
            answers = answers_for(definition, spec.score, assumed.mean, sd, latent.value + shift, rng)
            found |= {f"{name}.{key}": values for key, values in answers.items()}
            related = latent.value
        elif spec.instrument is not None and name in _parts_of(spec.instrument) and assumed is not None:
            composite = load(spec.instrument)
            if isinstance(composite, Composite):
                sd = assumed.sd or 0.8
                parts = answers_for_composite(composite, sd, latent.value + latent.effect / sd, rng)
                found |= {f"{name}.{key}": values for key, values in parts.get(name, {}).items()}
    for score in definition.scores:
        left = [key for key in rule_of(definition, score).items if f"{name}.{key}" not in found]
        if left:
            own = rng.standard_normal(n)
            value = own if related is None else _RELATED * related + np.sqrt(1 - _RELATED**2) * own
            answers = answers_for(definition, score, *planning_values(definition, score), value, rng)
            found |= {f"{name}.{key}": answers[key] for key in left}
    return found


def _parts_of(name: str) -> set[str]:
    definition = load(name)
    return (
        {part.instrument for part in definition.parts.values()}
        if isinstance(definition, Composite)
        else set()
    )


def _question_answers(
    study: Study, question: Question, latents: Mapping[str, Latent], n: int, rng: np.random.Generator
) -> pl.Series:
    name = str(question.id)
    for outcome, latent in latents.items():
        spec = study.protocol.outcomes[outcome]
        assumed = study.protocol.diagnosis.assume.outcomes.get(outcome)
        if spec.question is not None and spec.question.rpartition(".")[2] == name and assumed is not None:
            return _outcome_question(question, spec, assumed, latent, n)
    if question.type == "single":
        levels = list(question.options)
        return pl.Series(name, [levels[place] for place in rng.integers(0, len(levels), n)])
    if question.type == "yes-no":
        return pl.Series(name, rng.random(n) < 0.5)
    if question.type == "number":
        low, high = question.low or 0.0, question.high if question.high is not None else 10.0
        return pl.Series(name, np.round(rng.uniform(low, high, n)))
    return pl.Series(name, [None] * n, dtype=pl.String)


def _outcome_question(
    question: Question, spec: Outcome, assumed: AssumedOutcome, latent: Latent, n: int
) -> pl.Series:
    from scipy.stats import norm

    name = str(question.id)
    if question.type == "yes-no" or spec.scale == "yes-no":
        chance = np.clip(assumed.mean + latent.effect, 0.0, 1.0)
        return pl.Series(name, norm.cdf(latent.value) < chance)
    low = question.low if question.low is not None else 0.0
    high = question.high if question.high is not None else assumed.mean + 10 * (assumed.sd or 1.0)
    if spec.scale == "count" or assumed.zero_share is not None:
        values = np.empty(n)
        for size in np.unique(latent.effect):
            rows = latent.effect == size
            values[rows] = counts_for(
                assumed.mean + float(size), assumed.sd or 1.0, int(high), latent.value[rows]
            )
        return pl.Series(name, values)
    drawn = assumed.mean + latent.effect + (assumed.sd or 1.0) * latent.value
    return pl.Series(name, np.clip(np.round(drawn), low, high))
