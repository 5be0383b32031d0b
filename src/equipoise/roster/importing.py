"""The one road from files to a typed roster: read, match, type, look for duplicates, take all or nothing."""

from collections.abc import Mapping as Lookup
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl

from equipoise.errors import Problem, RosterError, nearest
from equipoise.protocol.models.participants import RosterColumn
from equipoise.roster.duplicates import Duplicate, repeated_identifiers, same_contact, similar_people
from equipoise.roster.matching import Mapping, propose_mapping
from equipoise.roster.reading import RawTable, read_table
from equipoise.roster.reporting import ImportReport, Note
from equipoise.roster.values import convert, polars_type

__all__ = ["RosterFile", "RosterImport", "examine_rosters", "read_roster", "read_rosters"]

_REFUSALS = {"row": pl.Int64, "column": pl.String, "reason": pl.String}


@dataclass(frozen=True)
class RosterFile:
    """A file to import, its confirmed mapping if there is one, and what to use in place of detection.

    `constants` are declared columns that are the same for everybody in the file, beside the mapping's own;
    `header` is the line with the names of the columns.
    """

    path: Path
    mapping: Mapping | None = None
    constants: dict[str, str] = field(default_factory=dict)
    encoding: str | None = None
    separator: str | None = None
    sheet: str | None = None
    header: int | None = None

    def with_constant(self, column: str, value: str) -> "RosterFile":
        """The same file, with one declared column the same for everybody in it."""
        return replace(self, constants={**self.constants, column: value})


@dataclass(frozen=True)
class RosterImport:
    """A typed roster.

    `participants` has the declared columns in their order and the accepted rows in the order read. `refused`
    has the rows left out as they stood in their file, with `file`, `line` and `problems` in front, for the
    caller to write to a file of their own.
    """

    participants: pl.DataFrame
    refused: pl.DataFrame
    report: ImportReport


def read_roster(
    path: Path,
    columns: Lookup[str, RosterColumn],
    mapping: Mapping | None = None,
    *,
    constants: Lookup[str, str] | None = None,
    good_rows_only: bool = False,
    region: str = "GB",
) -> RosterImport:
    """Reads one roster as declared; see `read_rosters`."""
    file = RosterFile(path, mapping, dict(constants or {}))
    return read_rosters([file], columns, good_rows_only=good_rows_only, region=region)


def read_rosters(
    files: Sequence[RosterFile],
    columns: Lookup[str, RosterColumn],
    *,
    good_rows_only: bool = False,
    region: str = "GB",
) -> RosterImport:
    """Reads rosters, whatever each calls its columns, into one typed roster.

    Args:
        files: what to read, in the order that the rows shall have.
        columns: `participants.roster` of the protocol.
        good_rows_only: take what is good and set the rest apart, in place of refusing the import.
        region: where phone numbers without a country code belong.
    Returns:
        The roster and the account of its import.
    Raises:
        RosterError: a file cannot be read or matched; or a row is refused and `good_rows_only` was not asked
            for; or nobody is left. Nothing is imported then.
    """
    result = examine_rosters(files, columns, region=region)
    if result.report.refused and not good_rows_only:
        raise RosterError(result.report.problems())
    if not result.participants.height:
        everybody = Problem("", "", f"nobody is left: every one of {result.report.read:,} rows is refused.")
        raise RosterError([everybody, *result.report.problems()])
    return result


def examine_rosters(
    files: Sequence[RosterFile],
    columns: Lookup[str, RosterColumn],
    *,
    region: str = "GB",
    row_a_person: bool = True,
) -> RosterImport:
    """As `read_rosters`, but rows that are refused are only told, as for a page that shows an import first.

    Args:
        files, columns, region: as for `read_rosters`.
        row_a_person: whether an identifier may stand on one row only.
    Raises:
        RosterError: a file cannot be read at all, or its columns cannot be matched.
    """
    if not files:
        raise RosterError("no roster was given.")
    declared = dict(columns)
    typed = [_typed(file, declared, region) for file in files]
    everybody = pl.concat([one.frame for one in typed])
    places = pl.concat(
        pl.DataFrame({"line": one.table.lines}).select(pl.lit(at, pl.Int64).alias("file"), "line")
        for at, one in enumerate(typed)
    )
    once = [name for name, column in declared.items() if row_a_person and column.role == "identifier"]
    refusals = _located(_all_refusals(typed, everybody, places, declared, once), places, typed)
    refused_rows = refusals["row"].unique().sort()
    good = ~pl.Series("good", pl.arange(0, everybody.height, eager=True)).is_in(refused_rows.implode())
    duplicates = _for_decision(everybody, good, declared)
    report = ImportReport(
        files=tuple(one.table.source for one in typed),
        mappings=tuple(one.mapping for one in typed),
        proposed=tuple(one.proposed for one in typed),
        read=everybody.height,
        accepted=everybody.height - refused_rows.len(),
        refused=refused_rows.len(),
        refusals=refusals,
        notes=tuple(note for one in typed for note in one.notes),
        duplicates=duplicates,
        places=places,
    )
    return RosterImport(everybody.filter(good), _set_apart(typed, refusals), report)


