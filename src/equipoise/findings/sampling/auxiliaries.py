"""What predicts the answers of everybody randomised: the analysis's own covariates and its auxiliaries."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from equipoise.errors import DesignError
from equipoise.findings.reading.data import StudyData
from equipoise.findings.sampling.covariates import covariates_of, dummies, labels_of
from equipoise.findings.sampling.measured import Measured
from equipoise.instruments.scoring import Floats
from equipoise.protocol.doses import sent_columns
from equipoise.protocol.expressions import compile_expression
from equipoise.protocol.facts import before_allocation
from equipoise.protocol.names import in_words

__all__ = ["Predicting", "predicting"]


@dataclass(frozen=True)
class Predicting:
    """What predicts the answers of those in the sample.

    Attributes:
        covariates: (inside, p) what the analysis adjusts for besides strata.
        cells: (inside, s) a column for each stratum but one, as the analysis has them.
        parts: (inside, t) columns for the levels of what the strata are made of, fewer than the cells.
        complete: (inside, q) auxiliaries without gaps.
        gappy: (inside,) auxiliaries that are numbers with gaps, by name.
        names: of the auxiliaries, in words.
    """

    covariates: Floats
    cells: Floats
    parts: Floats
    complete: Floats
    gappy: dict[str, Floats]
    names: tuple[str, ...]


def predicting(measured: Measured) -> Predicting:
    """Whatever the analysis adjusts for, stratum by stratum, then its auxiliaries.

    Raises:
        DesignError: the data lack a column.
    """
    inside = measured.sample.inside
    covariates = covariates_of(
        measured.study, measured.data, measured.analysis, measured.outcome, inside, measured.sample.stage
    )
    cells, parts = _strata(measured)
    complete = [np.empty((int(inside.sum()), 0))]
    gappy: dict[str, Floats] = {}
    names = []
    for name in measured.analysis.auxiliaries or ():
        if name == measured.outcome:
            continue
        values = _auxiliary(measured, name).filter(pl.Series(inside))
        names.append(_in_words(measured, name))
        if values.dtype == pl.String:
            complete.append(dummies(values.fill_null("(missing)")))
            continue
        numbers = values.cast(pl.Float64).to_numpy().astype(np.float64)
        if np.isnan(numbers).any():
            gappy[name] = numbers
        else:
            complete.append(numbers[:, None])
    return Predicting(covariates.columns, cells, parts, np.concatenate(complete, axis=1), gappy, tuple(names))


def _strata(measured: Measured) -> tuple[Floats, Floats]:
    """Columns for the cells of the strata, and for the levels of each of their columns."""
    inside = measured.sample.inside
    none = np.empty((int(inside.sum()), 0))
    if measured.all_strata is None:
        return none, none
    columns = measured.study.protocol.allocation[measured.sample.stage].drawn_within
    levels = [dummies(pl.Series(labels_of(measured.data, column)[inside].astype(str))) for column in columns]
    return dummies(pl.Series(measured.all_strata[inside].astype(str))), np.concatenate(levels, axis=1)


def _auxiliary(measured: Measured, name: str) -> pl.Series:
    """A column of the participants: a number, or text for a category."""
    protocol, data = measured.study.protocol, measured.data
    if name in protocol.waves:
        return _number(data, protocol.frame_column(measured.outcome, name), f"{measured.outcome}_{name}")
    if name in protocol.outcomes:
        own = protocol.outcomes[name].waves
        wave = measured.at if measured.at in own else (own[-1] if own else None)
        return _number(data, protocol.frame_column(name, wave), name)
    participants = protocol.participants
    if participants is not None and name in participants.derived:
        expression = compile_expression(participants.derived[name], before_allocation(protocol))
        return _plain(expression.evaluate_frame(data.participants))
    if not data.has(name):
        raise _lacking(name)
    column = data.participants[name]
    happened = name in sent_columns(protocol) or name in (*protocol.events, *protocol.harms)
    if column.dtype.is_temporal() and (happened or name.startswith("dose_")):
        return column.is_not_null()
    return _plain(column.fill_null(False) if happened and column.dtype == pl.Boolean else column)


def _plain(column: pl.Series) -> pl.Series:
    if column.dtype.is_temporal():
        return column.cast(pl.Datetime("us")).dt.epoch("d").cast(pl.Float64)
    return column.cast(pl.String) if column.dtype == pl.Categorical else column


def _number(data: StudyData, *columns: str) -> pl.Series:
    for column in columns:
        if data.has(column):
            return data.participants[column].cast(pl.Float64)
    raise _lacking(columns[0])


def _lacking(column: str) -> DesignError:
    return DesignError(f'the data have no column "{column}", which the analysis names as an auxiliary')


def _in_words(measured: Measured, name: str) -> str:
    protocol = measured.study.protocol
    if name in protocol.waves:
        return f"the score {protocol.waves[name].label or name}"
    if name in protocol.outcomes:
        return protocol.outcomes[name].label or name
    return in_words(name)
