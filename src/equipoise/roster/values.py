"""Cells of text into typed values: every value kept, changed with a note, or refused with a reason.

A column is converted by its distinct values, so that a million rows in ten regions cost ten conversions.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import polars as pl
from rapidfuzz import fuzz, process

from equipoise.errors import RosterError
from equipoise.protocol.models.participants import ColumnType, RosterColumn
from equipoise.roster.contacts import parse_emails, parse_phones

__all__ = ["Converted", "convert", "polars_type"]

ISO = "%Y-%m-%d"
EARLIEST_YEAR, LATEST_YEAR = 1900, 2200
YES = ("yes", "y", "true", "1")
NO = ("no", "n", "false", "0")

_TYPES: dict[ColumnType, pl.DataType] = {
    "text": pl.String(),
    "category": pl.String(),
    "integer": pl.Int64(),
    "number": pl.Float64(),
    "date": pl.Date(),
    "yes-no": pl.Boolean(),
    "email": pl.String(),
    "phone": pl.String(),
}
_SHEET_ERROR = r"^#(?:N/A|REF!|VALUE!|DIV/0!|NAME\?|NUM!|NULL!|BROKEN)$"
_MISSING_WORD = r"(?i)^(?:n/?a|nan|null|none|missing|unknown|not known|-+|\.|\?+|tbc)$"
_NUMBER = r"^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$"
_SHOWN_CHARACTERS = 40
_NEAR = 75.0
_LISTED_LEVELS = 20

Fault = tuple[pl.Expr, pl.Expr | str]


@dataclass(frozen=True)
class Converted:
    """A column of typed values, null where missing or refused.

    `refusals` has a `row` (from 0) and a `reason`; `notes` counts, by sentence, what was changed in reading.
    """

    values: pl.Series
    refusals: pl.DataFrame
    notes: dict[str, int]


def polars_type(column: RosterColumn) -> pl.DataType:
    """The type that a declared column has in a typed roster; categories and contacts are text."""
    return _TYPES[column.type]


def convert(
    raw: pl.Series, column: RosterColumn, *, region: str = "GB", true_dates: bool = False
) -> Converted:
    """Types a column of text as declared.

    Args:
        raw: cells as read; empty, blank and null are missing.
        column: the declaration.
        region: where a phone number without a country code belongs.
        true_dates: whether ISO dates may stand for dates whatever the declared format, as they do in the
            text of a workbook or Parquet file, which store dates as dates.
    Returns:
        Values in the order of `raw`. Spaces round a value are dropped and text is put into Unicode's composed
        form (NFC); nothing else changes without a note.
    Raises:
        RosterError: the declared date format is none.
    """
    cells = pl.DataFrame(
        {"cell": raw.cast(pl.String).str.normalize("NFC").str.strip_chars().replace("", None)}
    )
    distinct = cells["cell"].drop_nulls().unique(maintain_order=True)
    parsed = _parse(distinct, column, region, true_dates)
    joined = cells.join(parsed, on="cell", how="left", maintain_order="left").with_row_index("row")
    if column.required or column.role == "identifier":
        missing = pl.when(pl.col("cell").is_null()).then(pl.lit("empty, but required"))
        joined = joined.with_columns(missing.otherwise(pl.col("reason")).alias("reason"))
    return Converted(
        joined["value"].cast(_TYPES[column.type]).alias(raw.name),
        joined.filter(pl.col("reason").is_not_null()).select(pl.col("row").cast(pl.Int64), "reason"),
        _counted(joined["note"]),
    )


def _counted(notes: pl.Series) -> dict[str, int]:
    counts = notes.drop_nulls().value_counts(name="rows")
    return dict(sorted(counts.iter_rows()))


def _parse(distinct: pl.Series, column: RosterColumn, region: str, true_dates: bool) -> pl.DataFrame:
    frame = pl.DataFrame({"cell": distinct.cast(pl.String)})
    if column.type == "email":
        parsed = parse_emails(frame)
    elif column.type == "phone":
        parsed = parse_phones(frame, region)
    elif column.type == "date":
        parsed = _dates(frame, column, true_dates)
    elif column.type == "category" and column.levels is not None:
        parsed = _levels(frame, column.levels)
    else:
        parsed = _PARSERS[column.type](frame, column)
    broken = pl.col("cell").str.contains(_SHEET_ERROR)
    reason = pl.when(broken).then(
        pl.lit("a spreadsheet's error or unsaved formula; put the value in its place")
    )
    parsed = parsed.with_columns(reason.otherwise(pl.col("reason")).alias("reason"))
    return parsed.with_columns(
        pl.when(pl.col("reason").is_null()).then(pl.col(name)).alias(name) for name in ("value", "note")
    )


def _texts(frame: pl.DataFrame, column: RosterColumn) -> pl.DataFrame:
    cell = pl.col("cell")
    reasons = [(cell.str.contains(r"[\p{Cc}--[\n\r\t]]"), "holds a control character; retype it")]
    if column.role != "attribute":
        hidden = cell.str.contains(r"[\p{Cc}\p{Cf}\u2028\u2029]")
        reasons.append((hidden, "holds a line break or an invisible character; retype it"))
        shortened = cell.str.contains(r"^[0-9](?:\.[0-9]+)?E\+[0-9]+$")
        lost = "a spreadsheet shortened it to scientific notation and lost digits; export the column as text"
        reasons.append((shortened, lost))
    return _parsed(frame, cell, _first(*reasons))


def _open_categories(frame: pl.DataFrame, column: RosterColumn) -> pl.DataFrame:
    cell = pl.col("cell")
    hidden = cell.str.contains(r"[\p{Cc}\u2028\u2029]")
    note = _first(
        (cell.str.contains(_MISSING_WORD),
         pl.format("“{}” is kept as a level of its own; leave the cell empty if it means missing", _shown())),
        (cell.count().over(_folded()) > 1,
         pl.format("“{}” differs from another only by capitals or spaces; one level or two?", _shown())),
    )  # fmt: skip
    return _parsed(
        frame, cell, _first((hidden, "holds a line break or a control character; retype it")), note
    )


def _levels(frame: pl.DataFrame, levels: tuple[str, ...]) -> pl.DataFrame:
    declared = pl.DataFrame({"level": levels}, schema={"level": pl.String})
    declared = declared.with_columns(_folded("level").alias("key"))
    declared = declared.filter(pl.col("key").count().over("key") == 1)
    frame = frame.with_columns(_folded().alias("key")).join(
        declared, on="key", how="left", maintain_order="left"
    )
    exact = pl.col("cell").is_in(list(levels))
    value = pl.when(exact).then(pl.col("cell")).otherwise(pl.col("level"))
    read_as = pl.format("“{}” read as “{}”", _shown(), pl.col("level"))
    frame = _parsed(frame, value, _first(), _first((~exact & pl.col("level").is_not_null(), read_as)))
    strange = frame.filter(pl.col("value").is_null())["cell"]
    reasons = pl.DataFrame(
        {"cell": strange, "reason": [_not_a_level(cell, levels) for cell in strange]},
        schema={"cell": pl.String, "reason": pl.String},
    )
    return frame.drop("reason").join(reasons, on="cell", how="left", maintain_order="left")


def _not_a_level(cell: str, levels: tuple[str, ...]) -> str:
    listed = ", ".join(levels[:_LISTED_LEVELS]) + (", …" if len(levels) > _LISTED_LEVELS else "")
    shown = cell if len(cell) <= _SHOWN_CHARACTERS else f"{cell[:_SHOWN_CHARACTERS]}…"
    found = f"“{shown}” is no level. Levels: {listed}."
    near = process.extractOne(cell.casefold(), [level.casefold() for level in levels], scorer=fuzz.ratio)
    if near is not None and near[1] >= _NEAR:
        found += f" Did you mean “{levels[near[2]]}”?"
    return found


def _numbers(frame: pl.DataFrame, column: RosterColumn) -> pl.DataFrame:
    cell = pl.col("cell")
    value = pl.when(cell.str.contains(_NUMBER)).then(cell).cast(pl.Float64, strict=False)
    reason = _first(
        *_number_faults("a number"),
        (value.is_infinite(), pl.format("“{}” is too large for a number", _seen(column))),
        *_range_faults(value, column),
    )
    return _parsed(frame, value, reason)


def _integers(frame: pl.DataFrame, column: RosterColumn) -> pl.DataFrame:
    cell = pl.col("cell")
    value = cell.str.extract(r"^\+?(-?[0-9]+)(?:\.0*)?$").cast(pl.Int64, strict=False)
    fraction = cell.str.contains(_NUMBER) & value.is_null()
    reason = _first(
        *_number_faults("a whole number"),
        (fraction, pl.format("“{}” is no whole number, or one too large", _seen(column))),
        *_range_faults(value, column),
    )
    return _parsed(frame, value, reason)


def _number_faults(expected: str) -> list[Fault]:
    cell = pl.col("cell")
    thousands = cell.str.contains(r"^[+-]?[0-9]{1,3}(?:[, ][0-9]{3})+(?:\.[0-9]+)?$")
    return [
        (cell.str.contains(r"(?i)^[+-]?inf(inity)?$"), f"infinite, where {expected} is expected"),
        (cell.str.contains(_MISSING_WORD), f"a word, where {expected} is expected; empty if missing"),
        (thousands, "has separators between thousands; leave them out"),
        (cell.str.contains(r"^[+-]?[0-9]+,[0-9]+$"), "has a decimal comma; write a point"),
        (~cell.str.contains(_NUMBER), f"is text, where {expected} is expected"),
    ]  # fmt: skip


def _range_faults(value: pl.Expr, column: RosterColumn) -> list[Fault]:
    low, high = column.low, column.high
    faults: list[Fault] = []
    if low is not None:
        faults.append(
            (value < low, pl.format(f"{{}} is below the lowest that is declared, {low:g}", _seen(column)))
        )
    if high is not None:
        faults.append(
            (value > high, pl.format(f"{{}} is above the highest that is declared, {high:g}", _seen(column)))
        )
    return faults


def _dates(frame: pl.DataFrame, column: RosterColumn, true_dates: bool) -> pl.DataFrame:
    written = column.format or ISO
    _check_format(written)
    cell = pl.col("cell")
    value = cell.str.to_date(written, strict=False)
    if true_dates:
        iso = cell.str.extract(r"^([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[ T]00:00:00(?:\.0+)?)?$")
        value = pl.coalesce(iso.str.to_date(ISO, strict=False), value)
    return _parsed(frame, value, _date_faults(value, written, column))


def _check_format(written: str) -> None:
    day = dt.date(2021, 3, 31)
    try:
        told = dt.datetime.strptime(f"{day:{written}}", written).date()  # noqa: DTZ007 - a day has no zone
    except ValueError:
        told = None
    if told != day:
        raise RosterError(f"“{written}” is no format of a whole date; write it like %d/%m/%Y.")


def _date_faults(value: pl.Expr, written: str, column: RosterColumn) -> pl.Expr:
    cell, seen, year = pl.col("cell"), _seen(column), value.dt.year()
    example = f"{dt.date(2021, 3, 31):{written}}"
    expected = f"expected {written}, as in {example}"
    either = cell.str.contains(r"^[0-9]{1,2}[/.-][0-9]{1,2}[/.-](?:[0-9]{4}|[0-9]{2})$")
    serial = cell.str.contains(r"^[1-6][0-9]{4}(?:\.[0-9]+)?$")
    remedy = "If every date is in another form, declare it as the column's format"
    strange = (year < EARLIEST_YEAR) | (year > LATEST_YEAR)
    as_number = f"“{{}}” is a spreadsheet's number for a day; format its cell as a date; {expected}"
    return _first(
        (strange, pl.format(f"“{{}}” gives the year {{}}; {expected}", seen, year)),
        (value.is_not_null(), _none()),
        (serial, pl.format(as_number, seen)),
        (either, pl.format(f"“{{}}” may have the day or the month first; {expected}. {remedy}", seen)),
        (value.is_null(), pl.format(f"“{{}}” is no date as declared; {expected}", seen)),
    )  # fmt: skip


def _answers(frame: pl.DataFrame, column: RosterColumn) -> pl.DataFrame:
    word = pl.col("cell").str.to_lowercase()
    value = pl.when(word.is_in(YES)).then(pl.lit(True)).when(word.is_in(NO)).then(pl.lit(False))
    allowed = f"yes ({', '.join(YES)}) nor no ({', '.join(NO)})"
    reason = _first((~word.is_in(YES + NO), pl.format(f"“{{}}” is neither {allowed}", _seen(column))))
    return _parsed(frame, value, reason)


_PARSERS: dict[ColumnType, Callable[[pl.DataFrame, RosterColumn], pl.DataFrame]] = {
    "text": _texts,
    "category": _open_categories,
    "integer": _integers,
    "number": _numbers,
    "yes-no": _answers,
}


def _parsed(
    frame: pl.DataFrame, value: pl.Expr, reason: pl.Expr, note: pl.Expr | None = None
) -> pl.DataFrame:
    return frame.select(
        "cell",
        value.alias("value"),
        reason.alias("reason"),
        (_none() if note is None else note).alias("note"),
    )


def _first(*faults: Fault) -> pl.Expr:
    """The text of the first condition that holds, null where none does."""
    chain: Any = pl
    for condition, text in faults:
        chain = chain.when(condition).then(pl.lit(text) if isinstance(text, str) else text)
    return _none() if chain is pl else chain.otherwise(_none())


def _none() -> pl.Expr:
    return pl.lit(None, pl.String)


def _folded(name: str = "cell") -> pl.Expr:
    return pl.col(name).str.normalize("NFC").str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()


def _seen(column: RosterColumn) -> pl.Expr:
    """The cell as an error may show it: not at all where it says who somebody is."""
    return _shown() if column.role == "attribute" else pl.lit("…")


def _shown() -> pl.Expr:
    cell = pl.col("cell").str.replace_all(r"\s+", " ")
    cut = pl.concat_str(cell.str.head(_SHOWN_CHARACTERS), pl.lit("…"))
    return pl.when(cell.str.len_chars() > _SHOWN_CHARACTERS).then(cut).otherwise(cell)
