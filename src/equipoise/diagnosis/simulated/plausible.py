"""Answers to questions of which nothing is assumed: each possible, none likelier than another."""

import numpy as np
import polars as pl

from equipoise.diagnosis.simulated.latents import Stream
from equipoise.protocol.asked import OTHER
from equipoise.protocol.models.surveys import Question

__all__ = ["YES_NO", "plausible_answers"]

YES_NO = ("yes-no", "consent")
_TICKED = 0.3  # how often one of several options is chosen
_WIDTH = 10.0  # of a number without an upper end


def plausible_answers(question: Question, n: int, stream: Stream) -> dict[str, pl.Series]:
    """Answers by column; none to texts, information and videos, and no answer to dates.

    Args:
        question: of the survey's own, not an instrument.
        n: people who answer.
        stream: where the chance comes from, by the question's name.
    """
    name = str(question.id)
    options = [*question.options, *([OTHER] if question.other else [])]
    match question.type:
        case "single":
            return {name: _one_of(name, options, n, stream(name))}
        case "yes-no":
            return {name: pl.Series(name, stream(name).random(n) < 0.5)}
        case "consent":
            return {name: pl.Series(name, [True] * n, dtype=pl.Boolean)}
        case "likert":
            return {name: _number_of(name, options, n, stream(name))}
        case "likert-block":
            keys = [f"{name}.{item}" for item in question.items]
            return {key: _number_of(key, options, n, stream(key)) for key in keys}
        case "number" | "slider":
            return {name: _between(question, n, stream(name))}
        case "several":
            keys = [f"{name}.{option}" for option in options]
            return {key: pl.Series(key, stream(key).random(n) < _TICKED) for key in keys}
        case "ranking":
            return _ranks(name, options, n, stream(name))
        case "allocation":
            return _shares(question, n, stream(name))
        case "date":
            return {name: pl.Series(name, [None] * n, dtype=pl.String)}
        case _:
            return {}


def _one_of(name: str, options: list[str], n: int, rng: np.random.Generator) -> pl.Series:
    return pl.Series(name, [options[place] for place in rng.integers(0, len(options), n)], dtype=pl.String)


def _number_of(name: str, options: list[str], n: int, rng: np.random.Generator) -> pl.Series:
    codes = np.array([float(code) for code in options])
    return pl.Series(name, codes[rng.integers(0, len(codes), n)])


def _between(question: Question, n: int, rng: np.random.Generator) -> pl.Series:
    """Numbers between the ends, on the question's step; whole ones where it has none."""
    low = question.low or 0.0
    high = question.high if question.high is not None else low + _WIDTH
    values = rng.uniform(low, high, n)
    values = (
        np.round(values)
        if question.step is None
        else low + np.round((values - low) / question.step) * question.step
    )
    return pl.Series(str(question.id), np.clip(values, low, high))


def _ranks(name: str, options: list[str], n: int, rng: np.random.Generator) -> dict[str, pl.Series]:
    ranks = rng.permuted(np.tile(np.arange(1.0, len(options) + 1), (n, 1)), axis=1)
    return {
        f"{name}.{option}": pl.Series(f"{name}.{option}", ranks[:, k]) for k, option in enumerate(options)
    }


def _shares(question: Question, n: int, rng: np.random.Generator) -> dict[str, pl.Series]:
    """The total in whole steps of the question's decimals, cut at random places."""
    step = 10.0**-question.decimals
    units = round(float(question.total or 0.0) / step)
    cuts = np.sort(rng.integers(0, units + 1, (n, len(question.options) - 1)), axis=1)
    edges = np.hstack([np.zeros((n, 1)), cuts, np.full((n, 1), units)])
    shares = np.round(np.diff(edges, axis=1) * step, question.decimals)
    names = [f"{question.id}.{option}" for option in question.options]
    return {name: pl.Series(name, shares[:, k]) for k, name in enumerate(names)}
