"""Which arm people have at a wave, where a stage draws sequences: that of the period of the wave."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from equipoise.errors import NotSupportedError
from equipoise.findings.sampling.periods import PERIOD
from equipoise.findings.sampling.points import own_waves
from equipoise.protocol.study import Study
from equipoise.protocol.timeline import timeline

__all__ = ["arms_at", "arms_of_stage", "with_periods"]


def arms_of_stage(study: Study, stage: str) -> tuple[str, ...]:
    """The arms that a stage gives; of sequences those of their steps."""
    schedule = study.protocol.schedule
    if schedule is None or not study.protocol.gives_sequences(stage):
        return tuple(study.protocol.allocation[stage].arms)
    steps = (arm for sequence in schedule.sequences.values() for arm in sequence)
    return tuple(dict.fromkeys(steps))


def arms_at(study: Study, people: pl.DataFrame, stage: str, outcome: str, wave: str) -> pl.Series:
    """Everybody's arm when an outcome is measured, shape (n,); null before the first period.

    Args:
        study: with its schedule, if it has one.
        people: with what was drawn for them; where the outcome has no waves, with their period.
        stage: of the allocation.
        outcome: what is measured.
        wave: when; the empty text for an outcome without waves.
    Raises:
        NotSupportedError: a wave of which it is not known in which period it lies.
    """
    drawn = people[study.protocol.arm_column(stage)]
    schedule = study.protocol.schedule
    if schedule is None or not study.protocol.gives_sequences(stage):
        return drawn
    names = list(schedule.periods)
    if wave:
        periods: Sequence[int | None] = [_period(study, outcome, wave)] * people.height
    else:
        periods = [names.index(name) for name in people[PERIOD].to_list()]
    steps = [
        None if sequence is None or period is None else schedule.sequences[sequence][period]
        for sequence, period in zip(drawn.to_list(), periods, strict=True)
    ]
    return pl.Series(drawn.name, steps, dtype=pl.String)


def with_periods(study: Study, people: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """The people with the period in which each is measured, where an outcome has no waves and none is given.

    As many of the people of each unit drawn are measured in one period as in another.
    """
    protocol, schedule = study.protocol, study.protocol.schedule
    stage = next((name for name in protocol.allocation if protocol.gives_sequences(name)), None)
    once = any(spec.column is not None and not spec.waves for spec in protocol.outcomes.values())
    if schedule is None or stage is None or not once or PERIOD in people.columns:
        return people
    unit = protocol.allocation[stage].unit
    units = people[unit].to_list() if unit in people.columns else [""] * people.height
    order = np.lexsort((rng.random(people.height), np.unique(units, return_inverse=True)[1]))
    place = np.empty(people.height, dtype=np.int64)
    place[order] = np.arange(people.height) % len(schedule.periods)
    names = list(schedule.periods)
    return people.with_columns(pl.Series(PERIOD, [names[period] for period in place]))


def _period(study: Study, outcome: str, wave: str) -> int | None:
    """The place of the period in which a wave opens; by their numbers where the periods have no dates."""
    schedule, times = study.protocol.schedule, timeline(study.protocol)
    if schedule is None or wave not in times.opens:
        raise NotSupportedError(f"simulating {outcome}: it is not known when {wave} opens")
    starts = [times.periods[name] for name in schedule.periods if name in times.periods]
    if len(set(starts)) == len(schedule.periods):
        period = sum(start <= times.opens[wave] for start in starts) - 1
        return None if period < 0 else period
    waves = own_waves(study, outcome)
    if wave not in waves or len(waves) != len(schedule.periods):
        raise NotSupportedError(
            f"simulating {outcome}: the periods have no dates, and {len(waves)} waves for "
            f"{len(schedule.periods)} periods do not say which is which"
        )
    return waves.index(wave)
