"""When people answer a wave: between its opening and its close, most of them soon after they were asked."""

from datetime import timedelta

import numpy as np
import polars as pl

from equipoise.diagnosis.response import answer_times
from equipoise.protocol.models.protocol import Protocol
from equipoise.protocol.timeline import Timeline
from equipoise.protocol.times import parse_duration

__all__ = ["answer_moments"]

_LENGTHS = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
    "month": timedelta(days=30),
    "year": timedelta(days=365),
}


def answer_moments(
    protocol: Protocol, wave: str, times: Timeline, n: int, rng: np.random.Generator
) -> pl.Series:
    """The moments at which n people answer a wave.

    Args:
        protocol: with the wave's reminders.
        wave: its name.
        times: when waves open and close.
        n: how many answer.
        rng: where the chance comes from.
    """
    spec = protocol.waves[wave]
    reminders = []
    for text in spec.remind.after if spec.remind else ():
        duration = parse_duration(text)
        reminders.append(_LENGTHS[duration.unit] * duration.count)
    found = answer_times(times.opens[wave], times.closes[wave], reminders, n, rng)
    return pl.Series(found, dtype=pl.Datetime("us", "UTC"))
