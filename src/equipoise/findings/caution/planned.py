"""Cautions about what came otherwise than the design assumed, and about a wave that ran otherwise."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from equipoise.findings.sampling.measured import Measured
from equipoise.protocol.timeline import timeline

__all__ = ["fewer_answers_than_assumed", "other_spread_than_assumed", "wave_out_of_time"]

OTHER_SD = 1.25
"""A spread so many times the assumed one costs more than a third of the people."""
FEWER = 0.1
LATE = timedelta(days=3)


def other_spread_than_assumed(measured: Measured) -> Iterator[str]:
    """An outcome that spreads, within arms, much more or much less than the plan supposed."""
    assumed = measured.study.protocol.diagnosis.assume.outcomes.get(measured.outcome)
    counts = np.bincount(measured.arm)
    if assumed is None or assumed.sd is None or len(measured.y) - (counts > 0).sum() < 2:
        return
    means = np.bincount(measured.arm, measured.y) / np.maximum(counts, 1)
    squares = float(((measured.y - means[measured.arm]) ** 2).sum())
    sd = float(np.sqrt(squares / (len(measured.y) - (counts > 0).sum())))
    if sd > OTHER_SD * assumed.sd:
        yield (
            f"the outcome spreads more than the design assumed (SD {sd:.3g}, assumed {assumed.sd:g}), so the "
            "trial could find only larger effects than planned"
        )
    elif sd < assumed.sd / OTHER_SD:
        yield (
            f"the outcome spreads less than the design assumed (SD {sd:.3g}, assumed {assumed.sd:g}); a "
            "margin that was set in standard deviations means more of them here"
        )


def fewer_answers_than_assumed(measured: Measured) -> Iterator[str]:
    """A wave that far fewer answered than the plan supposed."""
    assumed = measured.study.protocol.diagnosis.assume.response.waves.get(measured.at)
    inside = int(measured.sample.inside.sum())
    if assumed is None or not inside or measured.analysis.among is not None:
        return
    share = int(measured.answered.sum()) / inside
    if share < assumed - FEWER:
        yield f"{share:.0%} of those randomised have this outcome; the design assumed {assumed:.0%}"


def wave_out_of_time(measured: Measured) -> Iterator[str]:
    """A wave whose answers began long after its planned opening, or went on after it closed."""
    column, protocol = f"answered_{measured.at}", measured.study.protocol
    if measured.at not in protocol.waves or not measured.data.has(column):
        return
    wave, times = protocol.waves[measured.at], timeline(protocol)
    answered = measured.data.participants[column].drop_nulls()
    own = "enrolled" in f"{wave.opens} {wave.closes}"  # each person's own time, which no one date says
    if answered.dtype == pl.Boolean or not len(answered) or own or measured.at not in times.opens:
        return
    first = answered.min()
    late = first - times.opens[measured.at] if isinstance(first, datetime) else timedelta(0)
    if late > LATE:
        yield f"the first answer came {late.days} days after the planned opening: the wave was opened late"
    closes = times.closes.get(measured.at)
    after = 0 if closes is None else int((answered >= closes).sum())
    if after:
        came = "1 answer that came" if after == 1 else f"{after} answers that came"
        yield f"analysed with {came} after the planned close of the wave"
