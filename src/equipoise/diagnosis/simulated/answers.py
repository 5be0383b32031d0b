"""The answers of one wave, item by item, from latent values."""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import polars as pl

from equipoise.diagnosis.simulated.latents import Stream
from equipoise.diagnosis.simulated.plausible import YES_NO, plausible_answers
from equipoise.diagnosis.simulated.values import Scale, values_of
from equipoise.errors import DesignError, NotSupportedError
from equipoise.instruments.definition import Composite, Instrument
from equipoise.instruments.library import load
from equipoise.instruments.scoring import Floats, rule_of
from equipoise.instruments.simulate import (
    ScoreCurve,
    answers_for_composite,
    latent_shift,
    planning_values,
    score_curve,
)
from equipoise.protocol.factors import questions
from equipoise.protocol.models.assumptions import AssumedOutcome
from equipoise.protocol.models.outcomes import Outcome
from equipoise.protocol.models.surveys import Question, Survey
from equipoise.protocol.study import Study

__all__ = [
    "Latent",
    "answered_by",
    "column_values",
    "question_values",
    "score_shifts",
    "scored_by",
    "survey_answers",
]

_RELATED = 0.6  # correlation of scores that no outcome takes with the outcomes of the same instrument
_COMPOSITE_SD = 0.8  # of a composite for which none is assumed


class Latent:
    """Standard normal values of the people who answer, by outcome, with the effect that each of them got.

    `effect` is in the outcome's own unit, shape (n,).
    """

    def __init__(self, value: Floats, effect: Floats) -> None:
        self.value = value
        self.effect = effect


def survey_answers(
    study: Study, survey: Survey, latents: Mapping[str, Latent], n: int, stream: Stream
) -> dict[str, pl.Series]:
    """Every answer to a survey: instruments by item, questions by id.

    Args:
        study: its assumptions say how outcomes are distributed.
        survey: what is asked.
        latents: of the outcomes that the survey measures.
        n: people who answer.
        stream: where the chance comes from; each instrument, outcome and question has its own.
    Returns:
        Columns as `answer_columns` names them, each of n answers; nobody writes texts or gives dates.
    Raises:
        DesignError, ScoringError: assumptions that the answers cannot have.
    """
    columns: dict[str, pl.Series] = {}
    for question in questions(survey):
        if question.instrument is not None:
            found = _instrument_answers(study, question.instrument, latents, n, stream)
            columns |= {name: pl.Series(name, values, nan_to_null=True) for name, values in found.items()}
        elif question.id is not None:
            columns |= _question_answers(study, question, latents, n, stream)
    return columns


def question_values(
    question: Question, outcome: str, spec: Outcome, assumed: AssumedOutcome, latent: Latent
) -> Floats:
    """Values of an outcome that a question asks for, as numbers, shape (n,).

    Raises:
        DesignError, ScoringError: assumptions that such values cannot have.
        NotSupportedError: options that are not whole numbers in a row.
    """
    return _drawn(outcome, _scale(question, outcome, spec, assumed), assumed, latent)


def answered_by(spec: Outcome) -> tuple[str, ...]:
    """The columns of a survey's answers that an outcome is made of."""
    if spec.question is not None:
        return (spec.question.rpartition(".")[2],)
    definition = load(str(spec.instrument))
    parts: list[tuple[str, str | None]] = [(str(spec.instrument), spec.score)]
    if isinstance(definition, Composite):
        parts = [(part.instrument, part.score) for part in definition.parts.values()]
    return tuple(
        f"{name}.{key}"
        for name, score in parts
        if isinstance(part := load(name), Instrument)
        for key in rule_of(part, score).items
    )


def column_values(name: str, spec: Outcome, assumed: AssumedOutcome, latent: Latent) -> Floats:
    """Values of an outcome that is read from a column, shape (n,): the scale and range that it declares.

    Raises:
        DesignError, ScoringError: assumptions that such values cannot have.
    """
    low, high = spec.range or (-np.inf, np.inf)
    scale = Scale("number", low, high, whole=spec.scale == "ordinal")
    if spec.scale == "yes-no":
        scale = Scale("yes-no")
    elif spec.scale == "count" or assumed.zero_share is not None:
        scale = Scale("count", 0.0, high, whole=True)
    return _drawn(name, scale, assumed, latent)


