"""A receipt file, read by the engine that reads rosters: who was sent which occasion on which day."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from equipoise.errors import InputError, Problem
from equipoise.platform.delivery.files.references import reference_label
from equipoise.platform.registry.models import Study
from equipoise.protocol.models.participants import RosterColumn
from equipoise.roster import ImportReport, Mapping, RosterFile, examine_rosters, propose_mapping, read_table
from equipoise.roster.headers import header_line
from equipoise.roster.reading import RawTable

__all__ = [
    "ROW",
    "STATUSES",
    "ReceiptFile",
    "ReceiptsRead",
    "columns_of_table",
    "read_file",
    "receipt_columns",
    "receipt_header",
]

ROW = "row"  # over the file; `report.place` says where it stands
STATUSES = {
    "sent": ("sent", "accepted", "delivered", "ok", "yes", "true", "1"),
    "failed": ("failed", "not sent", "bounced", "undelivered", "returned", "rejected", "no", "false", "0"),
}
# Days as offices write them, each with the look by which it is told from the others.
_DAYS = {
    "%Y-%m-%d": r"^\d{4}-\d\d?-\d\d?$",
    "%d/%m/%Y": r"^\d\d?/\d\d?/\d{4}$",
    "%d.%m.%Y": r"^\d\d?\.\d\d?\.\d{4}$",
    "%Y-%m-%d %H:%M": r"^\d{4}-\d\d-\d\d[ T]\d\d:\d\d$",
    "%Y-%m-%d %H:%M:%S": r"^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d$",
    "%d/%m/%Y %H:%M": r"^\d\d?/\d\d?/\d{4} \d\d:\d\d$",
}


@dataclass(frozen=True)
class ReceiptFile:
    """A file and how it is to be read.

    Attributes:
        path: a CSV, XLSX or Parquet file; its name is what problems are told by.
        send: the name of the send whose receipts it holds.
        mapping: declared column to the file's; proposed when None.
        encoding: of a text file, where the one detected is wrong.
        header: the line with the names of the columns; found when None.
    """

    path: Path
    send: str
    mapping: Mapping | None = None
    encoding: str | None = None
    header: int | None = None


@dataclass(frozen=True)
class ReceiptsRead:
    """A receipt file as it was read.

    Attributes:
        file: as it was given.
        file_hash: SHA-256 of its bytes.
        report: the engine's account.
        rows: the accepted rows: `ROW`, reference, occasion, sent_on, and status in words of ours, null where
            the file says something else.
    """

    file: ReceiptFile
    file_hash: str
    report: ImportReport
    rows: pl.DataFrame


def receipt_columns(study: Study, times: int = 1, day: str = "%Y-%m-%d") -> dict[str, RosterColumn]:
    """What a receipt file must have.

    Args:
        study: whose references they are.
        times: how many occasions the send has; with a single one, the file need not say which.
        day: how days are written.
    """
    return {
        "reference": RosterColumn(type="text", role="identifier", label=reference_label(study)),
        "occasion": RosterColumn(type="integer", required=times > 1, low=1, high=times, label="Number (n)"),
        "sent_on": RosterColumn(type="date", format=day, required=False, label="Day on which it was sent"),
        "status": RosterColumn(type="text", required=False, label="Status: sent or failed"),
    }


def read_file(study: Study, file: ReceiptFile, times: int) -> ReceiptsRead:
    """Read a receipt file.

    Args:
        study: whose it is.
        file: and how it is to be read.
        times: how many occasions the send has.
    Raises:
        InputError: there is no such file.
        RosterError: it cannot be read at all, or its columns cannot be matched.
    """
    if not file.path.is_file():
        raise InputError(Problem(str(file.path), "", "there is no such file"))
    header = file.header or receipt_header(study, file, times)
    table = read_table(file.path, encoding=file.encoding, header=header)
    columns = columns_of_table(study, table, times, file.mapping)
    taken = RosterFile(file.path, file.mapping, encoding=file.encoding, header=header)
    result = examine_rosters([taken], columns, row_a_person=False)
    refused = result.report.refusals["row"].unique()
    numbers = pl.int_range(result.report.read, eager=True, dtype=pl.Int64)
    rows = result.participants.with_columns(
        numbers.filter(~numbers.is_in(refused.implode())).alias(ROW),
        pl.col("occasion").fill_null(1) if times == 1 else pl.col("occasion"),
        _status().alias("status"),
    )
    return ReceiptsRead(file, _hash(file.path), result.report, rows)


def receipt_header(study: Study, file: ReceiptFile, times: int) -> int | None:
    """The line that names the columns which have to be there; None where no line does."""
    sought = {name: column for name, column in receipt_columns(study, times).items() if column.required}
    return header_line(file.path, sought, mapping=file.mapping, encoding=file.encoding)


def columns_of_table(
    study: Study, table: RawTable, times: int, mapping: Mapping | None = None
) -> dict[str, RosterColumn]:
    """What a file must have, with days as all of its own are written; as ISO where they differ, so that those
    which are written otherwise are told by line."""
    for day, look in _DAYS.items():
        columns = receipt_columns(study, times, day)
        chosen = mapping or propose_mapping(table, columns).mapping
        name = chosen.columns.get("sent_on")
        if name in table.cells.columns:
            cells = table.cells[name].str.strip_chars().replace("", None).drop_nulls()
            if cells.len() and cells.str.contains(look).all():
                return columns
    return receipt_columns(study, times)


def _status() -> pl.Expr:
    said = pl.col("status").str.strip_chars().str.to_lowercase()
    words = {word: status for status, some in STATUSES.items() for word in some}
    return pl.when(said.is_null()).then(pl.lit("sent")).otherwise(said.replace_strict(words, default=None))


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
