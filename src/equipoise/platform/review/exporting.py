"""The data of a study as a folder, of one moment, whole or not at all.

    participants.parquet, answers_WAVE.parquet    the analysis frame, as `equipoise analyse --data` reads it
    exclusions.parquet                            who was excluded of what, decided without knowing the arms
    dictionary.json                               where the data come from, of which protocol, and how many;
                                                  how they are sealed, and who looked at results by arm
    datapackage.json, codebook.md, codebook.csv   what every column is
    scores/                                       scores by the published rules
    csv/, spreadsheet/, spss/, stata/             the same for other programs

Nobody's name, contact details or identifier is in it: participants go by their keys. Reading is done in a
snapshot, so an export never holds up an answer, and no answer changes it half-way.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from equipoise import __version__
from equipoise.errors import InputError, Problem
from equipoise.exchange import codebook, codebook_csv, codebook_markdown, data_package_text
from equipoise.platform.audit.actions import record
from equipoise.platform.clock import now
from equipoise.platform.database import snapshot, writing
from equipoise.platform.extracts.frames import extract_origins
from equipoise.platform.fieldwork.scores import scores_frame
from equipoise.platform.permissions import Acting, check_permission
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import current_version, folder_of
from equipoise.platform.review.formats import FORMATS, refuse_unknown, write_table, written_name
from equipoise.platform.review.frame import (
    Counts,
    answers_frames,
    counts,
    masked_participants,
    masked_table,
    participants_frame,
)
from equipoise.platform.review.looks import note_early
from equipoise.platform.review.queries import exclusions_frame, looks_said, seal_said

__all__ = ["FORMATS", "Exported", "export_study", "write_frame"]

PARTICIPANTS = "participants"
EXCLUSIONS = "exclusions"
SCORES = "scores"


@dataclass(frozen=True)
class Exported:
    """An export: the folder, the SHA-256 of each file by its path in it, whether masked, and the numbers."""

    folder: Path
    files: Mapping[str, str]
    masked: bool
    counts: Counts


def export_study(
    who: Acting,
    study: Study,
    folder: Path,
    *,
    formats: Sequence[str] = ("parquet", "csv"),
    masked: bool | None = None,
) -> Exported:
    """Write a study's data to a new folder, and enter it in the study's record with the hash of each file.

    Args:
        who: needs `data.export`.
        study: of this workspace.
        folder: it must not be there yet.
        formats: of `FORMATS`. The analysis frame is in the first of Parquet and CSV that is named, in Parquet
            where neither is; the other and everything else stand in folders of their own.
        masked: whether the arms go by letters; as the state of the results asks where it is left out.
    Raises:
        InputError: the results are masked and the arms were asked for, an unknown format, or a folder that is
            there already or cannot be written to. Then nothing has been written.
    """
    check_permission(who, "data.export", study)
    allocated = bool(folder_of(study).protocol.allocation)
    concealed = study.results != "unmasked" and allocated
    if masked is False and concealed:
        message = f"the results are {study.results}; the arms are exported once they are unmasked"
        raise InputError(Problem(study.name, "unmasked", message))
    refuse_unknown(formats)
    job = _Job(study, tuple(formats), now(), masked=concealed if masked is None else masked and allocated)
    with _whole(folder) as place:
        with snapshot():
            numbers = job.write(place)
        files = {path.relative_to(place).as_posix(): _stored(path) for path in sorted(_files(place))}
        said = {"masked": job.masked, "version": study.version, "rows": numbers.rows, "files": files}
        with writing():  # before the folder appears: data may be recorded that nobody got, never the reverse
            record(study.name, who.actor, "data.export", said)
            if not job.masked:
                note_early(who, study, "export")
    return Exported(folder, files, job.masked, numbers)


def write_frame(study: Study, place: Path) -> None:
    """The analysis frame alone, unmasked, into a folder that is there: for the program, not for a person."""
    with snapshot():
        _Job(study, ("parquet",), now(), masked=False).write(place)


class _Job:
    """One export: which tables go where, in which formats."""

    def __init__(self, study: Study, formats: tuple[str, ...], made: datetime, *, masked: bool) -> None:
        self.study, self.loaded, self.made, self.masked = study, folder_of(study), made, masked
        self.frame = next((name for name in ("parquet", "csv") if name in formats), "parquet")
        self.formats = (self.frame, *(name for name in formats if name != self.frame))
        self.columns: dict[str, list[str]] = {}
        self.origins: dict[str, str] = {}
        self.paths: dict[str, str] = {}

    def write(self, place: Path) -> Counts:
        """Everything, into a folder that is there; inside a snapshot."""
        everything = participants_frame(self.study, masked=False)
        if not everything.height:
            message = "nobody is enrolled, so there are no data to export"
            raise InputError(Problem(self.study.name, "participants", message))
        self.origins = extract_origins(self.study)
        people = masked_participants(self.study, everything) if self.masked else everything
        keys = people[people.columns[0]]
        self._table(place, PARTICIPANTS, people, everything.columns)
        for wave, answers in answers_frames(self.study, keys):
            self._shown(place, f"answers_{wave}", answers)
            self._shown(place, f"{SCORES}_{wave}", scores_frame(self.loaded, wave, answers))
        excluded = exclusions_frame(self.study, keys)
        if excluded.height:
            self._table(place, EXCLUSIONS, excluded, excluded.columns)
        numbers = counts(self.study, everything)
        self._descriptions(place, numbers)
        return numbers

    def _shown(self, place: Path, name: str, table: pl.DataFrame) -> None:
        """A table without what the mask withholds, if anything but the key is left of it."""
        shown = masked_table(self.study, name, table) if self.masked else table
        if shown.width > 1:
            self._table(place, name, shown, table.columns)

    def _table(self, place: Path, name: str, table: pl.DataFrame, columns: list[str]) -> None:
        """One table in every format; `columns` includes those that the mask withholds."""
        self.columns[name] = columns
        described = codebook(self.loaded, {name: columns}, masked=self.masked, origins=self.origins).table(
            name
        )
        for form in self.formats:
            path = place / self._folder(form, name) / written_name(form, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            write_table(form, table, described, path, self.made)
            if form == self.frame:
                self.paths[name] = path.relative_to(place).as_posix()

    def _folder(self, form: str, name: str) -> Path:
        """The frame stands on top; scores apart from it, because an analysis computes its own."""
        own = Path() if form == self.frame else Path(form)
        return own / SCORES if name.startswith(f"{SCORES}_") else own

    def _descriptions(self, place: Path, numbers: Counts) -> None:
        book = codebook(self.loaded, self.columns, masked=self.masked, origins=self.origins)
        dictionary = self._dictionary(numbers)
        texts = {
            "dictionary.json": dictionary,
            "datapackage.json": data_package_text(book, self.paths),
            "codebook.md": codebook_markdown(book),
        }
        if "csv" in self.formats and self.frame != "csv":
            texts["csv/dictionary.json"] = dictionary
        for name, text in texts.items():
            (place / name).write_text(text, encoding="utf-8")
        (place / "codebook.csv").write_bytes(codebook_csv(book))

    def _dictionary(self, numbers: Counts) -> str:
        said = {
            "study": self.study.name,
            "source": "collected",
            "masked": self.masked,
            "protocol_hash": current_version(self.study).protocol_hash,
            "exported_at": self.made.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "software": __version__,
            "counts": asdict(numbers),
            "tables": self.paths,
            "seal": seal_said(self.study),
            "looks": looks_said(self.study),
        }
        return json.dumps(said, indent=1, ensure_ascii=False) + "\n"


@contextmanager
def _whole(folder: Path) -> Iterator[Path]:
    """A folder beside the one that is wanted, which takes its place when all is well and else is gone."""
    if folder.exists():
        raise InputError(Problem(str(folder), "", "is there already; name a new folder for the export"))
    place = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        place = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
        yield place
        for inside in [place, *(path for path in place.rglob("*") if path.is_dir())]:
            _sync(inside)
        place.rename(folder)
        _sync(folder.parent)
    except OSError as error:
        message = f"cannot be written: {error.strerror}; choose another place"
        raise InputError(Problem(str(folder), "", message)) from None
    finally:
        if place is not None:
            shutil.rmtree(place, ignore_errors=True)


def _files(place: Path) -> Iterator[Path]:
    return (path for path in place.rglob("*") if path.is_file())


def _stored(path: Path) -> str:
    """The SHA-256 of a file that is on the disk for good."""
    _sync(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
