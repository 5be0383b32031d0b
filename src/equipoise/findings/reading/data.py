"""The data of a study as the analysis meets them: read, typed, and refused with their place when wrong.

A data set is one file (a row a participant) or a folder: `participants` (a row a participant), `answers_WAVE`
(the answers of a wave, columns `instrument.item` or the question's id), one file named for each task (a row a
rating) and one for each source. `exclusions` lists who was excluded of what, decided without knowing the
arms. `dictionary.json` beside them says where the data come from; a codebook may lie there too.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from string import ascii_uppercase

import numpy as np
import numpy.typing as npt
import polars as pl

from equipoise.errors import Problem, RosterError, nearest
from equipoise.findings.reading.belonging import (
    arm_problems,
    event_problems,
    exclusion_problems,
    strangers,
)
from equipoise.findings.reading.dictionary import DataSource, Dictionary, Sealed, read_dictionary
from equipoise.findings.reading.typing import Declared, typed_column
from equipoise.findings.results import SeenByArm
from equipoise.instruments.scoring import Floats
from equipoise.protocol.columns import answer_columns
from equipoise.protocol.doses import dose_columns, sent_columns
from equipoise.protocol.factors import contrast_factors, waves_asking
from equipoise.protocol.models.protocol import Protocol
from equipoise.protocol.recorded import FIELDWORK_EVENTS, recorded_columns, time_of_event
from equipoise.protocol.study import Study
from equipoise.roster.reading import read_table

__all__ = ["DataSource", "StudyData", "read_data"]

PARTICIPANTS = "participants"
EXCLUSIONS = "exclusions"
ANSWERS = "answers_"
CODEBOOK = "codebook"  # describes the tables, and is none


@dataclass(frozen=True)
class StudyData:
    """Typed tables of one study, all keyed by the participant's identifier.

    `participants` has one row a participant, in the order of the identifier; `ratings` one row a rating, by
    task; `answers` one row a participant who answered, by wave; `sources` the data from elsewhere;
    `exclusions` one row for whom and of what. `files` names the file of each table, for messages. Where
    `masked`, the arms go by letters; `arms_drawn` says whether the study has arms at all. `lacking` has the
    columns that cannot be worked out from what was read, each with the reason.
    """

    identifier: str
    participants: pl.DataFrame
    ratings: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    answers: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    sources: Mapping[str, pl.DataFrame] = field(default_factory=dict)
    exclusions: pl.DataFrame | None = None
    source: DataSource = "outside"
    masked: bool = False
    seal: Sealed | None = None
    looks: tuple[SeenByArm, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    arms_drawn: bool = True
    lacking: Mapping[str, str] = field(default_factory=dict)

    def numbers(self, column: str) -> Floats:
        """A column of the participants as numbers, shape (n,), NaN where missing."""
        return self.participants[column].cast(pl.Float64).to_numpy().astype(np.float64)

    def happened(self, column: str) -> npt.NDArray[np.bool_]:
        """To whom something happened, shape (n,): a yes, or a time at which it did."""
        found = self.participants[column]
        met = found if found.dtype == pl.Boolean else found.is_not_null()
        return met.fill_null(False).to_numpy().astype(bool)

    def has(self, column: str) -> bool:
        """Whether the participants' table has this column."""
        return column in self.participants.columns

    def with_columns(self, columns: Iterable[pl.Series]) -> "StudyData":
        """The same data with columns added to the participants."""
        return replace(self, participants=self.participants.with_columns(list(columns)))

    def without(self, reasons: Mapping[str, str]) -> "StudyData":
        """The same data without these columns of the participants, each with the reason why it is lacking."""
        kept = self.participants.drop(reasons, strict=False)
        return replace(self, participants=kept, lacking={**self.lacking, **reasons})

    def why_lacking(self, column: str) -> str:
        """Why the participants' table does not have a column, in words for a reader."""
        return self.lacking.get(column, f'the data have no column "{column}"')


