"""One test of all that was known before the draw: a check on fraud or error, not on how kind chance was."""

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from equipoise.errors import DesignError, NotSupportedError
from equipoise.estimation.effects.adjusted import missing_indicator
from equipoise.estimation.randomisation.balance import imbalance
from equipoise.estimation.randomisation.p_values import randomisation_test
from equipoise.findings.describe.baseline import covariates_before
from equipoise.findings.reading.data import StudyData
from equipoise.findings.results import Finding
from equipoise.findings.sampling.covariates import dummies
from equipoise.findings.sampling.redraws import Drawing, drawing_of
from equipoise.instruments.scoring import Floats
from equipoise.protocol.study import Study

__all__ = ["balance"]

DRAWS = 999
MOST_UNITS = 20_000  # beyond, so many draws take seconds for what standardised differences show as well


def balance(study: Study, data: StudyData) -> Iterator[Finding]:
    """The omnibus test of the main stage; nothing while the arms are masked, or where nothing is known."""
    protocol = study.protocol
    if data.masked or not protocol.allocation:
        return
    columns = [_numbers(values) for values in covariates_before(study, data).values()]
    stage = protocol.main_stage
    if not columns or protocol.allocation[stage].to != "arms":
        return
    finding = Finding(
        id="balance.omnibus",
        analysis="balance",
        kind="test",
        model="omnibus randomisation test of what was known before the draw, as a check on fraud or error",
    )
    try:
        drawing = drawing_of(study, data, stage)
        if len(drawing.observed) <= MOST_UNITS:
            yield finding.model_copy(update=_tested(drawing, np.concatenate(columns, axis=1)))
    except (DesignError, NotSupportedError) as error:
        yield finding.model_copy(update={"not_estimable": str(error)})


def _tested(drawing: Drawing, columns: Floats) -> dict[str, object]:
    drawn = drawing.place >= 0
    place = drawing.place[drawn]
    found = randomisation_test(
        imbalance(columns[drawn], place, len(drawing.plan.arms), strata=drawing.plan.stratum[place]),
        drawing.redraws(DRAWS),
        studentised=False,
    )
    return {
        "statistic": found.statistic,
        "p_value": found.p_value,
        "draws": found.draws,
        "mc_error": found.mc_error,
        "n": {"all": int(drawn.sum())},
    }


def _numbers(values: Floats | Sequence[str | None]) -> Floats:
    """A column of numbers, or one for each level but the first, with a column for who lacks it."""
    if isinstance(values, np.ndarray):
        return missing_indicator(values).columns
    return dummies(pl.Series(list(values), dtype=pl.String).fill_null("(missing)"))
