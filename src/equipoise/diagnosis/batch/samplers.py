"""Scores of outcomes from latent values, worked out once and drawn many times."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import comb

import numpy as np

from equipoise.diagnosis.simulated.answers import (
    Latent,
    column_values,
    question_values,
    score_shifts,
    scored_by,
)
from equipoise.errors import NotSupportedError
from equipoise.estimation.arrays import Bools, Floats
from equipoise.instruments.definition import Instrument
from equipoise.instruments.library import load
from equipoise.instruments.scoring import rule_of, score
from equipoise.instruments.simulate import ScoreCurve, planning_values
from equipoise.protocol.factors import questions
from equipoise.protocol.study import Study

__all__ = ["Sampler", "sampler_of"]

Sampler = Callable[[Floats, Floats, np.random.Generator], Floats]
"""Scores of people with these latent values and these effects, shape (n,); NaN where answers are lacking."""


def sampler_of(study: Study, outcome: str) -> Sampler:
    """How an outcome's scores are drawn.

    Raises:
        NotSupportedError: an outcome that is not of one instrument, question or column.
    """
    spec = study.protocol.outcomes[outcome]
    assumed = study.protocol.diagnosis.assume.outcomes[outcome]
    if spec.column is not None:
        return lambda latent, effect, _: column_values(outcome, spec, assumed, Latent(latent, effect))
    if spec.instrument is not None:
        definition = load(spec.instrument)
        if not isinstance(definition, Instrument):
            raise NotSupportedError(f"{outcome}: {spec.instrument} is made of several instruments")
        sd = assumed.sd or planning_values(definition, spec.score)[1]
        missing = study.protocol.diagnosis.assume.response.missing_item
        curve = scored_by(spec.instrument, spec.score, assumed.mean, sd)
        return _Scored(definition, spec.score, assumed.mean, sd, missing, curve)
    name = str(spec.question).rpartition(".")[2]
    asked = {
        str(question.id): question
        for survey in study.surveys.values()
        for question in questions(survey)
        if question.id is not None
    }
    if spec.task is not None or name not in asked:
        raise NotSupportedError(f"{outcome}: no survey asks {name}")
    question = asked[name]
    return lambda latent, effect, _: question_values(question, outcome, spec, assumed, Latent(latent, effect))


@dataclass(frozen=True, eq=False)
class _Scored:
    """Scores of an instrument; answers item by item only for those who leave an item out."""

    definition: Instrument
    score_name: str | None
    mean: float
    sd: float
    missing: float
    curve: ScoreCurve

    def __call__(self, latent: Floats, effect: Floats, rng: np.random.Generator) -> Floats:
        if effect.any():
            name = self.definition.id
            latent = latent + score_shifts(name, self.score_name, self.mean, self.sd, effect)
        found = self.curve.scores(latent, rng)
        if self.missing:
            items = len(rule_of(self.definition, self.score_name).items)
            with_gaps = np.flatnonzero(rng.random(len(latent)) >= (1 - self.missing) ** items)
            gaps = _gaps(len(with_gaps), items, self.missing, rng)
            found[with_gaps] = self._incomplete(latent[with_gaps], gaps, rng)
        return found

    def _incomplete(self, latent: Floats, gaps: Bools, rng: np.random.Generator) -> Floats:
        """Scores by the published rule, of answers some of which are missing: gaps of shape (n, items)."""
        if not len(latent):
            return latent
        answers = self.curve.answers(latent, rng)
        items = rule_of(self.definition, self.score_name).items
        left: Mapping[str, Floats] = {
            key: np.where(gaps[:, place], np.nan, answers[key]) for place, key in enumerate(items)
        }
        return score(self.definition, self.score_name, left).values


def _gaps(n: int, items: int, share: float, rng: np.random.Generator) -> Bools:
    """Which items each leaves out, shape (n, items), given that it is one at least."""
    many = 1 + np.arange(items)
    chances = np.cumsum([comb(items, k) * share**k * (1 - share) ** (items - k) for k in many])
    count = many[np.minimum(np.searchsorted(chances / chances[-1], rng.random(n)), items - 1)]
    order = np.argsort(rng.random((n, items)), axis=1)
    return np.asarray(order < count[:, None])