def read_data(study: Study, path: Path) -> StudyData:
    """Read a study's data from a file or a folder.

    Args:
        study: whose data they are.
        path: CSV, XLSX or Parquet, or a folder of them.
    Raises:
        RosterError: with every problem of every file: a column that is missing, a cell that is not what the
            protocol declares, an identifier twice, an arm that is unknown or has nobody.
    """
    protocol = study.protocol
    identifier = _identifier(protocol)
    files = _files(path, protocol)
    said = read_dictionary(path)
    problems: list[Problem] = []
    tables: dict[str, pl.DataFrame] = {}
    for name, file in files.items():
        try:
            tables[name] = _table(study, name, file, identifier, said)
        except RosterError as error:
            problems += error.problems
    if problems:
        raise RosterError(problems)
    participants = tables.pop(PARTICIPANTS, None)
    if participants is None:
        raise RosterError(
            Problem(str(path.name), "", f"there is no table of {PARTICIPANTS}; found {', '.join(files)}")
        )
    participants = participants.rename(_short_names(protocol, participants.columns))
    problems += strangers(participants[identifier], tables, identifier, files)
    problems += arm_problems(protocol, participants, files[PARTICIPANTS].name, masked=said.masked)
    problems += event_problems(protocol, participants, files[PARTICIPANTS].name)
    if EXCLUSIONS in tables:
        problems += exclusion_problems(protocol, tables[EXCLUSIONS], files[EXCLUSIONS].name)
    if problems:
        raise RosterError(problems)
    return StudyData(
        identifier=identifier,
        participants=participants.sort(identifier),
        ratings={name: tables[name] for name in protocol.tasks if name in tables},
        answers={
            wave: tables[ANSWERS + wave].sort(identifier)
            for wave in protocol.waves
            if ANSWERS + wave in tables
        },
        sources={name: tables[name] for name in protocol.sources if name in tables},
        exclusions=tables.get(EXCLUSIONS),
        source=said.source,
        masked=said.masked and bool(protocol.allocation),
        seal=said.seal,
        looks=said.looks,
        arms_drawn=bool(protocol.allocation),
        files={name: file.name for name, file in files.items()},
    )


def _short_names(protocol: Protocol, columns: list[str]) -> dict[str, str]:
    """`wellbeing_after` is another way to write `wellbeing` where an outcome has one wave."""
    written = {
        f"{name}_{outcome.waves[0]}": protocol.frame_column(name, outcome.waves[0])
        for name, outcome in protocol.outcomes.items()
        if len(outcome.waves) == 1
    }
    return {long: short for long, short in written.items() if long in columns and short not in columns}


def _identifier(protocol: Protocol) -> str:
    roster = protocol.participants.roster if protocol.participants else {}
    for name, column in roster.items():
        if column.role == "identifier":
            return name
    raise RosterError("this study has no participants with an identifier, so there are no data to read")


def _files(path: Path, protocol: Protocol) -> dict[str, Path]:
    if not path.exists():
        raise RosterError(Problem(path.name, "", "there is no such file or folder"))
    if path.is_file():
        return {PARTICIPANTS: path}
    known = {
        PARTICIPANTS,
        *protocol.tasks,
        *protocol.sources,
        *(ANSWERS + wave for wave in protocol.waves),
        EXCLUSIONS,
    }
    found: dict[str, Path] = {}
    for file in sorted(path.iterdir()):
        if file.suffix.lower() not in (".csv", ".xlsx", ".parquet") or file.name.startswith("."):
            continue
        if file.stem == CODEBOOK and CODEBOOK not in known:
            continue
        if file.stem not in known:
            message = (
                f'"{file.stem}" is not a table of this study. Tables: {nearest(file.stem, sorted(known))}'
            )
            raise RosterError(Problem(file.name, "", message))
        if file.stem in found:
            raise RosterError(
                Problem(file.name, "", f"{found[file.stem].name} holds the same table; keep one")
            )
        found[file.stem] = file
    if not found:
        raise RosterError(Problem(path.name, "", "the folder holds no CSV, XLSX or Parquet file"))
    return found


def _table(study: Study, name: str, file: Path, identifier: str, said: Dictionary) -> pl.DataFrame:
    raw = read_table(file)
    if raw.faults or raw.broken:
        refused = [
            Problem(raw.source.place(int(raw.lines[row])), "", fault) for row, fault in raw.faults.items()
        ]
        refused += [
            Problem(raw.source.place(int(raw.lines[row])), column, fault)
            for (row, column), fault in raw.broken.items()
        ]
        raise RosterError(refused)
    if identifier not in raw.cells.columns:
        listed = nearest(identifier, raw.cells.columns)
        raise RosterError(
            Problem(
                raw.source.place(raw.source.header_line),
                identifier,
                f"this column is missing. Columns: {listed}",
            )
        )
    declared = _declared(study, name, identifier, masked=said.masked)
    problems: list[Problem] = []
    columns: list[pl.Series] = []
    for column in raw.cells.columns:
        if column in _contacts(study.protocol):
            continue  # contact details never enter an analysis
        cells, faults = typed_column(raw.cells[column], declared.get(column))
        problems += [Problem(raw.source.place(int(raw.lines[row])), column, fault) for row, fault in faults]
        columns.append(cells)
    if name == PARTICIPANTS or name.startswith(ANSWERS):
        problems += _twice(raw.cells[identifier], raw.lines, raw.source.place, identifier)
    if problems:
        raise RosterError(problems)
    return pl.DataFrame(columns)