@dataclass(frozen=True)
class _Typed:
    table: RawTable
    mapping: Mapping
    proposed: bool
    frame: pl.DataFrame
    refusals: pl.DataFrame
    notes: tuple[Note, ...]


def _typed(file: RosterFile, columns: dict[str, RosterColumn], region: str) -> _Typed:
    table = read_table(
        file.path, encoding=file.encoding, separator=file.separator, sheet=file.sheet, header=file.header
    )
    mapping = _mapping(file, table, columns, region)
    values: list[pl.Series] = []
    refusals = [_row_faults(table)]
    notes: list[Note] = []
    for name, column in columns.items():
        raw = _raw(table, mapping, name)
        if raw is None:
            values.append(pl.Series(name, [None] * table.cells.height, dtype=polars_type(column)))
            continue
        read = convert(raw, column, region=region, true_dates=table.source.kind != "csv")
        values.append(read.values)
        refusals.append(read.refusals.select("row", pl.lit(name).alias("column"), "reason"))
        notes += [Note(file.path.name, name, message, rows) for message, rows in read.notes.items()]
    return _Typed(
        table, mapping, file.mapping is None, pl.DataFrame(values), pl.concat(refusals), tuple(notes)
    )


def _mapping(file: RosterFile, table: RawTable, columns: dict[str, RosterColumn], region: str) -> Mapping:
    _check_declared(file, columns)
    if file.mapping is None:
        sought = {name: column for name, column in columns.items() if name not in file.constants}
        mapping = propose_mapping(table, sought, region).certain(sought)
    else:
        mapping = file.mapping
        _check_found(file.path, mapping, table, columns, file.constants)
    for name, value in file.constants.items():
        mapping = mapping.with_constant(name, value)
    for name, value in mapping.constants.items():
        wrong = convert(pl.Series(name, [value]), columns[name], region=region).refusals
        if wrong.height:
            raise RosterError(Problem(file.path.name, name, f"as a constant: {wrong['reason'][0]}"))
    return mapping


def _check_declared(file: RosterFile, columns: dict[str, RosterColumn]) -> None:
    mapping = file.mapping or Mapping({})
    unknown = [
        name for name in (*mapping.columns, *mapping.constants, *file.constants) if name not in columns
    ]
    if unknown:
        raise RosterError(
            Problem(file.path.name, name, f"is no declared column. Declared: {nearest(name, list(columns))}")
            for name in unknown
        )


def _check_found(
    path: Path, mapping: Mapping, table: RawTable, columns: dict[str, RosterColumn], constants: dict[str, str]
) -> None:
    there = table.source.columns
    problems = [
        Problem(path.name, name, f"mapped to “{found}”, not in the file. Columns: {nearest(found, there)}")
        for name, found in mapping.columns.items()
        if name not in constants and found not in there
    ]  # fmt: skip
    given = {*mapping.columns, *mapping.constants, *constants}
    problems += [
        Problem(path.name, name, f"is required, but not in the mapping. Columns: {', '.join(there)}.")
        for name, column in columns.items()
        if name not in given and (column.required or column.role == "identifier")
    ]  # fmt: skip
    if problems:
        raise RosterError(problems)


def _raw(table: RawTable, mapping: Mapping, name: str) -> pl.Series | None:
    if name in mapping.constants:
        return pl.Series(
            name, pl.repeat(mapping.constants[name], table.cells.height, dtype=pl.String, eager=True)
        )
    if name in mapping.columns:
        return table.cells[mapping.columns[name]].alias(name)
    return None


