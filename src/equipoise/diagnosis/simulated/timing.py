"""When people answer a wave: between its opening and its close, most of them soon after they were asked."""

from datetime import timedelta

import numpy as np
import polars as pl

from equipoise.diagnosis.simulated.response import answer_seconds, answer_times
from equipoise.estimation.arrays import Floats
from equipoise.protocol.models.protocol import Protocol
from equipoise.protocol.timeline import Timeline
from equipoise.protocol.times import parse_duration

__all__ = ["answer_moments", "answer_weeks"]

_LENGTHS = {
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
    "month": timedelta(days=30),
    "year": timedelta(days=365),
}
_WEEK = timedelta(weeks=1).total_seconds()


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
    found = answer_times(times.opens[wave], times.closes[wave], _reminders(protocol, wave), n, rng)
    return pl.Series(found, dtype=pl.Datetime("us", "UTC"))


def answer_weeks(protocol: Protocol, wave: str, times: Timeline, n: int, rng: np.random.Generator) -> Floats:
    """The weeks since the launch, the first being 1, in which n people answer a wave; 1 without a launch."""
    if times.launch is None:
        return np.ones(n)
    opens = times.opens[wave]
    seconds = answer_seconds(times.closes[wave] - opens, _reminders(protocol, wave), n, rng)
    return np.asarray(((opens - times.launch).total_seconds() + seconds) // _WEEK + 1)


def _reminders(protocol: Protocol, wave: str) -> list[timedelta]:
    spec = protocol.waves[wave]
    durations = [parse_duration(text) for text in (spec.remind.after if spec.remind else ())]
    return [_LENGTHS[duration.unit] * duration.count for duration in durations]
