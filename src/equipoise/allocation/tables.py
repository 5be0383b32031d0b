"""What comes out of a draw as tables: who is in which arm, and how alike the arms are."""

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

import numpy as np
import polars as pl

from equipoise.allocation.allocating import Allocation
from equipoise.allocation.balance import BalanceRow, balance_table
from equipoise.allocation.people.clusters import inherited_arms
from equipoise.allocation.people.units import Units, texts
from equipoise.allocation.text import normalised
from equipoise.protocol.models.allocation import Stage
from equipoise.protocol.study import Study
from equipoise.protocol.timeline import timeline

__all__ = ["arms_text", "balance_rows", "balance_text"]


def arms_text(
    study: Study, name: str, stage: Stage, units: Units, allocation: Allocation, identifier: str
) -> str:
    """Who is in which arm, as CSV: identifier, unit, what the draw hung on, arm, and each arm's chance."""
    arms, rows_of = _by_person(units, allocation)
    chances = allocation.probabilities.of_units
    seen = {column: [values[row] for row in rows_of] for column, values in units.columns.items()}
    columns: dict[str, Sequence[object]] = {identifier: texts(units.people, identifier, "identifier")}
    if units.cluster is not None and stage.unit not in seen:
        columns[stage.unit] = units.cluster
    columns |= seen
    columns[study.protocol.arm_column(name)] = arms
    for code, arm in enumerate(allocation.design.arms):
        columns[f"probability_{arm}"] = [float(chances[row, code]) for row in rows_of]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue()


def balance_rows(study: Study, stage: Stage, units: Units, allocation: Allocation) -> tuple[BalanceRow, ...]:
    """How alike the arms are in what the roster says of people, weighted where chances differ."""
    arms, rows_of = _by_person(units, allocation)
    chances = allocation.probabilities.of_units
    received = chances[rows_of, [allocation.design.arms.index(arm) for arm in arms]]
    even = bool(np.allclose(chances, chances[0]))
    schedule = study.protocol.schedule
    declared = schedule.sequences if schedule is not None and stage.to == "sequences" else stage.arms
    reference = next(arm for arm in declared if arm in set(arms))
    covariates = _covariates(study, units)
    return balance_table(arms, covariates, reference=reference, weights=None if even else 1 / received)


def balance_text(rows: Sequence[BalanceRow]) -> str:
    """The balance table as CSV; empty where a number does not apply."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in fields(BalanceRow)])
    for row in rows:
        writer.writerow(["" if value is None or value != value else value for value in asdict(row).values()])
    return text.getvalue()


def _by_person(units: Units, allocation: Allocation) -> tuple[list[str], list[int]]:
    """Each person's arm, and the row of the person's unit in the draw."""
    if units.cluster is None:
        return allocation.arms, list(range(len(units.units)))
    place = {unit: row for row, unit in enumerate(allocation.units)}
    return inherited_arms(allocation, units.cluster), [
        place[unit] for unit in normalised(units.cluster, "cluster")
    ]


def _covariates(study: Study, units: Units) -> dict[str, Any]:
    """What the roster says of people: numbers, dates as days before the launch, the rest as categories."""
    roster = study.protocol.participants.roster if study.protocol.participants else {}
    launch = timeline(study.protocol).launch
    covariates: dict[str, Any] = {}
    for name, column in roster.items():
        if column.role != "attribute" or (column.type == "text" and name not in units.columns):
            continue
        values = units.people[name]
        if column.type in ("number", "integer"):
            covariates[name] = values.cast(pl.Float64).fill_null(float("nan")).to_numpy()
        elif column.type == "date" and launch is not None:
            days = (pl.Series([launch.date()]) - values).dt.total_days().cast(pl.Float64)
            covariates[f"{name} (days before the launch)"] = days.fill_null(float("nan")).to_numpy()
        else:
            covariates[name] = values.cast(pl.String).to_list()
    return covariates