def _instrument_answers(
    study: Study, name: str, latents: Mapping[str, Latent], n: int, stream: Stream
) -> dict[str, Floats]:
    definition = load(name)
    if not isinstance(definition, Instrument):
        return {}
    found: dict[str, Floats] = {}
    related: Floats | None = None
    for outcome, latent in latents.items():
        spec = study.protocol.outcomes[outcome]
        assumed = study.protocol.diagnosis.assume.outcomes[outcome]
        rng = stream(name, outcome)
        if spec.instrument == name:
            sd = assumed.sd or planning_values(definition, spec.score)[1]
            shift = score_shifts(name, spec.score, assumed.mean, sd, latent.effect)
            curve = scored_by(name, spec.score, assumed.mean, sd)
            answers = curve.answers(latent.value + shift, rng)
            found |= {f"{name}.{key}": values for key, values in answers.items()}
            related = latent.value
        elif spec.instrument is not None and name in _parts_of(spec.instrument):
            # One stream for all parts: their noise has to cancel over the parts.
            parts = _composite_answers(spec.instrument, assumed, latent, stream(outcome))
            found |= {f"{name}.{key}": values for key, values in parts[name].items()}
    for score in definition.scores:
        left = [key for key in rule_of(definition, score).items if f"{name}.{key}" not in found]
        if left:
            rng = stream(name, "score", score)
            own = rng.standard_normal(n)
            value = own if related is None else _RELATED * related + np.sqrt(1 - _RELATED**2) * own
            answers = scored_by(name, score, *planning_values(definition, score)).answers(value, rng)
            found |= {f"{name}.{key}": answers[key] for key in left}
    return found


@lru_cache(maxsize=256)
def scored_by(instrument: str, score: str | None, mean: float, sd: float) -> ScoreCurve:
    """How latent values become answers to an instrument of this mean and SD.

    Raises:
        NotSupportedError: an instrument that is made of others.
        ScoringError: a mean and SD that its score cannot have.
    """
    definition = load(instrument)
    if not isinstance(definition, Instrument):
        raise NotSupportedError(f"{instrument} is made of several instruments")
    return score_curve(definition, score, mean, sd)


def score_shifts(instrument: str, score: str | None, mean: float, sd: float, effect: Floats) -> Floats:
    """The latent shift that moves the mean score by each person's effect."""
    sizes = np.unique(effect)
    shifts = [_shift(instrument, score, mean, sd, float(size)) for size in sizes]
    return np.asarray(shifts, dtype=np.float64)[np.searchsorted(sizes, effect)]


@lru_cache(maxsize=1024)
def _shift(instrument: str, score: str | None, mean: float, sd: float, effect: float) -> float:
    definition = load(instrument)
    if effect == 0 or not isinstance(definition, Instrument):
        return 0.0
    return latent_shift(definition, score, mean, sd, effect)


def _composite_answers(
    name: str, assumed: AssumedOutcome, latent: Latent, rng: np.random.Generator
) -> dict[str, dict[str, Floats]]:
    composite = load(name)
    if not isinstance(composite, Composite):
        return {}
    sd = assumed.sd or _COMPOSITE_SD
    return answers_for_composite(composite, sd, latent.value + latent.effect / sd, rng)


def _parts_of(name: str) -> set[str]:
    definition = load(name)
    parts = definition.parts.values() if isinstance(definition, Composite) else ()
    return {part.instrument for part in parts}


def _question_answers(
    study: Study, question: Question, latents: Mapping[str, Latent], n: int, stream: Stream
) -> dict[str, pl.Series]:
    name = str(question.id)
    for outcome, latent in latents.items():
        spec = study.protocol.outcomes[outcome]
        if spec.question is not None and spec.question.rpartition(".")[2] == name:
            assumed = study.protocol.diagnosis.assume.outcomes[outcome]
            return {name: _outcome_question(question, outcome, spec, assumed, latent)}
    return plausible_answers(question, n, stream)


def _outcome_question(
    question: Question, outcome: str, spec: Outcome, assumed: AssumedOutcome, latent: Latent
) -> pl.Series:
    name = str(question.id)
    values = question_values(question, outcome, spec, assumed, latent)
    if question.type in YES_NO:
        return pl.Series(name, values > 0)
    if question.type == "single":
        return pl.Series(name, [f"{value:.0f}" for value in values], dtype=pl.String)
    return pl.Series(name, values)


def _scale(question: Question, outcome: str, spec: Outcome, assumed: AssumedOutcome) -> Scale:
    """What a question's answers may be: whole numbers but for yes and no."""
    if question.type in YES_NO:
        return Scale("yes-no")
    low, high = spec.range or (-np.inf, np.inf)
    if question.type in ("single", "likert"):
        codes = sorted(float(code) for code in question.options if code.lstrip("-").isdigit())
        if len(codes) < len(question.options) or codes[-1] - codes[0] != len(codes) - 1:
            raise NotSupportedError(
                f"simulating {outcome}: the options of {question.id} are not whole numbers in a row"
            )
        low, high = codes[0], codes[-1]
    if spec.scale == "yes-no":
        return Scale("yes-no")
    low = low if question.low is None else question.low
    high = high if question.high is None else question.high
    if spec.scale == "count" or assumed.zero_share is not None:
        return Scale("count", 0.0, high, whole=True)
    return Scale("number", low, high, whole=True)


def _drawn(outcome: str, scale: Scale, assumed: AssumedOutcome, latent: Latent) -> Floats:
    if assumed.sd is None and scale.kind != "yes-no":
        raise DesignError(f"diagnosis.assume.{outcome}: the SD is missing; only shares of yes go without")
    zeros = assumed.zero_share if scale.kind == "count" else None
    sd = assumed.sd or 0.0
    return values_of(outcome, scale, assumed.mean, sd, latent.value, latent.effect, zero_share=zeros)
