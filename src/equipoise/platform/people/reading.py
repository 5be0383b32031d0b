"""A roster file read for a study of the workspace by the method half's own engine; nothing is stored."""

import hashlib
from collections.abc import Mapping as Lookup
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from equipoise.errors import InputError, Problem, RosterError
from equipoise.platform.people.partners import partner_column, partners_of_rows
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.places import partner_named
from equipoise.platform.registry.queries import folder_of
from equipoise.roster import (
    Eligibility,
    ImportReport,
    Mapping,
    RosterFile,
    as_imported,
    declared_columns,
    eligible_people,
    examine_rosters,
    identifier_of,
    mapping_path,
    propose_mapping,
    read_mapping,
    read_table,
)

__all__ = ["RosterRead", "RosterSource", "chosen_partner", "read_for"]

ROW = "__row"  # no declared name begins with a line


@dataclass(frozen=True)
class RosterSource:
    """A file and how it is to be read.

    Attributes:
        path: a CSV, XLSX or Parquet file; its name is what problems are told by.
        mapping: declared column to the file's; the one stored with the study, or proposed, when None.
        constants: declared columns that are the same for everybody in the file.
        partner: whose people they are, where the rows do not say.
        good_rows_only: leave refused rows out in place of refusing the file.
        encoding: of a text file, where the one detected is wrong.
    """

    path: Path
    mapping: Mapping | None = None
    constants: Lookup[str, str] = field(default_factory=dict)
    partner: str | None = None
    good_rows_only: bool = False
    encoding: str | None = None


@dataclass(frozen=True)
class RosterRead:
    """A roster as it would be stored.

    Attributes:
        source: the file.
        file_hash: SHA-256 of its bytes.
        identifier: the column that tells people apart.
        report: the engine's account, problems with partners added.
        people: typed and accepted; `ROW` is the row over the file, `report.place` says where it stands.
        partners: the partner's name for each of `people`.
        parts: `people` by eligibility, each with `ROW`.
    """

    source: RosterSource
    file_hash: str
    identifier: str
    report: ImportReport
    people: pl.DataFrame
    partners: list[str | None]
    parts: Eligibility

    @property
    def given(self) -> frozenset[str]:
        """The declared columns that the file, or what was said of it, has a value for."""
        used = self.report.mappings[0]
        return frozenset((*used.columns, *used.constants))

    def place(self, row: int) -> str:
        """Where a row stands: file and line."""
        return self.report.place(row)

    def rows(self) -> list[dict[str, Any]]:
        """Everybody accepted, a dictionary each, with `ROW`."""
        return self.people.to_dicts()

    def refuse(self) -> None:
        """Raise what is refused, unless only the good rows were asked for.

        Raises:
            RosterError: every problem with its line; or nobody is left.
        """
        if self.report.refused and not self.source.good_rows_only:
            raise RosterError(self.report.problems())
        if not self.people.height:
            nobody = f"nobody is left: every one of {self.report.read:,} rows is refused"
            raise RosterError([Problem(self.source.path.name, "", nobody), *self.report.problems()])


def read_for(study: Study, source: RosterSource) -> RosterRead:
    """Read a roster as the study declares it.

    Raises:
        DesignError: the study declares no roster.
        InputError: the partner is unknown, or nothing says whose people these are.
        RosterError: the file cannot be read at all, or its columns cannot be matched.
    """
    if not source.path.is_file():
        raise InputError(Problem(str(source.path), "", "there is no such file"))
    if source.partner is not None:
        partner_named(study, source.partner)
    loaded = folder_of(study)
    columns = as_imported(source.path, declared_columns(loaded))
    result = examine_rosters([_file(study, source)], columns)
    refused = set(result.report.refusals["row"].unique())
    numbers = [row for row in range(result.report.read) if row not in refused]
    people = result.participants.with_columns(pl.Series(ROW, numbers, dtype=pl.Int64))
    found = partners_of_rows(study, people, source.partner)
    faulty = {at for at, _ in found.faults}
    good = [at for at in range(people.height) if at not in faulty]
    told = [(numbers[at], found.column or "partner", reason) for at, reason in found.faults]
    people = people[good]
    return RosterRead(
        source=source,
        file_hash=hashlib.sha256(source.path.read_bytes()).hexdigest(),
        identifier=identifier_of(loaded),
        report=result.report.with_faults(told),
        people=people,
        partners=[found.names[at] for at in good],
        parts=eligible_people(loaded, people),
    )


def chosen_partner(study: Study, source: RosterSource) -> int | None:
    """The number of the partner whose file it is said to be: each row of it is then of this partner."""
    if source.partner is None:
        return None
    return study.partners.filter(name=source.partner).values_list("pk", flat=True).first()


def _file(study: Study, source: RosterSource) -> RosterFile:
    loaded = folder_of(study)
    mapping, constants = source.mapping, dict(source.constants)
    if mapping is None:
        stored = mapping_path(loaded.folder, source.path)
        mapping = read_mapping(stored, declared_columns(loaded)) if stored.is_file() else None
    column = partner_column(study)
    if (
        column is not None
        and source.partner is not None
        and not _says_partner(study, source, column, mapping)
    ):
        constants.setdefault(column, source.partner)
    return RosterFile(source.path, mapping, constants, encoding=source.encoding)


def _says_partner(study: Study, source: RosterSource, column: str, mapping: Mapping | None) -> bool:
    """Whether the file itself tells the partner: then the one chosen is compared, not put in its place."""
    if mapping is not None:
        return column in mapping.columns or column in mapping.constants
    sought = {column: declared_columns(folder_of(study))[column]}
    return (
        column in propose_mapping(read_table(source.path, encoding=source.encoding), sought).mapping.columns
    )
