"""Outcomes from answers: instruments scored by their published rules, questions read as numbers."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from equipoise.errors import Problem, RosterError
from equipoise.findings.reading.data import StudyData
from equipoise.instruments.composite import composite_values, part_scores, reference_sample
from equipoise.instruments.definition import Composite, Instrument
from equipoise.instruments.library import load
from equipoise.instruments.scoring import Answers, Floats, score
from equipoise.protocol.factors import waves_asking
from equipoise.protocol.models.outcomes import Outcome
from equipoise.protocol.study import Study

__all__ = ["answers_of", "scored"]

_SAME = 1e-9


def scored(study: Study, data: StudyData) -> StudyData:
    """The data with a column for every outcome at every wave whose answers are there.

    Raises:
        RosterError: a column of scores that came with the data disagrees with the answers.
        ScoringError: answers that an instrument's rule does not allow.
    """
    added: list[pl.Series] = []
    problems: list[Problem] = []
    for name, outcome in study.protocol.outcomes.items():
        for wave in waves_asking(study.protocol, study.surveys, outcome):
            if wave not in data.answers or outcome.column is not None:
                continue
            column = study.protocol.frame_column(name, wave)
            values = _spread(data, wave, _values(outcome, data, wave))
            if data.has(column):
                problems += _disagreement(data, column, values)
            else:
                added.append(pl.Series(column, values, nan_to_null=True))
        if (
            outcome.column is not None
            and outcome.column != name
            and not data.has(name)
            and data.has(outcome.column)
        ):
            added.append(data.participants[outcome.column].alias(name))
    if problems:
        raise RosterError(problems)
    return data.with_columns(added)


def answers_of(definition: Instrument, table: pl.DataFrame) -> Answers:
    """The answers to an instrument's items in a wave's table, each of shape (n,), NaN where there is none."""
    empty = np.full(table.height, np.nan)
    return {
        key: table[f"{definition.id}.{key}"].cast(pl.Float64).to_numpy().astype(np.float64)
        if f"{definition.id}.{key}" in table.columns
        else empty
        for key in definition.keys
    }


def _values(outcome: Outcome, data: StudyData, wave: str) -> Floats:
    table = data.answers[wave]
    if outcome.question is not None:
        column = outcome.question.rpartition(".")[2]
        if column not in table.columns:
            return np.full(table.height, np.nan)
        return table[column].cast(pl.Float64, strict=False).to_numpy().astype(np.float64)
    definition = load(str(outcome.instrument))
    if isinstance(definition, Composite):
        return _composite(definition, data, wave)
    return score(definition, outcome.score, answers_of(definition, table)).values


def _composite(definition: Composite, data: StudyData, wave: str) -> Floats:
    """Parts standardised on all arms at the first wave that asked for them."""
    first = next(iter(data.answers))
    parts = {
        name: part_scores(definition, dict(_parts(definition, data.answers[name]))) for name in {first, wave}
    }
    return composite_values(definition, parts[wave], reference_sample(definition, parts[first]))


def _parts(definition: Composite, table: pl.DataFrame) -> Iterator[tuple[str, Answers]]:
    for name in dict.fromkeys(part.instrument for part in definition.parts.values()):
        part = load(name)
        if isinstance(part, Instrument):
            yield name, answers_of(part, table)


def _spread(data: StudyData, wave: str, values: Floats) -> Floats:
    """From those who answered to everybody, in the order of the participants."""
    table = pl.DataFrame({data.identifier: data.answers[wave][data.identifier], "value": values})
    joined = data.participants.select(data.identifier).join(
        table, on=data.identifier, how="left", maintain_order="left"
    )
    return joined["value"].to_numpy().astype(np.float64)


def _disagreement(data: StudyData, column: str, values: Floats) -> list[Problem]:
    given = data.numbers(column)
    differ = ~((np.abs(given - values) <= _SAME) | (np.isnan(given) & np.isnan(values)))
    if not differ.any():
        return []
    message = (
        f"{int(differ.sum())} scores differ from what the answers give by the published rule; leave the "
        "column out, or the answers"
    )
    return [Problem(data.files.get("participants", ""), column, message)]
