"""Questions that were not shown have no answer."""

import numpy as np
import polars as pl

from equipoise.protocol.expressions import compile_expression
from equipoise.protocol.facts import answers_schema
from equipoise.protocol.models.protocol import Protocol
from equipoise.protocol.models.surveys import Question, Survey

__all__ = ["routed"]


def routed(protocol: Protocol, survey: Survey, table: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """The answers without those to questions that `show-if` kept back.

    Args:
        protocol: with the roster that rules may ask.
        survey: its pages and questions, in order; what a rule asks may itself have been kept back.
        table: the answers, a row a person who answered.
        people: the roster's columns of everybody.
    """
    for page in survey.pages:
        for question in page.questions:
            for rule in (page.show_if, question.show_if):
                if rule is not None:
                    hidden = np.flatnonzero(~_shown(protocol, survey, table, people, rule))
                    table = table.with_columns(
                        table[name].scatter(hidden, None) for name in _columns(question, table)
                    )
    return table


def _columns(question: Question, table: pl.DataFrame) -> list[str]:
    """The columns of a question's answers: its own, or its instrument's items."""
    if question.instrument is not None:
        return [name for name in table.columns if name.startswith(f"{question.instrument}.")]
    return [question.id] if question.id in table.columns else []


def _shown(
    protocol: Protocol, survey: Survey, table: pl.DataFrame, people: pl.DataFrame, rule: str
) -> np.ndarray:
    schema = answers_schema(protocol, survey)
    (identifier,) = set(table.columns[:1])
    roster = people.select(identifier, *(set(people.columns) & set(schema.columns) - set(table.columns)))
    known = table.join(roster, on=identifier, how="left", maintain_order="left")
    missing = [name for name in schema.columns if name not in known.columns]
    known = known.with_columns([pl.lit(None, dtype=pl.String).alias(name) for name in missing])
    return compile_expression(rule, schema).evaluate_frame(known).fill_null(False).to_numpy()
