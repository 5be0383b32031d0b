"""Outcomes as the estimand wants them where something happened after the allocation (ICH E9(R1), A.3.2).

*Treatment policy* takes an outcome as it is, whatever happened. *Composite* counts the event as the worst
outcome. *Hypothetical* asks for the outcome without the event: what was answered is set aside, and counts as
missing; the frame need not know when it happened, so one after the answer counts too. *While on treatment*
takes what was last answered before. *Principal stratum* leaves outcomes as they are and asks about other
people: those to whom the event would happen in neither arm.
"""

from collections.abc import Iterator

import numpy as np
import polars as pl

from equipoise.errors import DesignError
from equipoise.estimation.arrays import refuse
from equipoise.findings.reading.data import StudyData
from equipoise.findings.sampling.points import columns_of
from equipoise.findings.sampling.sample import Bools
from equipoise.findings.sampling.while_on_treatment import answered_until, until_event
from equipoise.instruments.scoring import Floats
from equipoise.protocol.models.outcomes import Outcome, Strategy
from equipoise.protocol.recorded import time_of_event
from equipoise.protocol.study import Study
from equipoise.protocol.worst import worst_value

__all__ = ["events_met", "events_with", "met_any", "under_strategies"]


def under_strategies(study: Study, data: StudyData) -> StudyData:
    """The data with every outcome after the allocation as the strategies of the protocol's events want it.

    Of somebody to whom several things happened composite counts first, then hypothetical.

    Args:
        study: its composite events have, for each outcome analysed, a worst value (the checks see to it).
        data: as scored.
    Returns:
        The data; a column that the strategies leave unknown is left out, and `lacking` says why.
    """
    changed: list[pl.Series] = []
    lacking: dict[str, str] = {}
    if not set(study.protocol.events.values()) & {"composite", "hypothetical", "while-on-treatment"}:
        return data
    for name, outcome in study.protocol.outcomes.items():
        if outcome.task is not None:
            continue
        for column, values in _while_on_treatment(study, data, name):
            if isinstance(values, str):
                lacking[column] = values
            else:
                changed.append(pl.Series(column, _replaced(study, data, outcome, values), nan_to_null=True))
    return data.without(lacking).with_columns(changed)


def events_with(study: Study, strategy: Strategy) -> tuple[str, ...]:
    """The protocol's events that have a strategy."""
    return tuple(event for event, chosen in study.protocol.events.items() if chosen == strategy)


def events_met(study: Study, data: StudyData, strategy: Strategy) -> Iterator[tuple[str, Bools]]:
    """Each event with this strategy, and to whom it happened, shape (participants,)."""
    for event in events_with(study, strategy):
        if data.has(event):
            yield event, data.happened(event)


def met_any(study: Study, data: StudyData, strategy: Strategy) -> Bools:
    """To whom any event with this strategy happened, shape (participants,)."""
    rows = np.zeros(data.participants.height, dtype=bool)
    for _, met in events_met(study, data, strategy):
        rows |= met
    return rows


def _while_on_treatment(study: Study, data: StudyData, outcome: str) -> Iterator[tuple[str, Floats | str]]:
    """Each column of an outcome as it was answered until the first event of that strategy."""
    columns = [column for column in columns_of(study, outcome) if data.has(column)]
    if not events_with(study, "while-on-treatment"):
        yield from ((column, data.numbers(column)) for column in columns)
        return
    try:
        until = until_event(data, dict(_dated(study, data)))
    except DesignError as error:
        yield from ((column, str(error)) for column in columns)
        return
    yield from answered_until(study, data, outcome, until)


def _dated(study: Study, data: StudyData) -> Iterator[tuple[str, Bools]]:
    """Each event of that strategy, and to whom it happened.

    Raises:
        DesignError: the data have nothing of it.
    """
    for event in events_with(study, "while-on-treatment"):
        column = next((name for name in (event, time_of_event(event)) if data.has(name)), None)
        if column is None:
            raise refuse(
                "events",
                f"{event}: the data do not say to whom it happened, and when; add the column "
                f'"{time_of_event(event)}", empty for everybody to whom it did not.',
            )
        yield event, data.happened(column)


def _replaced(study: Study, data: StudyData, outcome: Outcome, values: Floats) -> Floats:
    """An outcome with what hypothetical sets aside and composite replaces."""
    found = np.where(met_any(study, data, "hypothetical"), np.nan, values)
    worst = worst_value(outcome)
    return found if worst is None else np.where(met_any(study, data, "composite"), worst, found)
