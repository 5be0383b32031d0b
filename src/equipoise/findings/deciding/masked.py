"""What the plan asks for while nobody may know which arm is which: named, and not computed.

A contrast says which arm is subtracted from which, and by letters that cannot be said. So every planned
effect stands in its place with the numbers of people that need no arm, and with the reason; nothing is
tested.
"""

from collections.abc import Iterator

import numpy as np

from equipoise.findings.deciding.claims import planned_effect
from equipoise.findings.reading.data import StudyData
from equipoise.findings.results import Finding
from equipoise.protocol.models.analyses import Analysis
from equipoise.protocol.study import Study

__all__ = ["MASKED", "letters", "masked_finding"]

MASKED = "masked: the arms go by letters, so no contrast can be computed until the results are unmasked"


def masked_finding(
    study: Study, data: StudyData, name: str, analysis: Analysis, outcome: str, at: str, text: str, *,
    planned: bool,
) -> Finding:  # fmt: skip
    """One contrast of an analysis, not tested.

    Args:
        at: the wave, or the empty text.
        text: the contrast.
        planned: whether the locked protocol names the analysis.
    """
    column = study.protocol.frame_column(outcome, at or None)
    answered = {}
    if study.protocol.outcomes[outcome].task is None and data.has(column):
        there = int((~np.isnan(data.numbers(column))).sum())
        answered = {"n": {"all": there}, "n_missing": {"all": data.participants.height - there}}
    return planned_effect(
        study,
        name,
        analysis,
        outcome,
        at,
        text,
        planned=planned,
        decision="not-tested",
        n_randomised=letters(study, data),
        not_estimable=MASKED,
        **answered,
    )


def letters(study: Study, data: StudyData) -> dict[str, int]:
    """How many people each letter of the main stage has."""
    column = study.protocol.arm_column(study.protocol.main_stage)
    return {letter: count for letter, count in _counted(data, column) if letter is not None}


def _counted(data: StudyData, column: str) -> Iterator[tuple[str | None, int]]:
    table = data.participants[column].value_counts().sort(column)
    yield from table.iter_rows()
