"""Outcomes as the estimand wants them where something happened after the allocation (ICH E9(R1), A.3.2).

*Treatment policy* takes an outcome as it is, whatever happened. *Composite* counts the event as the worst
outcome. *Hypothetical* asks for the outcome without the event: what was answered is set aside, and counts as
missing. The frame knows whether an event happened, not when, so one after the answer counts too.
"""

from collections.abc import Iterator

import numpy as np
import polars as pl

from equipoise.findings.reading.data import StudyData
from equipoise.findings.sampling.points import columns_of
from equipoise.findings.sampling.sample import Bools
from equipoise.instruments.scoring import Floats
from equipoise.protocol.study import Study
from equipoise.protocol.worst import worst_value

__all__ = ["SUPPORTED", "events_met", "under_strategies"]

SUPPORTED = ("treatment-policy", "composite", "hypothetical")


def under_strategies(study: Study, data: StudyData) -> StudyData:
    """The data with every outcome after the allocation as the strategies of the protocol's events want it.

    Args:
        study: its composite events have, for each outcome analysed, a worst value (the checks see to it).
        data: as scored.
    """
    met = {strategy: _anybody(study, data, strategy) for strategy in ("hypothetical", "composite")}
    if not any(rows.any() for rows in met.values()):
        return data
    changed = []
    for name, outcome in study.protocol.outcomes.items():
        for column in columns_of(study, name) if outcome.task is None else ():
            if data.has(column):
                values: Floats = np.where(met["hypothetical"], np.nan, data.numbers(column))
                worst = worst_value(outcome)
                if worst is not None:  # composite says what the outcome is, so it counts first
                    values[met["composite"]] = worst
                changed.append(pl.Series(column, values, nan_to_null=True))
    return data.with_columns(changed)


def events_met(study: Study, data: StudyData, strategy: str) -> Iterator[tuple[str, Bools]]:
    """Each event with this strategy, and to whom it happened, shape (participants,)."""
    for event, chosen in study.protocol.events.items():
        if chosen == strategy and data.has(event):
            yield event, data.happened(event)


def _anybody(study: Study, data: StudyData, strategy: str) -> Bools:
    rows = np.zeros(data.participants.height, dtype=bool)
    for _, met in events_met(study, data, strategy):
        rows |= met
    return rows
