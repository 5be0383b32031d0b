"""The file of an HR extract, read as the protocol declares it by the engine that reads rosters; nothing is
stored."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from equipoise.errors import InputError, Problem
from equipoise.platform.extracts.scopes import Scope, check_scope
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of
from equipoise.protocol import Study as StudyFolder
from equipoise.protocol.extracts import Days, days_of, extract_of, kept_ranges, reading_columns
from equipoise.protocol.models.extracts import Spells
from equipoise.protocol.models.participants import RosterColumn
from equipoise.roster import ImportReport, Mapping, RosterFile, examine_rosters, identifier_of
from equipoise.roster.headers import header_line
from equipoise.roster.importing import RosterImport
from equipoise.roster.spells import sum_spells

__all__ = ["ROW", "ExtractFile", "ExtractRead", "columns_of", "read_extract"]

ROW = "row"  # over the file; `report.place` says where it stands
Fault = tuple[int, str, str]


@dataclass(frozen=True)
class ExtractFile:
    """A file and how it is to be read.

    Attributes:
        path: a CSV, XLSX or Parquet file; its name is what problems are told by.
        mapping: declared column to the file's; proposed when None.
        encoding: of a text file, where the one detected is wrong.
        header: the line with the names of the columns; found when None.
    """

    path: Path
    mapping: Mapping | None = None
    encoding: str | None = None
    header: int | None = None


@dataclass(frozen=True)
class ExtractRead:
    """An extract as it was read.

    Attributes:
        scope: what the file is said to be.
        file_hash: SHA-256 of its bytes.
        report: the engine's account, with what this study asks beyond it.
        people: one row a person: their identifier (as `person`), `ROW`, and the values that outcomes need.
        outside: spells without a day in the window; None where rows are people.
    """

    scope: Scope
    file_hash: str
    report: ImportReport
    people: pl.DataFrame
    outside: int | None


def columns_of(loaded: StudyFolder, source: str) -> dict[str, RosterColumn]:
    """What a file of a source must have, numbers within the bounds of the outcomes that take them."""
    columns = reading_columns(loaded.protocol, source)
    for name, (low, high) in kept_ranges(loaded.protocol, source).items():
        if name in columns:
            columns[name] = columns[name].model_copy(update={"low": low, "high": high})
    return columns


def read_extract(study: Study, scope: Scope, file: ExtractFile) -> ExtractRead:
    """Read a file as the study declares it.

    Raises:
        InputError: there is no such file, source, window or partner, or the window is not over.
        RosterError: the file cannot be read at all, or its columns cannot be matched.
    """
    if not file.path.is_file():
        raise InputError(Problem(str(file.path), "", "there is no such file"))
    check_scope(study, scope)
    loaded = folder_of(study)
    columns, extract = columns_of(loaded, scope.source), extract_of(loaded.protocol, scope.source)
    header = file.header or header_line(file.path, columns, mapping=file.mapping, encoding=file.encoding)
    taken = RosterFile(file.path, file.mapping, encoding=file.encoding, header=header)
    result = examine_rosters([taken], columns, row_a_person=extract.spells is None)
    rows = _numbered(result).rename({identifier_of(loaded): "person"})
    window = days_of(loaded.protocol, scope.source, scope.window)
    if extract.spells is None:
        people, faults, outside = (
            rows.select("person", ROW, *extract.gives),
            list(_outside(rows, window)),
            None,
        )
    else:
        high = kept_ranges(loaded.protocol, scope.source)[extract.spells.gives][1]
        people, faults, outside = _summed(rows, extract.spells, window, high)
    faulty = pl.Series([row for row, _, _ in faults], dtype=pl.Int64)
    return ExtractRead(
        scope,
        hashlib.sha256(file.path.read_bytes()).hexdigest(),
        result.report.with_faults(faults),
        people.filter(~pl.col(ROW).is_in(faulty.implode())),
        outside,
    )


def _numbered(result: RosterImport) -> pl.DataFrame:
    """The accepted rows with their number over the file."""
    everything = pl.DataFrame({ROW: pl.int_range(result.report.read, eager=True)})
    refused = result.report.refusals.select(pl.col("row").alias(ROW).cast(pl.Int64))
    return result.participants.with_columns(everything.join(refused, on=ROW, how="anti")[ROW])


def _outside(rows: pl.DataFrame, window: Days) -> Iterator[Fault]:
    """Dates that are not in the window."""
    for name, kind in rows.schema.items():
        if kind == pl.Date():
            strange = rows.filter(~pl.col(name).is_between(window.first, window.last))
            for row, day in strange.select(ROW, name).iter_rows():
                yield row, name, f"{day} is outside the window, {window.first} to {window.last}"


def _summed(
    rows: pl.DataFrame, spells: Spells, window: Days, high: float | None
) -> tuple[pl.DataFrame, list[Fault], int]:
    """Everybody of whom there is a spell, with their first row and days; what is wrong; spells outside."""
    summed = sum_spells(
        rows,
        "person",
        spells.first,
        spells.last,
        window=(window.first, window.last),
        weekdays=spells.days == "weekdays",
    )
    met = rows.group_by("person", maintain_order=True).agg(pl.col(ROW).first())
    people = summed.days.join(met, on="person", how="left", maintain_order="left")
    people = people.select("person", ROW, pl.col("days").alias(spells.gives))
    faults = [*summed.faults, *_too_many(people, spells.first, high)]
    return people, faults, summed.outside


def _too_many(people: pl.DataFrame, column: str, high: float | None) -> Iterator[Fault]:
    """People whose spells come to more days than the outcome can be."""
    if high is None:
        return
    for _, row, days in people.filter(pl.col(people.columns[-1]) > high).iter_rows():
        yield row, column, f"the spells of this person come to {days} days; the outcome ends at {high:g}"
