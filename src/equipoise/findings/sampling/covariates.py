"""What an analysis adjusts for: columns without gaps, known from before the allocation."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from equipoise.errors import DesignError
from equipoise.estimation.effects.adjusted import missing_indicator
from equipoise.findings.reading.data import StudyData
from equipoise.findings.sampling.sample import Bools
from equipoise.instruments.scoring import Floats
from equipoise.protocol.expressions import compile_expression
from equipoise.protocol.facts import before_allocation
from equipoise.protocol.models.analyses import Analysis
from equipoise.protocol.study import Study
from equipoise.protocol.timeline import waves_before

__all__ = ["Covariates", "Labels", "covariates_of", "dummies", "labels_of", "strata_of"]

Labels = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Covariates:
    """Names for the reader, columns of shape (analysed, p) with p names, and what to tell of filled gaps."""

    names: tuple[str, ...]
    columns: Floats
    column_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def covariates_of(
    study: Study, data: StudyData, analysis: Analysis, outcome: str, rows: Bools, stage: str
) -> Covariates:
    """What is adjusted for besides the strata.

    Args:
        rows: shape (participants,), who is analysed.
        stage: whose arms are compared; waves that closed before it drew are scores before.
    Raises:
        DesignError: the data lack a column that the protocol declares for the adjustment.
    """
    found = [
        part
        for name in analysis.adjust or ()
        if name != "strata" and (part := _part(study, data, analysis, outcome, name, rows, stage)) is not None
    ]
    if not found:
        return Covariates((), np.empty((int(rows.sum()), 0)))
    return Covariates(
        tuple(name for part in found for name in part.names),
        np.concatenate([part.columns for part in found], axis=1),
        tuple(name for part in found for name in part.column_names),
        tuple(note for part in found for note in part.notes),
    )


def dummies(labels: pl.Series) -> Floats:
    """A column for each level but the first in the alphabet, shape (n, levels - 1)."""
    levels = labels.unique().sort().to_list()
    found = labels.to_numpy()
    if len(levels) < 2:
        return np.empty((len(labels), 0))
    return np.stack([(found == level).astype(np.float64) for level in levels[1:]], axis=1)


def labels_of(data: StudyData, column: str) -> Labels:
    """A column as labels, shape (participants,).

    Raises:
        DesignError: the data lack it.
    """
    if not data.has(column):
        raise DesignError(f'the data have no column "{column}", which the analysis needs')
    return data.participants[column].cast(pl.String).fill_null("(missing)").to_numpy()


def strata_of(study: Study, data: StudyData, stage: str) -> Labels | None:
    """The cells in which a stage drew, shape (participants,); None where it drew in one."""
    columns = study.protocol.allocation[stage].drawn_within
    if not columns:
        return None
    labels = [labels_of(data, column) for column in columns]
    return np.array([" / ".join(row) for row in zip(*labels, strict=True)], dtype=object)


def _part(
    study: Study, data: StudyData, analysis: Analysis, outcome: str, name: str, rows: Bools, stage: str
) -> Covariates | None:
    protocol = study.protocol
    if name in waves_before(protocol, stage):
        column = f"{outcome}_{name}"
        if outcome in analysis.unadjusted:
            return None
        if not data.has(column):
            note = f'the data have no score {name} (column "{column}"), so nothing is adjusted for it'
            return Covariates((), np.empty((int(rows.sum()), 0)), notes=(note,))
        return _numeric(f"the score {name}", f"score {name}", data.numbers(column)[rows])
    participants = protocol.participants
    if participants is not None and name in participants.derived:
        expression = compile_expression(participants.derived[name], before_allocation(protocol, stage))
        values = expression.evaluate_frame(data.participants)
    elif data.has(name):
        values = data.participants[name]
    else:
        raise DesignError(f'the data have no column "{name}", for which the analysis adjusts')
    values = values.filter(pl.Series(rows))
    if values.dtype in (pl.String, pl.Boolean):
        labels = values.cast(pl.String).fill_null("(missing)")
        levels = labels.unique().sort().to_list()[1:]
        return Covariates((name,), dummies(labels), tuple(f'{name} "{level}"' for level in levels))
    if values.dtype.is_temporal():
        values = values.cast(pl.Datetime("us")).dt.epoch("d")
    return _numeric(name, name, values.cast(pl.Float64).to_numpy().astype(np.float64))


def _numeric(name: str, short: str, values: Floats) -> Covariates:
    """A number without gaps, with a column that says who lacked it."""
    filled = missing_indicator(values)
    notes: tuple[str, ...] = ()
    if filled.missing:
        notes = (
            f"{short} is missing for {filled.missing} of {len(values)} analysed: kept by the "
            "missing-indicator method",
        )
    column_names = (name, f"{name} (missing)")[: filled.columns.shape[1]]
    return Covariates((name,), filled.columns, column_names, notes)
