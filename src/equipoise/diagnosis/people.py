"""Participants for a simulation: invented from the roster's columns, and given arms as the design says."""

from datetime import date, timedelta

import numpy as np
import polars as pl

from equipoise.allocation import design, simulate, strata_labels
from equipoise.errors import DesignError, NotSupportedError
from equipoise.protocol.expressions import compile_expression
from equipoise.protocol.facts import roster_schema
from equipoise.protocol.models.allocation import Stage
from equipoise.protocol.models.participants import RosterColumn
from equipoise.protocol.study import Study
from equipoise.protocol.timeline import UNDATED_LAUNCH, timeline

__all__ = ["drawn_arms", "invent_participants"]

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
    return found.head(wanted).with_columns(numbered)


def drawn_arms(study: Study, people: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """The people with a column of arms for every stage, drawn by the stage's own method.

    Raises:
        NotSupportedError: a stage that depends on what happens after another, or allocates sequences.
    """
    for name, stage in study.protocol.allocation.items():
        people = people.with_columns(_arms(study, name, stage, people, rng))
    return people


def _arms(study: Study, name: str, stage: Stage, people: pl.DataFrame, rng: np.random.Generator) -> pl.Series:
    column = study.protocol.arm_column(name)
    if stage.among is not None or stage.to == "sequences":
        raise NotSupportedError(
            f"simulating the stage {name}: stages within an arm, and sequences, are not supported"
        )
    if len(stage.ratio) > 1:
        raise NotSupportedError(
            f"simulating the stage {name}: ratios that differ between strata are not supported"
        )
    absent = [key for key in (*stage.strata, stage.unit) if key not in ("participant", *people.columns)]
    if absent:
        raise NotSupportedError(
            f"simulating the stage {name}: {', '.join(absent)} is no column of the participants"
        )
    units = people if stage.unit == "participant" else people.unique(stage.unit, maintain_order=True)
    strata = [units[stratum].cast(pl.String).fill_null("").to_list() for stratum in stage.strata]
    labels = strata_labels(strata) if strata else units.height
    plan = design(labels, dict(stage.ratio[0].shares), method=stage.method, blocks=stage.blocks)
    codes = simulate(plan, 1, rng)[0]
    arms = pl.Series(column, [plan.arms[code] for code in codes])
    if stage.unit == "participant":
        return arms
    of_unit = dict(zip(units[stage.unit].to_list(), arms.to_list(), strict=True))
    return pl.Series(column, [of_unit[unit] for unit in people[stage.unit].to_list()])


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
