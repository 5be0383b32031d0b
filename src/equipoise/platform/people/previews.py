"""What an import would do, before anything is stored."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from equipoise.errors import Problem
from equipoise.platform.people.contacts import identifier_digest
from equipoise.platform.people.enrolling import Newcomer, enrolment_is_open
from equipoise.platform.people.models import Lookup, RosterImport
from equipoise.platform.people.reading import ROW, RosterRead, RosterSource, read_for
from equipoise.platform.registry.models import Study
from equipoise.roster import ImportReport, Mapping

__all__ = [
    "Preview",
    "earlier_import",
    "known_people",
    "look_at_import",
    "preview_import",
    "refused_rows",
    "sorted_out",
]

_TAKING_PART = ("screening", "enrolled")
_FIRST = 5


@dataclass(frozen=True)
class Preview:
    """An import that has not been confirmed.

    `counts` are exclusive and add up to the rows that were read:

    - refused: with a problem, told by line in `read.report`
    - known: take part already; an import leaves them as they are, an update changes them
    - kept_out: withdrew, were erased, or were found ineligible before; their choice stands
    - ineligible, unknown: by the protocol's condition, or because it asks what the roster does not say
    - late: eligible, but enrolment has ended
    - new: who would be enrolled

    Attributes:
        read: the file as it was read.
        counts: as above.
        newcomers: who would be enrolled, with their partner.
        unknown_places: lines of those whose eligibility is unknown.
        earlier: the import of this very file, if there was one.
    """

    read: RosterRead
    counts: dict[str, int]
    newcomers: list[Newcomer]
    unknown_places: list[str]
    earlier: RosterImport | None

    @property
    def first(self) -> list[dict[str, Any]]:
        """The first newcomers as they would be stored, contact details included."""
        return [{name: row[name] for name in row if name != ROW} for row, _ in self.newcomers[:_FIRST]]

    def refusals(self) -> list[Problem]:
        """Why it cannot be confirmed as it stands; empty where it can."""
        name = self.read.source.path.name
        if self.earlier is not None:
            day = self.earlier.at.date().isoformat()
            message = (
                f"this very file was imported on {day}; import a changed one, or update the roster with it"
            )
            return [Problem(name, "", message)]
        if self.counts["refused"] and not self.read.source.good_rows_only:
            return [refused_rows(name, self.read.report), *self.read.report.problems()]
        if not self.newcomers:
            told = ", ".join(f"{count:,} {_WORDS[what]}" for what, count in self.counts.items() if count)
            return [Problem(name, "", f"nobody new could be enrolled: {told}")]
        return []


_WORDS = {
    "refused": "refused",
    "known": "taking part already",
    "kept_out": "left the study earlier",
    "ineligible": "not eligible",
    "unknown": "of unknown eligibility",
    "late": "too late, because enrolment has ended",
    "new": "new",
}


def preview_import(
    study: Study,
    path: Path,
    mapping: Mapping | None = None,
    constants: dict[str, str] | None = None,
    partner: str | None = None,
    good_rows_only: bool = False,
) -> Preview:
    """Look at an import without storing anything.

    Args:
        study: of this workspace.
        path: a CSV, XLSX or Parquet file.
        mapping: declared column to the file's; the study's own for a file of this name, or proposed, if None.
        constants: declared columns that are the same for everybody in the file.
        partner: whose people they are, where the rows do not say.
        good_rows_only: leave refused rows out in place of refusing the file.
    Raises:
        InputError: the file cannot be read or matched, or whose people these are is not known.
    """
    return look_at_import(study, RosterSource(path, mapping, constants or {}, partner, good_rows_only))


def look_at_import(study: Study, source: RosterSource) -> Preview:
    """`preview_import` of a source."""
    return sorted_out(study, read_for(study, source))


def sorted_out(study: Study, read: RosterRead) -> Preview:
    """Whom of a roster an import would enrol, and why the others not, as things stand in the database."""
    states = known_people(study, read)
    unknown = set(read.parts.unknown[ROW])
    ineligible = set(read.parts.ineligible[ROW])
    late = not enrolment_is_open(study)
    counts = dict.fromkeys(_WORDS, 0) | {"refused": read.report.refused}
    newcomers: list[Newcomer] = []
    for row, partner in zip(read.rows(), read.partners, strict=True):
        standing = _standing(states.get(row[read.identifier]), row[ROW], unknown, ineligible, late)
        counts[standing] += 1
        if standing == "new":
            newcomers.append((row, partner))
    places = [read.place(row) for row in read.parts.unknown[ROW]]
    return Preview(read, counts, newcomers, places, earlier_import(study, read.file_hash))


def refused_rows(name: str, report: ImportReport) -> Problem:
    """How many rows of a file are refused, and what to do."""
    rows = "1 row is" if report.refused == 1 else f"{report.refused:,} rows are"
    return Problem(name, "", f"{rows} refused; put the file right, or take the good rows only")


def known_people(study: Study, read: RosterRead) -> dict[str, tuple[int, str]]:
    """The number and state of those whose identifiers are known here, by identifier; one query."""
    rows = Lookup.objects.filter(study=study, identifies=True)
    known = {
        digest: (number, state)
        for digest, number, state in rows.values_list("digest", "participant_id", "participant__state")
    }
    digests = {text: identifier_digest(study, read.identifier, text) for text in read.people[read.identifier]}
    return {text: known[digest] for text, digest in digests.items() if digest in known}


def earlier_import(study: Study, file_hash: str) -> RosterImport | None:
    """The import of the file with this hash that stands."""
    stands = RosterImport.objects.filter(study=study, kind="import", undone_at=None)
    return stands.filter(file_hash=file_hash).first()


def _standing(
    known: tuple[int, str] | None, row: int, unknown: set[int], ineligible: set[int], late: bool
) -> str:
    if known is not None:
        return "known" if known[1] in _TAKING_PART else "kept_out"
    if row in unknown:
        return "unknown"
    if row in ineligible:
        return "ineligible"
    return "late" if late else "new"
