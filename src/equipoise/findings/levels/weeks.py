"""A contrast by week since the launch: a description, since when people answer is chosen after allocation."""

from collections.abc import Iterator
from datetime import datetime

import numpy as np
import polars as pl

from equipoise.errors import DesignError
from equipoise.estimation.effects.by_time import EffectByWeek, effect_by_week
from equipoise.findings.estimates import with_estimate
from equipoise.findings.levels.variances import variance_of
from equipoise.findings.results import Finding
from equipoise.findings.sampling.measured import Measured
from equipoise.findings.sampling.sample import Sample
from equipoise.instruments.scoring import Floats
from equipoise.protocol.timeline import timeline

__all__ = ["by_week", "weeks_since"]

_DESCRIPTIVE = (
    "descriptive: when a person answers is itself chosen after allocation, so weeks compare different people"
)
_WEEK = 7 * 24 * 3600.0


def by_week(measured: Measured, base: Finding) -> Iterator[Finding]:
    """The contrast among those who answered in each week, whether weeks differ, a linear and a monotone fit.

    Args:
        measured: the outcome, at the wave whose times of answering count.
        base: what all these findings share.
    """
    column = f"answered_{measured.at}"
    launch, data = timeline(measured.study.protocol).launch, measured.data
    if not data.has(column) or data.participants[column].dtype == pl.Boolean or launch is None:
        why = f"the data do not say when people answered (column {column}), so the weeks are not known"
        yield base.model_copy(update={"not_estimable": why})
        return
    week = weeks_since(data.participants[column], launch)
    try:
        known = measured.among(~np.isnan(week))
        found = effect_by_week(
            known.y,
            known.arm,
            week[known.answered].astype(np.int64),
            known.weights,
            variance=variance_of(measured.analysis),
            cluster=known.cluster,
            level=measured.analysis.interval,
            arm_names=known.arm_names,
        )
    except DesignError as error:
        yield base.model_copy(update={"not_estimable": str(error)})
        return
    yield from _told(base, found, measured.sample)


def _told(base: Finding, found: EffectByWeek, sample: Sample) -> Iterator[Finding]:
    base = base.model_copy(update={"model": f"difference in means in each week, {_DESCRIPTIVE}"})
    for each in found.weeks:
        finding = base.model_copy(
            update={
                "id": f"{base.id}.week={each.week}",
                "level": str(each.week),
                "n": {arm: int(count) for arm, count in zip(sample.cells.names, each.counts, strict=True)},
                "not_estimable": each.not_estimable,
            }
        )
        yield finding if each.effect is None else with_estimate(finding, each.effect)
    if found.equality is not None:
        test = found.equality
        yield base.model_copy(
            update={
                "id": f"{base.id}.joint",
                "kind": "test",
                "statistic": test.statistic,
                "dof": test.dof_denominator,
                "p_value": test.p_value,
                "model": f"joint test that every week has the same difference; {_DESCRIPTIVE}",
            }
        )
    if found.fade is not None:
        words = f"change of the difference from one week to the next, linear; {_DESCRIPTIVE}"
        yield with_estimate(base, found.fade, id=f"{base.id}.linear", model=words)
    if found.monotone is not None:
        fit = found.monotone
        for week_number, value in zip(fit.weeks, fit.effects, strict=True):
            yield base.model_copy(
                update={
                    "id": f"{base.id}.monotone={week_number}",
                    "level": str(week_number),
                    "estimate": value,
                    "model": f"the closest {fit.direction} curve; {_DESCRIPTIVE}",
                }
            )


def weeks_since(answered: pl.Series, launch: datetime) -> Floats:
    """Whole weeks since the launch, the first week being 1; NaN where it is not known."""
    seconds = (answered - launch).dt.total_microseconds().cast(pl.Float64).to_numpy() / 1e6
    return np.floor(seconds / _WEEK) + 1.0
