"""What a study declares of its roster: the columns, the identifier, and who may take part."""

import polars as pl

from equipoise.errors import DesignError, Problem
from equipoise.protocol.expressions import compile_expression
from equipoise.protocol.facts import roster_schema
from equipoise.protocol.models.participants import RosterColumn
from equipoise.protocol.study import Study
from equipoise.roster.eligibility import Eligibility, select_eligible

__all__ = ["declared_columns", "eligible_people", "identifier_of"]


def declared_columns(study: Study) -> dict[str, RosterColumn]:
    """The columns that the study's roster must have.

    Raises:
        DesignError: the study has no participants.
    """
    participants = study.protocol.participants
    if participants is None or not participants.roster:
        place = f"{study.folder.name}/protocol.yaml"
        raise DesignError(
            Problem(place, "participants", "this study declares no roster; add `participants: roster:`")
        )
    return participants.roster


def identifier_of(study: Study) -> str:
    """The column that tells people apart.

    Raises:
        DesignError: no column has the role of the identifier.
    """
    for name, column in declared_columns(study).items():
        if column.role == "identifier":
            return name
    place = f"{study.folder.name}/protocol.yaml"
    raise DesignError(
        Problem(place, "participants.roster", "no column has `role: identifier`; one must tell people apart")
    )


def eligible_people(study: Study, people: pl.DataFrame) -> Eligibility:
    """Who may take part, by `participants.eligible`; everybody where it says nothing."""
    text = study.protocol.participants.eligible if study.protocol.participants else None
    if text is None:
        return select_eligible(people, None)
    expression = compile_expression(text, roster_schema(study.protocol), expects="bool")
    return select_eligible(people, expression.evaluate_frame)
