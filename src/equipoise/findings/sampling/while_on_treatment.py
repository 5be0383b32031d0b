"""Outcomes as they were last answered before something happened: *while on treatment* (ICH E9(R1), A.3.2).

For that the data say when it happened (`EVENT_at`) and when each wave was answered (`answered_WAVE`). Whoever
had answered a wave by then counts with that answer. To whom it happened before the wave closed, and before
they answered it, their last answer before stands for it. What happened after a wave had closed changes
nothing at that wave.
"""

from collections.abc import Iterator, Mapping

import numpy as np
import polars as pl

from equipoise.errors import DesignError
from equipoise.estimation.arrays import refuse
from equipoise.findings.reading.data import StudyData
from equipoise.findings.sampling.points import columns_of, own_waves
from equipoise.findings.sampling.sample import Bools
from equipoise.instruments.scoring import Floats
from equipoise.protocol.recorded import time_of_event
from equipoise.protocol.study import Study
from equipoise.protocol.timeline import timeline

__all__ = ["answered_until", "until_event"]


def until_event(data: StudyData, events: Mapping[str, Bools]) -> Floats:
    """When the first of these events happened to each participant, shape (n,), in microseconds; NaN if never.

    Args:
        events: to whom each happened, shape (participants,).
    Raises:
        DesignError: it happened to somebody, and the data do not say when.
    """
    first = np.full(data.participants.height, np.inf)
    for event, met in events.items():
        column = time_of_event(event)
        when = _moments(data, column)
        unknown = int((met & np.isnan(when)).sum())
        if unknown:
            raise refuse(
                "events",
                f"{event}: it happened to {unknown} people of whom the data do not say when, so what they "
                f'had answered before is not known; fill in the column "{column}", or choose another '
                "strategy.",
            )
        first = np.where(met, np.fmin(first, when), first)
    return np.where(np.isinf(first), np.nan, first)


def answered_until(
    study: Study, data: StudyData, outcome: str, until: Floats
) -> Iterator[tuple[str, Floats | str]]:
    """Each column of an outcome after the allocation, with its values or why they are not known.

    Args:
        until: shape (participants,), in microseconds, NaN for those to whom nothing happened.
    """
    closes = timeline(study.protocol).closes
    last = np.full(len(until), np.nan)
    for wave, column in zip(own_waves(study, outcome) or ("",), columns_of(study, outcome), strict=True):
        if not data.has(column):
            continue
        values = data.numbers(column)
        ends = closes[wave].timestamp() * 1e6 if wave in closes else np.inf
        try:
            after = _answered_after(data, outcome, wave, values, until)
        except DesignError as error:
            yield column, str(error)
            continue
        last = np.where(after & (until < ends), last, values)
        yield column, last


def _answered_after(data: StudyData, outcome: str, wave: str, values: Floats, until: Floats) -> Bools:
    """Who had not answered a wave when it happened to them.

    Raises:
        DesignError: of an answer of theirs the data do not say when it was given.
    """
    answered = _moments(data, f"answered_{wave}")
    undated = int((~np.isnan(until) & ~np.isnan(values) & np.isnan(answered)).sum())
    if undated:
        missing = f'"answered_{wave}" says when' if wave else "it is asked in a wave, which has a date"
        raise refuse(
            "events",
            f"{outcome}: {undated} people have a value and met an event, and it is not known which came "
            f"first (while-on-treatment). The data can tell where {missing}.",
        )
    return np.asarray(~np.isnan(until) & ~(answered <= until))


def _moments(data: StudyData, column: str) -> Floats:
    """A column of moments in microseconds, NaN where there is none."""
    if not data.has(column) or data.participants[column].dtype != pl.Datetime:
        return np.full(data.participants.height, np.nan)
    since = data.participants[column].dt.epoch("us").cast(pl.Float64)
    return since.to_numpy().astype(np.float64)
