"""Questions that were not shown have no answer."""

import numpy as np
import polars as pl

from equipoise.protocol.columns import expression_name
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
    """The columns of a question's answers: its own, or those of its options, statements or items."""
    stem = f"{question.instrument or question.id}"
    return [name for name in table.columns if name == stem or name.startswith(f"{stem}.")]


def _shown(
    protocol: Protocol, survey: Survey, table: pl.DataFrame, people: pl.DataFrame, rule: str
) -> np.ndarray:
    table = table.rename({name: expression_name(name) for name in table.columns})
    schema = answers_schema(protocol, survey)
    (identifier,) = set(table.columns[:1])
    roster = people.select(identifier, *(set(people.columns) & set(schema.columns) - set(table.columns)))
    known = table.join(roster, on=identifier, how="left", maintain_order="left")
    missing = [name for name in schema.columns if name not in known.columns]
    known = known.with_columns([pl.lit(None, dtype=pl.String).alias(name) for name in missing])
    return compile_expression(rule, schema).evaluate_frame(known).fill_null(False).to_numpy()
