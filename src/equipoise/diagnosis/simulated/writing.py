"""Simulated data as files: what `analyse --data` reads, with a dictionary that says they are simulated."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from equipoise.findings.reading.data import StudyData
from equipoise.protocol.study import Study

if TYPE_CHECKING:
    from equipoise.diagnosis.simulated.simulate import Simulated

__all__ = ["writable", "write_simulated"]


def write_simulated(study: Study, simulated: "Simulated", folder: Path) -> None:
    """Write one CSV a table, and `dictionary.json`.

    Args:
        study: whose sources (logs and extracts that lie in its folder) are put beside the simulated tables.
        simulated: what to write.
        folder: made where it does not exist; files of the same names are replaced.
    """
    folder.mkdir(parents=True, exist_ok=True)
    data = simulated.data
    tables = {"participants": data.participants, **data.ratings}
    tables |= {f"answers_{wave}": table for wave, table in data.answers.items()}
    tables |= {name: table for name, table in _sources(study, data).items() if table.height}
    for name, table in tables.items():
        (folder / f"{name}.csv").write_text(writable(table).write_csv(), encoding="utf-8")
    said = {
        "study": study.protocol.study.id,
        "source": "simulated",
        "seed": simulated.seed,
        "planted": {outcome: dict(arms) for outcome, arms in simulated.planted.items()},
        "tables": {
            name: {column: str(table[column].dtype) for column in table.columns}
            for name, table in tables.items()
        },
    }
    (folder / "dictionary.json").write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")


def _sources(study: Study, data: StudyData) -> dict[str, pl.DataFrame]:
    """The study's own files of data from elsewhere, of the people simulated."""
    files = {
        name: study.folder / source.file
        for name, source in study.protocol.sources.items()
        if source.file is not None and (study.folder / source.file).is_file()
    }
    read = {name: pl.read_csv(file, infer_schema=False) for name, file in files.items()}
    known = data.participants[data.identifier].implode()
    return {name: table.filter(pl.col(data.identifier).is_in(known)) for name, table in read.items()}


def writable(table: pl.DataFrame) -> pl.DataFrame:
    """Moments in ISO 8601, whole numbers without a point, yes and no as 1 and 0."""
    columns = []
    for name in table.columns:
        column = table[name]
        if isinstance(column.dtype, pl.Datetime):
            column = column.dt.strftime("%Y-%m-%dT%H:%M:%SZ")
        elif column.dtype == pl.Boolean:
            column = column.cast(pl.Int8)
        elif column.dtype == pl.Float64 and (column.drop_nulls() == column.drop_nulls().round()).all():
            column = column.cast(pl.Int64)
        columns.append(column)
    return pl.DataFrame(columns)
