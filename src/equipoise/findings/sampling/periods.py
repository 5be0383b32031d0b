"""An outcome over the periods of a schedule: who was measured in which period, and under which arm.

Either the same people are measured in several periods: then the outcome has waves, and a wave belongs to the
period in which it opens (or to the period of its own number, where the periods have no dates yet). Or other
people are measured in each period: then the outcome has one column, and the column `period` says when.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

import numpy as np

from equipoise.errors import DesignError
from equipoise.findings.reading.data import StudyData
from equipoise.findings.sampling.adjusted import Adjusted
from equipoise.findings.sampling.covariates import labels_of
from equipoise.findings.sampling.points import own_waves
from equipoise.findings.sampling.sample import Bools, Ints, Sample
from equipoise.instruments.scoring import Floats
from equipoise.protocol.models.allocation import Schedule
from equipoise.protocol.models.analyses import Analysis
from equipoise.protocol.study import Study
from equipoise.protocol.timeline import timeline
from equipoise.protocol.times import parse_duration

__all__ = ["PERIOD", "Periods", "periods_of"]

PERIOD = "period"
_DAYS = {"minute": 1 / 1440, "hour": 1 / 24, "day": 1, "week": 7, "month": 30, "year": 365}


@dataclass(frozen=True)
class Periods(Adjusted):
    """An outcome by participant and period.

    `values` has shape (participants, periods), NaN where there is none; `arm`, of the same shape, has the
    place in `arms` of what each had; `weights` are the contrast's, one an arm; `notes` what to tell.
    """

    study: Study
    data: StudyData
    analysis: Analysis
    outcome: str
    schedule: Schedule
    sample: Sample
    values: Floats
    arms: tuple[str, ...]
    arm: Ints
    weights: Floats
    notes: tuple[str, ...]

    @cached_property
    def there(self) -> Bools:
        """Which values count, (participants, periods)."""
        return ~np.isnan(self.values) & self.sample.inside[:, None]

    @property
    def analysed(self) -> Bools:
        """Who has a value in any period, (participants,)."""
        return np.asarray(self.there.any(axis=1))

    @property
    def rows(self) -> Bools:
        """Those analysed."""
        return self.analysed

    @property
    def returning(self) -> bool:
        """Whether somebody is measured in more than one period."""
        return bool((self.there.sum(axis=1) > 1).any())


def periods_of(
    study: Study,
    data: StudyData,
    analysis: Analysis,
    outcome: str,
    sample: Sample,
    schedule: Schedule,
    weights: dict[str, float],
) -> Periods:
    """The outcome by participant and period, with the arm that each sequence had then.

    Args:
        sample: with the sequence of each participant.
        weights: of the contrast, by arm.
    Raises:
        DesignError: the data do not say in which period somebody was measured.
    """
    arms = tuple(weights)
    steps = [schedule.sequences[name] for name in sample.cells.names]
    by_sequence = np.array([[arms.index(arm) for arm in sequence] for sequence in steps])
    waves = own_waves(study, outcome)
    notes: list[str] = []
    if waves:
        values = _from_waves(study, data, outcome, schedule, waves, notes)
    else:
        values = _from_column(study, data, outcome, schedule)
    arm = np.where(sample.inside[:, None], by_sequence[sample.code], -1)
    return Periods(
        study, data, analysis, outcome, schedule, sample, values, arms, arm,
        np.array(list(weights.values())), (*sample.notes, *notes),
    )  # fmt: skip


def _from_waves(
    study: Study, data: StudyData, outcome: str, schedule: Schedule, waves: tuple[str, ...], notes: list[str]
) -> Floats:
    values = np.full((data.participants.height, len(schedule.periods)), np.nan)
    filled: dict[int, str] = {}
    for wave, period in _periods_of_waves(study, schedule, waves, notes):
        name = list(schedule.periods)[period]
        if period in filled:
            raise DesignError(
                f'"{outcome}" is measured twice in period {name} (at {filled[period]} and {wave}); one wave '
                "a period can be analysed"
            )
        column = study.protocol.frame_column(outcome, wave)
        if not data.has(column):
            raise DesignError(f'the data have no column "{column}", the outcome in period {name}')
        values[:, period], filled[period] = data.numbers(column), wave
    return values


def _periods_of_waves(
    study: Study, schedule: Schedule, waves: tuple[str, ...], notes: list[str]
) -> Iterator[tuple[str, int]]:
    """Each wave with its period; waves before the first period are scores before, those in a washout are
    left out."""
    times = timeline(study.protocol)
    starts = [times.periods[name] for name in schedule.periods if name in times.periods]
    if len(set(starts)) < len(schedule.periods):
        if len(waves) != len(schedule.periods):
            raise DesignError(
                f"there are {len(waves)} waves and {len(schedule.periods)} periods without dates; date the "
                "periods, or have a wave in each"
            )
        yield from zip(waves, range(len(waves)), strict=True)
        return
    washout = _washout(schedule)
    for wave in waves:
        period = sum(start <= times.opens[wave] for start in starts) - 1
        if period > 0 and times.opens[wave] < starts[period] + washout:
            notes.append(f"{wave} is left out: it lies within the washout of {schedule.washout}")
        elif period >= 0:
            yield wave, period


def _washout(schedule: Schedule) -> timedelta:
    if schedule.washout is None:
        return timedelta(0)
    length = parse_duration(schedule.washout)
    return timedelta(days=_DAYS[length.unit] * length.count)


def _from_column(study: Study, data: StudyData, outcome: str, schedule: Schedule) -> Floats:
    column = study.protocol.frame_column(outcome, None)
    for name in (column, PERIOD):
        if not data.has(name):
            raise DesignError(
                f'the data have no column "{name}"; give the outcome waves, one a period, or one column and '
                f"a column `{PERIOD}` with the period in which each participant was measured"
            )
    labels = labels_of(data, PERIOD)
    known = {name: place for place, name in enumerate(schedule.periods)}
    values, given = np.full((len(labels), len(known)), np.nan), data.numbers(column)
    strange = sorted({str(label) for label in labels[~np.isnan(given)]} - set(known))
    if strange:
        raise DesignError(f'period "{strange[0]}" is not one of the schedule: {", ".join(known)}')
    rows = np.flatnonzero(~np.isnan(given))
    values[rows, [known[str(labels[row])] for row in rows]] = given[rows]
    return values
