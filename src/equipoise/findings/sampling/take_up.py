"""What people took up of what their arm offered: a number each, and who followed their arm."""

from collections.abc import Mapping

import numpy as np
import polars as pl

from equipoise.estimation.arrays import refuse
from equipoise.findings.reading.data import StudyData
from equipoise.findings.sampling.measured import Measured
from equipoise.findings.sampling.sample import Bools
from equipoise.instruments.scoring import Floats
from equipoise.protocol.doses import dose_columns
from equipoise.protocol.factors import reference_arm
from equipoise.protocol.models.analyses import Analysis
from equipoise.protocol.study import Study

__all__ = ["amount_of", "followed_arm", "take_up_column"]

_YES_NO: Mapping[str, float] = {"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}


def take_up_column(study: Study, analysis: Analysis, at: str) -> str:
    """The column of the frame that `take-up:` names: an outcome's at the wave looked at, or itself."""
    name = str(analysis.take_up)
    outcome = study.protocol.outcomes.get(name)
    if outcome is None:
        return name
    return study.protocol.frame_column(name, at if at in outcome.waves else None)


def amount_of(study: Study, data: StudyData, column: str) -> Floats:
    """A column as an amount, shape (participants,): yes is 1 and no is 0; NaN where it is not known.

    A dose is 0 where the frame leaves it empty, which it does for those to whom nothing was sent.

    Raises:
        DesignError: the data lack the column, or it holds something else than numbers, yes and no.
    """
    if not data.has(column):
        raise refuse("take-up", f'names "{column}", a column that the data do not have.')
    cells = data.participants[column]
    if cells.dtype == pl.String:
        lower = cells.str.to_lowercase()
        numbers = lower.replace_strict(_YES_NO, default=lower, return_dtype=pl.String)
        cells = numbers.cast(pl.Float64, strict=False)
        if cells.null_count() > lower.null_count():
            bad = lower.filter(cells.is_null() & lower.is_not_null())[0]
            raise refuse("take-up", f'holds "{bad}" in the column {column}; expected numbers, or yes and no.')
    if cells.dtype.is_temporal():
        raise refuse("take-up", f"names {column}, which holds dates; expected numbers, or yes and no.")
    amount = cells.cast(pl.Float64).to_numpy().astype(np.float64)
    if column in {dose.name for dose in dose_columns(study.protocol)}:
        amount = np.nan_to_num(amount)
    return np.asarray(amount, dtype=np.float64)


def followed_arm(measured: Measured) -> Bools:
    """Who of the sample took up what their arm offers and nothing else, shape (participants,).

    In the arm that others are compared with nothing is to be taken up; in the others something is. A column
    that names arms says it by itself. Where it is not known, people are not counted as following.

    Raises:
        DesignError: the take-up is not in the data, or cannot be read.
    """
    study, data, cells = measured.study, measured.data, measured.sample.cells
    column = take_up_column(study, measured.analysis, measured.at)
    if len(cells.factors) != 1:
        named = ", ".join(cells.factors)
        raise refuse(
            "contrast", f"is one of {named}; who followed which of them cannot be told from {column}."
        )
    arms = np.array([*cells.names, ""], dtype=object)[measured.sample.code]
    if _names_arms(data, column, cells.names):
        received = data.participants[column].fill_null("").to_numpy()
        return np.asarray(measured.sample.inside & (received == arms), dtype=np.bool_)
    amount = amount_of(study, data, column)
    offered = arms != reference_arm(cells.names)
    return np.asarray(measured.sample.inside & np.where(offered, amount > 0, amount == 0), dtype=np.bool_)


def _names_arms(data: StudyData, column: str, arms: tuple[str, ...]) -> bool:
    cells = data.participants[column] if data.has(column) else None
    return cells is not None and cells.dtype == pl.String and bool(cells.is_in(list(arms)).any())
