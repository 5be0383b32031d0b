"""The points in time at which an outcome is looked at: a wave, an average of waves, the slope over them."""

from datetime import timedelta

import numpy as np

from equipoise.estimation.mixed.mmrm import average_of_waves, slope_over_waves
from equipoise.findings.reading.data import StudyData
from equipoise.findings.sampling.sample import Bools
from equipoise.instruments.scoring import Floats
from equipoise.protocol.models.analyses import Analysis
from equipoise.protocol.study import Study
from equipoise.protocol.timeline import timeline, waves_before
from equipoise.protocol.waves import SLOPE, points_of, written_point

__all__ = [
    "analysed_at",
    "columns_of",
    "ever_measured",
    "own_waves",
    "points_at",
    "values_at",
    "weights_at",
    "why_unmeasured",
]

_WEEK = timedelta(weeks=1)


def points_at(study: Study, analysis: Analysis, outcome: str) -> tuple[str, ...]:
    """The points that an analysis names; `each` is each wave of the outcome after the allocation.

    An outcome from a column without waves has one point, the empty text.
    """
    own = own_waves(study, outcome) or ("",)
    found: dict[str, None] = {}
    for point in analysis.at or ("each",):
        waves = points_of(point) or own
        if point == SLOPE or len(points_of(point)) > 1:
            found[written_point(point)] = None
        else:
            found |= dict.fromkeys(wave for wave in waves if wave in own)
    return tuple(found)


def own_waves(study: Study, outcome: str) -> tuple[str, ...]:
    """The waves of an outcome after the allocation, in order of opening."""
    protocol = study.protocol
    before, opens = waves_before(protocol, protocol.main_stage), timeline(protocol).opens
    after = [wave for wave in protocol.outcomes[outcome].waves if wave not in before]
    return tuple(sorted(after, key=lambda wave: opens[wave]) if all(w in opens for w in after) else after)


def columns_of(study: Study, outcome: str) -> tuple[str, ...]:
    """The columns of an outcome after the allocation, in order of opening; one where it has no waves."""
    return tuple(
        study.protocol.frame_column(outcome, wave or None) for wave in own_waves(study, outcome) or ("",)
    )


def weights_at(study: Study, outcome: str, at: str) -> Floats:
    """What each of the outcome's own waves counts for at a point, shape (waves,); a slope is per week."""
    own = own_waves(study, outcome)
    if at == SLOPE:
        opens = timeline(study.protocol).opens
        return slope_over_waves([(opens[wave] - opens[own[0]]) / _WEEK for wave in own])
    return average_of_waves([wave in points_of(at) for wave in own])


def values_at(study: Study, data: StudyData, outcome: str, at: str) -> Floats:
    """The outcome at a point, shape (participants,); NaN for whoever lacks one of the waves that make it.

    Args:
        at: a wave, the empty text, or an average or slope that `why_unmeasured` has nothing against.
    """
    if at != SLOPE and len(points_of(at)) < 2:
        return data.numbers(study.protocol.frame_column(outcome, at or None))
    weights = weights_at(study, outcome, at)
    waves = np.flatnonzero(weights) if at != SLOPE else np.arange(len(weights))
    columns = columns_of(study, outcome)
    return np.stack([data.numbers(columns[wave]) for wave in waves], axis=1) @ weights[waves]


def analysed_at(study: Study, data: StudyData, analysis: Analysis, outcome: str, at: str) -> Floats:
    """What an analysis looks at, shape (participants,): the outcome at a point, or its change since before.

    Args:
        at: as for `values_at`. NaN also for whoever lacks the score before that a change is from.
    """
    values = values_at(study, data, outcome, at)
    if analysis.change_from is None:
        return values
    return values - data.numbers(f"{outcome}_{analysis.change_from}")


def ever_measured(study: Study, data: StudyData, outcome: str) -> Bools:
    """Who has a value at any time after the allocation, shape (participants,)."""
    columns = [data.numbers(column) for column in columns_of(study, outcome) if data.has(column)]
    if not columns:
        return np.zeros(data.participants.height, dtype=bool)
    return np.asarray(~np.isnan(columns).all(axis=0))


def why_unmeasured(study: Study, data: StudyData, analysis: Analysis, outcome: str, at: str) -> str | None:
    """Why an outcome has no value at a point for anybody, or no change to it, or None."""
    own = own_waves(study, outcome)
    if at == SLOPE and len(own) < 2:
        return "a slope needs two waves or more after the allocation"
    waves = own if at == SLOPE else points_of(at)
    absent = [wave for wave in waves if wave and wave not in own]
    if absent:
        return f'"{outcome}" is not measured at {", ".join(absent)} after the allocation'
    columns = [study.protocol.frame_column(outcome, wave or None) for wave in waves]
    if analysis.change_from is not None:
        columns.append(f"{outcome}_{analysis.change_from}")
    lacking = [column for column in columns if not data.has(column)]
    return data.why_lacking(lacking[0]) if lacking else None
