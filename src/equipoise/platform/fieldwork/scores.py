"""The scores of a wave beside its answers: every score that an instrument's published rule gives.

    INSTRUMENT.SCORE        the score
    INSTRUMENT.SCORE_why    why there is none: nothing answered, too few answered, skipped

Answers stay as they were given: nothing is reversed, recoded or filled but inside the rule.
"""

from collections.abc import Iterator

import polars as pl

from equipoise.findings.reading.scores import answers_of
from equipoise.instruments import Instrument, load, score
from equipoise.instruments.scoring import REASONS
from equipoise.protocol import Study as StudyFolder
from equipoise.protocol.asked import WHY
from equipoise.protocol.columns import answer_columns

__all__ = ["scores_frame"]


def scores_frame(loaded: StudyFolder, wave: str, answers: pl.DataFrame) -> pl.DataFrame:
    """Everybody's scores in a wave.

    Args:
        loaded: what the study says.
        wave: its name.
        answers: as `answers_frame` gives them.
    Returns:
        The key and the scores; the key alone where the wave asks no instrument.
    """
    return pl.DataFrame([answers[answers.columns[0]], *_scores(loaded, wave, answers)])


def _scores(loaded: StudyFolder, wave: str, answers: pl.DataFrame) -> Iterator[pl.Series]:
    columns = answer_columns(loaded, loaded.protocol.waves[wave].survey)
    for name in dict.fromkeys(column.instrument for column in columns if column.instrument is not None):
        definition = load(name)
        if not isinstance(definition, Instrument):
            continue
        given = answers_of(definition, answers)
        for rule in definition.scores:
            found = score(definition, rule, given)
            reasons = [REASONS[code] if code else None for code in found.why.tolist()]
            column = f"{definition.id}.{rule}"
            yield pl.Series(column, found.values, nan_to_null=True)
            yield pl.Series(f"{column}{WHY}", reasons, dtype=pl.String)
