"""What an import read, what it refused and why, and what is left for a person to decide."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import polars as pl

from equipoise.errors import Problem
from equipoise.roster.duplicates import Duplicate
from equipoise.roster.matching import Mapping
from equipoise.roster.reading import FileRead

__all__ = ["ImportReport", "Note"]

_LISTED = 1_000


@dataclass(frozen=True)
class Note:
    """Something that was changed or noticed in reading, in how many rows of a column."""

    file: str
    column: str
    message: str
    rows: int


@dataclass(frozen=True)
class ImportReport:
    """The account of an import; `refused + accepted = read`, blank rows apart.

    `refusals` has one row for each cell or row refused: `row` (from 0, over all files), `place` (file and
    line), `column` (empty where the whole row is at fault) and `reason`. `duplicates` are for a person to
    decide on; their rows count over all files in the order read and `places` tells where each stands.
    """

    files: tuple[FileRead, ...]
    mappings: tuple[Mapping, ...]
    proposed: tuple[bool, ...]
    read: int
    accepted: int
    refused: int
    refusals: pl.DataFrame
    notes: tuple[Note, ...]
    duplicates: tuple[Duplicate, ...]
    places: pl.DataFrame

    def problems(self, most: int = _LISTED) -> list[Problem]:
        """The refusals in the order of the files, no more than `most` and then how many are left."""
        listed = self.refusals.head(most)
        problems = [
            Problem(place, column, reason)
            for place, column, reason in listed.select("place", "column", "reason").iter_rows()
        ]
        if self.refusals.height > most:
            problems.append(Problem("", "", f"and {self.refusals.height - most:,} more."))
        return problems

    def with_faults(self, faults: Sequence[tuple[int, str, str]]) -> "ImportReport":
        """The account with rows refused for what only the caller knows.

        Args:
            faults: rows that were accepted (from 0, over all files), with the column and what is wrong.
        """
        if not faults:
            return self
        told = [(row, self.place(row), column, reason) for row, column, reason in faults]
        added = pl.DataFrame(told, schema=self.refusals.schema, orient="row")
        refusals = pl.concat([self.refusals, added]).sort("row", maintain_order=True)
        refused = refusals["row"].n_unique()
        return replace(self, accepted=self.read - refused, refused=refused, refusals=refusals)

    def place(self, row: int) -> str:
        """Where a row stands: file and line."""
        file, line = self.places["file"][row], self.places["line"][row]
        return self.files[int(file)].place(int(line))

    def in_words(self) -> str:
        """The whole account as lines of text."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        for file, mapping, proposed in zip(self.files, self.mappings, self.proposed, strict=True):
            how = file.encoding or (f"sheet {file.sheet}" if file.sheet else file.kind)
            blank = f", {_rows(file.blank_rows, 'blank ')} left out" if file.blank_rows else ""
            yield f"{file.file}: {_rows(file.rows)} ({how}){blank}"
            yield from (f"  guess: {guess}" for guess in file.guesses)
            if proposed:
                yield "  columns matched without a stored mapping:"
            yield from (f"  {declared} <- {found}" for declared, found in mapping.columns.items())
            yield from (f"  {declared} = {value}" for declared, value in mapping.constants.items())
        yield f"{self.read:,} read, {self.accepted:,} accepted, {self.refused:,} refused"
        yield from (str(problem) for problem in self.problems())
        for note in self.notes:
            yield f"{note.file}: {note.column}: {note.message} ({_rows(note.rows)})"
        if self.duplicates:
            yield f"Possible duplicates to decide on, nobody merged: {len(self.duplicates):,}"
        for duplicate in self.duplicates[:_LISTED]:
            yield f"  {duplicate.reason}: {', '.join(self.place(row) for row in duplicate.rows[:20])}"
        if len(self.duplicates) > _LISTED:
            yield f"  and {len(self.duplicates) - _LISTED:,} more"


def _rows(count: int, kind: str = "") -> str:
    return f"{count:,} {kind}{'row' if count == 1 else 'rows'}"
