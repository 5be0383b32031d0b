"""A trial of the quick way as the data that its people would have given."""

import numpy as np
import polars as pl

from equipoise.diagnosis.batch.world import Drawn, World
from equipoise.diagnosis.simulated.allocated import as_column
from equipoise.findings.reading.data import StudyData
from equipoise.roster import identifier_of

__all__ = ["trial_data"]


def trial_data(world: World, drawn: Drawn, trial: int) -> StudyData:
    """The people of one trial with their arms and scores; scores of those not analysed are left out.

    Args:
        world: that drew it.
        drawn: some trials.
        trial: which of them, from 0.
    """
    rows = np.flatnonzero(drawn.trial == trial)
    columns = [as_column(world.lots[name], codes[trial]) for name, codes in drawn.arms.items()]
    for (outcome, wave), values in drawn.values.items():
        found = np.full(world.n, np.nan)
        found[drawn.person[rows]] = values[rows]
        name = world.protocol.frame_column(outcome, wave or None)
        columns.append(pl.Series(name, found, nan_to_null=True))
    return StudyData(
        identifier=identifier_of(world.study),
        participants=world.people.with_columns(columns),
        source="simulated",
    )
