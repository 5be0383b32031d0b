"""Participants for a simulation, invented from the roster's columns."""

from datetime import date, timedelta

import numpy as np
import polars as pl

from equipoise.diagnosis.simulated.units import in_units
from equipoise.errors import DesignError
from equipoise.protocol.expressions import compile_expression
from equipoise.protocol.facts import roster_schema
from equipoise.protocol.models.participants import RosterColumn
from equipoise.protocol.study import Study
from equipoise.protocol.timeline import UNDATED_LAUNCH, timeline

__all__ = ["invent_participants"]

WITHOUT_NUMBER = 400  # people invented for a study that does not say how many it expects


def invent_participants(study: Study, people: int | None, rng: np.random.Generator) -> pl.DataFrame:
    """Eligible people with a value in every declared column but the contacts.

    Args:
        study: its roster declares the columns.
        people: how many; None for the number the study expects.
        rng: where the chance comes from.
    """
    participants = study.protocol.participants
    if participants is None:
        return pl.DataFrame()
    wanted = people or participants.expected or WITHOUT_NUMBER
    columns = {
        name: column
        for name, column in participants.roster.items()
        if column.role != "contact" and column.type not in ("email", "phone")
    }
    launch = timeline(study.protocol).launch
    start = launch.date() if launch else date.fromisoformat(UNDATED_LAUNCH[:10])
    found = pl.DataFrame()
    for _ in range(20):  # eligibility may leave some out; further people are invented until there are enough
        more = pl.DataFrame(
            {name: _values(name, column, wanted * 2, start, rng) for name, column in columns.items()}
        )
        found = pl.concat([found, _eligible(study, more)])
        if found.height >= wanted:
            break
    if found.height < wanted:
        raise DesignError(
            f"{study.protocol.study.id}: of {wanted * 40:,} people invented from the roster's columns "
            f"{found.height:,} are eligible, and {wanted:,} are wanted; give the people themselves"
        )
    identifier = next(name for name, column in participants.roster.items() if column.role == "identifier")
    numbered = pl.Series(identifier, [f"P{number + 1:06d}" for number in range(wanted)])
    return in_units(study.protocol, found.head(wanted).with_columns(numbered), rng)


def _eligible(study: Study, people: pl.DataFrame) -> pl.DataFrame:
    rule = study.protocol.participants.eligible if study.protocol.participants else None
    if rule is None:
        return people
    schema = roster_schema(study.protocol)
    missing = [name for name in schema.columns if name not in people.columns]
    known = people.with_columns([pl.lit("known").alias(name) for name in missing])
    chosen = compile_expression(rule, schema).evaluate_frame(known)
    return people.filter(chosen.fill_null(False))


def _values(name: str, column: RosterColumn, n: int, start: date, rng: np.random.Generator) -> pl.Series:
    if column.type == "category":
        levels = list(column.levels or ("one", "two", "three"))
        return pl.Series(name, [levels[place] for place in rng.integers(0, len(levels), n)])
    if column.type == "yes-no":
        return pl.Series(name, rng.random(n) < 0.8)
    if column.type in ("integer", "number"):
        low = 0.0 if column.low is None else column.low
        high = low + 60.0 if column.high is None else column.high
        if column.type == "integer":
            return pl.Series(name, rng.integers(int(np.ceil(low)), int(np.floor(high)) + 1, n).astype(float))
        return pl.Series(name, rng.uniform(low, high, n).round(1).clip(low, high))
    if column.type == "date":
        days = rng.integers(1, 3650, n)
        return pl.Series(name, [start - timedelta(days=int(day)) for day in days])
    return pl.Series(name, [f"synthetic {number}" for number in rng.integers(0, 10**6, n)])
