"""The hash of a data set: of its canonical CSV, so that CSV and Parquet of the same data have the same hash.

Columns in the order of their names, rows in the order of the identifier (then of the row itself), text in
NFC, numbers in their shortest form, moments in ISO 8601 UTC, missing as nothing; RFC 4180 quoting, LF line
ends, UTF-8.
"""

import csv
import hashlib
import io
import unicodedata
from datetime import date, datetime
from typing import Any

import polars as pl

from equipoise.findings.reading.data import PARTICIPANTS, StudyData
from equipoise.protocol.canonical import canonical_bytes

__all__ = ["canonical_csv", "data_hash", "exclusions_hash", "seal_of"]


def data_hash(data: StudyData) -> str:
    """SHA-256, hexadecimal: of the only table's canonical CSV, or of the JSON of `{table: hash}`."""
    tables = {PARTICIPANTS: data.participants, **data.ratings, **data.sources}
    tables |= {f"answers_{wave}": table for wave, table in data.answers.items()}
    hashes = {
        name: hashlib.sha256(canonical_csv(table, data.identifier)).hexdigest()
        for name, table in tables.items()
    }
    if len(hashes) == 1:
        return hashes[PARTICIPANTS]
    return hashlib.sha256(canonical_bytes(hashes)).hexdigest()


def exclusions_hash(data: StudyData) -> str:
    """SHA-256, hexadecimal, of the canonical CSV of the exclusions; nothing where nobody is excluded."""
    table = data.exclusions
    if table is None or not table.height:
        return ""
    return hashlib.sha256(canonical_csv(table, data.identifier)).hexdigest()


def seal_of(*, data_hash: str, exclusions_hash: str, protocol_hash: str) -> str:
    """What a seal fixes, as one hash: the data, who is excluded, and the locked protocol."""
    parts = {"data": data_hash, "exclusions": exclusions_hash, "protocol": protocol_hash}
    return hashlib.sha256(canonical_bytes(parts)).hexdigest()


def canonical_csv(table: pl.DataFrame, identifier: str) -> bytes:
    """The canonical CSV of a table."""
    names = sorted(table.columns)
    columns = [_canonical(table[name], as_text=name == identifier) for name in names]
    key = names.index(identifier)
    rows = sorted(
        zip(*(column.to_list() for column in columns), strict=True), key=lambda row: (row[key], row)
    )
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)
    return written.getvalue().encode()


def _canonical(column: pl.Series, *, as_text: bool) -> pl.Series:
    unique = column.unique()
    written = {value: _written(value, as_text=as_text) for value in unique.to_list() if value is not None}
    if not written:
        return pl.Series(column.name, [""] * len(column))
    return column.replace_strict(
        list(written), list(written.values()), default="", return_dtype=pl.String
    ).fill_null("")


def _written(value: Any, *, as_text: bool) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str):
        text = unicodedata.normalize("NFC", value)
        number = None if as_text else _number(text)
        return text if number is None else number
    return _shortest(float(value))


def _number(text: str) -> str | None:
    try:
        return _shortest(float(text))
    except ValueError:
        return None


def _shortest(number: float) -> str:
    return str(int(number)) if abs(number) < 2**53 and number == int(number) else repr(number)
