"""Exclusions decided without knowing the arms: how many by arm, and what the plan finds without them.

Everybody who was randomised is analysed as randomised, whoever was excluded too. Where somebody is excluded,
each planned effect is computed a second time without their answers and stands beside the first as a
sensitivity analysis. (CONSORT 2025, items 21b and 22b: who is in each analysis, exclusions with reasons.)
"""

from collections.abc import Iterator

import numpy as np
import polars as pl

from equipoise.findings.describe.arms import Arms, counts_by_arm
from equipoise.findings.reading.data import StudyData
from equipoise.findings.results import Finding
from equipoise.findings.sampling.points import columns_of, ever_measured, values_at
from equipoise.findings.sampling.sample import Bools
from equipoise.protocol.study import Study

__all__ = ["excluded_counts", "sensitivity_without", "without_excluded"]

_SUFFIX = "without-excluded"
_HOW = "without those whom the blinded data review left out"


def excluded_counts(data: StudyData, arms: Arms) -> Iterator[Finding]:
    """Who is left out of anything, then for each reason; by arm, unless the arms are masked."""
    table = data.exclusions
    if table is None or not table.height:
        return
    yield from counts_by_arm("exclusions.people", "exclusions", "people", _among(data, table), arms)
    for number, reason in enumerate(table["reason"].unique().sort().to_list(), start=1):
        rows = _among(data, table.filter(pl.col("reason") == reason))
        for finding in counts_by_arm(f"exclusions.reason-{number}", "exclusions", "reason", rows, arms):
            yield finding.model_copy(update={"level": reason})


def without_excluded(
    study: Study, data: StudyData, analysis: str, outcome: str, at: str | None
) -> StudyData | None:
    """The data without the answers of those who are left out of an analysis of an outcome.

    Args:
        analysis: its name.
        outcome: its name.
        at: the point of time that is looked at; None for all of them together.
    Returns:
        None where nobody is left out whose answers there are.
    """
    table = data.exclusions
    if table is None or not table.height:
        return None
    concerned = [not of or bool({analysis, outcome} & set(of.split("; "))) for of in table["of"].to_list()]
    rows = _among(data, table.filter(pl.Series(concerned, dtype=pl.Boolean)))
    measured = ever_measured(study, data, outcome)
    if at is not None:
        measured &= ~np.isnan(values_at(study, data, outcome, at))
    if not (rows & measured).any():
        return None
    columns = [column for column in columns_of(study, outcome) if data.has(column)]
    return data.with_columns(
        pl.Series(column, np.where(rows, np.nan, data.numbers(column)), nan_to_null=True)
        for column in columns
    )


def sensitivity_without(findings: Iterator[Finding], rows: int) -> Iterator[Finding]:
    """Effects that were computed without the excluded, as what they are beside those of everybody.

    Args:
        findings: of one contrast.
        rows: how many people are left out.
    """
    for finding in findings:
        if finding.kind != "effect" or finding.tier == "sensitivity":
            continue
        told = f"{_HOW} ({rows} people)"
        yield finding.model_copy(
            update={
                "id": f"{finding.id}.{_SUFFIX}",
                "tier": "sensitivity" if finding.planned else "exploratory",
                "model": f"{finding.model}; {told}" if finding.model else told,
            }
        )


def _among(data: StudyData, table: pl.DataFrame) -> Bools:
    """Who of the participants stands in a list, in their order."""
    listed = table[data.identifier].implode()
    return data.participants[data.identifier].is_in(listed).to_numpy().astype(bool)
