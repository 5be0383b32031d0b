"""Whether the tables of a data set belong together, and to the protocol that they are read by."""

from collections.abc import Mapping
from pathlib import Path

import polars as pl

from equipoise.errors import Problem, nearest
from equipoise.protocol.models.protocol import Protocol
from equipoise.protocol.recorded import time_of_event

__all__ = ["arm_problems", "event_problems", "exclusion_problems", "strangers"]


def strangers(
    known: pl.Series, tables: Mapping[str, pl.DataFrame], identifier: str, files: Mapping[str, Path]
) -> list[Problem]:
    """Nobody stands in a table who is not among the participants."""
    problems = []
    for name, table in tables.items():
        unknown = table.filter(~pl.col(identifier).is_in(known.implode()))[identifier].unique()
        if len(unknown):
            message = f"{len(unknown)} identifiers are not among the participants; the tables belong together"
            problems.append(Problem(files[name].name, identifier, message))
    return problems


def exclusion_problems(protocol: Protocol, table: pl.DataFrame, file: str) -> list[Problem]:
    """Each exclusion says why, and is of outcomes or analyses that there are."""
    lacking = [name for name in ("of", "reason") if name not in table.columns]
    if lacking:
        message = f"this column is missing. Columns: {nearest(lacking[0], table.columns)}"
        return [Problem(file, lacking[0], message)]
    known = [*protocol.analyses, *protocol.outcomes]
    named = {name for of in table["of"].drop_nulls().unique().sort() for name in of.split("; ")}
    problems = [
        Problem(file, "of", f'"{name[:60]}" is no outcome or analysis. There are: {nearest(name, known)}')
        for name in sorted(named.difference(known))
    ]
    if table["reason"].null_count():
        problems.append(Problem(file, "reason", "is empty for somebody; each exclusion says why"))
    return problems


def arm_problems(protocol: Protocol, participants: pl.DataFrame, file: str, *, masked: bool) -> list[Problem]:
    """Everybody randomised has an arm, and no arm is empty; masked, nothing is known of either."""
    problems = []
    for name, stage in protocol.allocation.items():
        column = protocol.arm_column(name)
        if column not in participants.columns:
            message = f"this column is missing. Columns: {nearest(column, participants.columns)}"
            problems.append(Problem(file, column, message))
            continue
        if masked:
            continue
        if participants[column].null_count() and stage.among is None:
            message = (
                f"{participants[column].null_count()} participants have no arm; everybody randomised has one"
            )
            problems.append(Problem(file, column, message))
        present = set(participants[column].drop_nulls().unique())
        drawn = protocol.drawn(name)
        absent = [arm for arm in drawn if arm not in present]
        if absent:
            kind = "arms" if stage.to == "arms" else "sequences"
            message = f"nobody is in {', '.join(absent)}; the protocol has the {kind} {', '.join(drawn)}"
            problems.append(Problem(file, column, message))
    return problems


def event_problems(protocol: Protocol, participants: pl.DataFrame, file: str) -> list[Problem]:
    """What has a time did happen."""
    problems = []
    for event in protocol.events:
        column = time_of_event(event)
        if not {event, column} <= set(participants.columns) or participants[event].dtype != pl.Boolean:
            continue
        denied = int((~participants[event] & participants[column].is_not_null()).sum())
        if denied:
            message = f'{denied} people have a time here, and "{event}" says that it did not happen to them'
            problems.append(Problem(file, column, message))
    return problems