def _declared(study: Study, table: str, identifier: str, *, masked: bool) -> dict[str, Declared]:
    """What the protocol says of each column: a type, levels and range."""
    protocol = study.protocol
    declared: dict[str, Declared] = {identifier: Declared("identifier")}
    for name, column in (protocol.participants.roster if protocol.participants else {}).items():
        if column.role == "attribute":
            declared[name] = Declared(
                column.type, column.levels, _range(column.low, column.high), column.format
            )
    if table in protocol.tasks:
        declared |= {
            name: Declared("category", levels)
            for name, levels in contrast_factors(protocol, study.vignettes).items()
        }
        declared |= {
            str(outcome.question): _outcome_column(outcome.scale, outcome.range)
            for outcome in protocol.outcomes.values()
            if outcome.task == table
        }
        return declared | {"position": Declared("integer"), "task": Declared("text")}
    if table.startswith(ANSWERS):
        wave = table.removeprefix(ANSWERS)
        return declared | dict(_recorded(study, wave)) | dict(_answer_columns(study, wave))
    if table in protocol.sources:
        return declared | {name: Declared("guess") for name in protocol.sources[table].columns}
    if table == EXCLUSIONS:
        return declared | {
            "of": Declared("text"),
            "reason": Declared("text"),
            "decided_at": Declared("moment"),
        }
    for name in protocol.allocation:
        drawn = protocol.drawn(name)
        letters = tuple(ascii_uppercase[: len(drawn)])
        declared[protocol.arm_column(name)] = Declared("arm", (letters if masked else drawn) or None)
    for name, outcome in protocol.outcomes.items():
        kind = _outcome_column(outcome.scale, outcome.range)
        waves = {*waves_asking(protocol, study.surveys, outcome), *outcome.waves}
        columns = {protocol.frame_column(name, wave) for wave in waves} | {f"{name}_{wave}" for wave in waves}
        declared |= dict.fromkeys(columns | {outcome.column or name}, kind)
    declared |= {f"answered_{wave}": Declared("moment") for wave in protocol.waves}
    declared |= {column: Declared("moment") for column in sent_columns(protocol)}
    declared |= {dose.name: Declared(dose.type) for dose in dose_columns(protocol)}
    events = (*protocol.events, *protocol.harms, *FIELDWORK_EVENTS)
    known = {**dict.fromkeys(events, Declared("yes-no")), "enrolled_at": Declared("moment")}
    when = Declared("moment", day_ends=protocol.study.timezone)
    known |= {time_of_event(event): when for event in protocol.events}
    declared |= {name: kind for name, kind in known.items() if name not in declared}
    return declared


def _answer_columns(study: Study, wave: str) -> Iterator[tuple[str, Declared]]:
    """The answers, and the reasons for those that are missing."""
    for column in answer_columns(study, study.protocol.waves[wave].survey):
        kind = "category" if column.type == "reason" else column.type
        yield column.name, Declared(kind, column.levels, _range(column.low, column.high))


def _recorded(study: Study, wave: str) -> Iterator[tuple[str, Declared]]:
    """What stands beside the answers and is none: the way in which they came, orders, times."""
    for column in recorded_columns(study, study.protocol.waves[wave].survey):
        span = _range(column.low, None)
        yield column.name, Declared(column.type, tuple(column.values) or None, span)


def _outcome_column(scale: str, span: tuple[float, float] | None) -> Declared:
    return Declared("yes-no-number" if scale == "yes-no" else "number", None, span)


def _range(low: float | None, high: float | None) -> tuple[float, float] | None:
    if low is None and high is None:
        return None
    return (-np.inf if low is None else low, np.inf if high is None else high)


def _contacts(protocol: Protocol) -> set[str]:
    roster = protocol.participants.roster if protocol.participants else {}
    return {name for name, column in roster.items() if column.role == "contact"}


def _twice(
    identifiers: pl.Series, lines: pl.Series, place: Callable[[int], str], column: str
) -> list[Problem]:
    frame = pl.DataFrame({"id": identifiers.str.strip_chars(), "line": lines})
    repeated = (
        frame.group_by("id").agg(pl.col("line").sort()).filter(pl.col("line").list.len() > 1).sort("id")
    )
    return [
        Problem(
            place(int(found[1])),
            column,
            f"this identifier stands on line {found[0]} already; one row a participant",
        )
        for found in repeated["line"].to_list()
    ]
