"""The data that were exported, held against what was answered: every answer, and nothing else."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from equipoise.platform.rehearsal.cast.scripts import written
from equipoise.platform.rehearsal.production import Production
from equipoise.platform.rehearsal.verdict import Check
from equipoise.protocol.columns import AnswerColumn, answer_columns

__all__ = ["answer_check"]


def answer_check(production: Production, export: Path) -> Check:
    """Whether every answer in the exported frame is the one that was given.

    Args:
        production: as it ended.
        export: the folder of the export.
    """
    faults: list[str] = []
    counted = 0
    for wave in production.folder.protocol.waves:
        columns = _columns(production, wave)
        rows = _rows(export / f"answers_{wave}.parquet")
        expected = dict(_expected(production, wave, rows))
        faults += [f"{wave}: a row of somebody who did not answer" for key in rows if key not in expected]
        for key, (identifier, answers) in expected.items():
            if key not in rows:
                faults.append(f"{identifier}: their answers to {wave} are missing")
                continue
            counted += len(answers)
            faults += [f"{identifier}: {wave}: {text}" for text in _differences(rows[key], answers, columns)]
    title = "Every answer in the data is the one that was given"
    return Check("answers", title, counted, tuple(faults))


def _columns(production: Production, wave: str) -> list[AnswerColumn]:
    study = production.folder
    columns = answer_columns(study, study.protocol.waves[wave].survey)
    return [column for column in columns if column.type != "reason"]


def _rows(file: Path) -> Mapping[str, Mapping[str, Any]]:
    if not file.is_file():
        return {}
    frame = pl.read_parquet(file)
    return {str(row[frame.columns[0]]): row for row in frame.iter_rows(named=True)}


def _expected(
    production: Production, wave: str, rows: Mapping[str, Any]
) -> Iterator[tuple[str, tuple[str, Mapping[str, str]]]]:
    """What was answered, by pseudonym. Of whoever was erased nothing is left, and whoever left before the
    draw is not in the trial."""
    drawn = min((moment for moment, _ in production.draws), default=None)
    for (of_wave, identifier), answered in production.answered.items():
        left = production.left.get(identifier)
        gone = left is not None and (
            left.how == "erase" or (left.how == "everything" and drawn is not None and left.at <= drawn)
        )
        if of_wave == wave and not gone:
            yield production.keys[identifier], (identifier, answered.answers)


def _differences(
    row: Mapping[str, Any], answers: Mapping[str, str], columns: list[AnswerColumn]
) -> Iterator[str]:
    for column in columns:
        given, kept = answers.get(column.name), written(row.get(column.name))
        untouched = given is None and kept == "no" and column.name != column.key
        if _same(given, kept) or untouched:
            continue
        yield f"{column.name} was answered {given or 'with nothing'} and is kept as {kept or 'nothing'}"


def _same(given: str | None, kept: str | None) -> bool:
    if given is None or kept is None:
        return given == kept
    return given.replace("\r\n", "\n").strip() == kept.replace("\r\n", "\n").strip()
