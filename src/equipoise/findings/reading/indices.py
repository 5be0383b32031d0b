"""Outcomes that are made of others: an index of its parts, in standard deviations of the control arm.

At each wave the parts are standardised on whoever of the control arm answered them there, each turned so that
high is good. Whoever answered fewer of them than the protocol asks for has no index.
"""

from dataclasses import replace

import numpy as np
import polars as pl

from equipoise.errors import DesignError
from equipoise.estimation.several.index import Index, inverse_covariance_index, standardised_average
from equipoise.findings.reading.data import StudyData
from equipoise.protocol.factors import reference_arm, waves_measuring
from equipoise.protocol.models.outcomes import Outcome
from equipoise.protocol.study import Study

__all__ = ["index_at", "with_indices"]

_MASKED = "the arms are masked, and an index is in standard deviations of the control arm"


def with_indices(study: Study, data: StudyData) -> StudyData:
    """The data with a column for every index at every wave; one that cannot be made is `lacking`.

    Args:
        study: its outcomes say what each index is made of.
        data: with the parts as they are to count, whatever events did to them.
    """
    for name, outcome in study.protocol.outcomes.items():
        if outcome.index is None:
            continue
        waves = dict.fromkeys((*waves_measuring(study.protocol, study.surveys, outcome), *outcome.waves))
        for wave in waves or ("",):
            column = study.protocol.frame_column(name, wave or None)
            try:
                values = index_at(study, data, outcome, wave).values
            except DesignError as error:
                data = data.without({column: str(error)})
            else:
                data = data.with_columns([pl.Series(column, values, nan_to_null=True)])
    return data


def index_at(study: Study, data: StudyData, outcome: Outcome, wave: str) -> Index:
    """An index at one wave, with its weights.

    Args:
        outcome: an index.
        wave: the empty text where its parts have no waves.
    Raises:
        DesignError: the data lack a part, the arms are masked, or the parts cannot be standardised.
    """
    if data.masked:
        raise DesignError(_MASKED)
    names = outcome.index or ()
    columns = [study.protocol.frame_column(part, wave or None) for part in names]
    lacking = next((column for column in columns if not data.has(column)), None)
    if lacking is not None:
        raise DesignError(data.why_lacking(lacking))
    parts = np.stack([data.numbers(column) for column in columns], axis=1)
    enough = (~np.isnan(parts)).mean(axis=1) >= (outcome.least_answered or 0.0)
    good = [str(study.protocol.outcomes[part].good) for part in names]
    make = inverse_covariance_index if outcome.weights == "inverse-covariance" else standardised_average
    found = make(parts, _control(study, data), good, outcome_names=names)
    return replace(found, values=np.where(enough, found.values, np.nan))


def _control(study: Study, data: StudyData) -> np.ndarray:
    """Who is in the arm that others are compared with; everybody where there are no arms."""
    protocol = study.protocol
    if not protocol.allocation:
        return np.ones(data.participants.height, dtype=bool)
    control = reference_arm(protocol.drawn(protocol.main_stage))
    arms = data.participants[protocol.arm_column(protocol.main_stage)]
    return (arms == control).fill_null(False).to_numpy()