def _row_faults(table: RawTable) -> pl.DataFrame:
    faults = [(row, "", reason) for row, reason in table.faults.items()]
    return pl.DataFrame(faults, schema=_REFUSALS, orient="row")


def _all_refusals(
    typed: list[_Typed],
    everybody: pl.DataFrame,
    places: pl.DataFrame,
    columns: dict[str, RosterColumn],
    once: list[str],
) -> pl.DataFrame:
    found: list[pl.DataFrame] = []
    start = 0
    for one in typed:
        faulty = list(one.table.faults)
        cells = one.refusals.filter(
            (pl.col("column") == "") | ~pl.col("row").is_in(faulty)
        )  # cells of such a row mean nothing
        found.append(cells.with_columns(pl.col("row") + start))
        start += one.frame.height
    found += [_repetitions(repeated_identifiers(everybody, name), places, typed) for name in once]
    order = pl.DataFrame({"column": ["", *columns], "order": range(len(columns) + 1)})
    joined = pl.concat(found).join(order, on="column", how="left", maintain_order="left")
    return joined.sort("row", "order", maintain_order=True).select("row", "column", "reason")


def _repetitions(repeated: tuple[Duplicate, ...], places: pl.DataFrame, typed: list[_Typed]) -> pl.DataFrame:
    told: list[tuple[int, str, str]] = []
    for group in repeated:
        shown = [
            typed[file].table.source.place(line) for file, line in (places.row(row) for row in group.rows[:4])
        ]
        for row in group.rows:
            others = [place for place, other in zip(shown, group.rows, strict=False) if other != row][:3]
            more = (
                f" and {len(group.rows) - 1 - len(others)} more" if len(group.rows) - 1 > len(others) else ""
            )
            told.append(
                (row, group.column, f"the same identifier as at {', '.join(others)}{more}; keep one of them")
            )
    return pl.DataFrame(told, schema=_REFUSALS, orient="row")


def _located(refusals: pl.DataFrame, places: pl.DataFrame, typed: list[_Typed]) -> pl.DataFrame:
    at = places[refusals["row"].cast(pl.Int64)] if refusals.height else places.clear()
    prefix = pl.Series("prefix", [one.table.source.place(0)[:-1] for one in typed])
    place = pl.Series("place", prefix.gather(at["file"]) + at["line"].cast(pl.String), dtype=pl.String)
    return refusals.with_columns(place).select("row", "place", "column", "reason")


def _for_decision(
    everybody: pl.DataFrame, good: pl.Series, columns: dict[str, RosterColumn]
) -> tuple[Duplicate, ...]:
    rows = good.arg_true().to_list()
    kept = everybody.filter(good)
    found = (*same_contact(kept, columns), *similar_people(kept, columns))
    return tuple(
        Duplicate(each.kind, each.column, tuple(rows[row] for row in each.rows), each.reason)
        for each in found
    )


def _set_apart(typed: list[_Typed], refusals: pl.DataFrame) -> pl.DataFrame:
    told = (
        pl.when(pl.col("column") == "")
        .then("reason")
        .otherwise(pl.concat_str("column", pl.lit(": "), "reason"))
    )
    problems = refusals.group_by("row", maintain_order=True).agg(told.alias("problems").str.join("; "))
    frames: list[pl.DataFrame] = []
    start = 0
    for one in typed:
        height = one.frame.height
        here = problems.filter(pl.col("row").is_between(start, start + height - 1))
        local = here["row"] - start
        front = pl.DataFrame(
            [pl.Series("file", [one.table.source.file] * here.height, dtype=pl.String),
             pl.Series("line", one.table.lines.gather(local)), here["problems"]]
        )  # fmt: skip
        cells = one.table.cells[local.cast(pl.Int64)] if here.height else one.table.cells.clear()
        clashing = {name: f"{name} (in the file)" for name in cells.columns if name in front.columns}
        surplus = pl.Series("(more cells)", [one.table.surplus.get(row) for row in local], dtype=pl.String)
        extra = [surplus] if surplus.null_count() < surplus.len() else []
        frames.append(pl.concat([front, cells.rename(clashing), pl.DataFrame(extra)], how="horizontal"))
        start += height
    return pl.concat(frames, how="diagonal")
