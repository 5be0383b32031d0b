"""Data for SPSS (.sav) and Stata (.dta), with labels of variables and values.

Categories become numbers 1, 2, 3, … in the order of their levels, labelled with the words; yes is 1 and no 0.
In SPSS the reason why a number is missing stands in its place as a user-missing value; in Stata it stands in
the column of reasons only. What has to be changed to fit is told in a `Conversion`, so that nothing of it is
silent.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import polars as pl
import pyreadstat

from equipoise.exchange.dialects import SPSS, STATA, Dialect, cut
from equipoise.exchange.spreadsheets import spreadsheet_csv
from equipoise.exchange.stamps import UNDATED, stamp_spss, stamp_stata
from equipoise.exchange.variables import Variable
from equipoise.protocol.columns import REASON_LABELS

__all__ = ["Coding", "Conversion", "conversion_csv", "write_spss", "write_stata"]

_YES_NO = {"1": 1.0, "true": 1.0, "yes": 1.0, "0": 0.0, "false": 0.0, "no": 0.0}
_CHANGES = {
    "change": pl.String,
    "column": pl.String,
    "new_name": pl.String,
    "value": pl.String,
    "number": pl.Float64,
    "label": pl.String,
}
_MISSING_FROM = (-99.0, -999.0, -9_999.0, -99_999.0, -999_999.0, -9_999_999.0)


@dataclass(frozen=True)
class Coding:
    """A value as the data have it, the number that stands for it, and the number's label."""

    column: str
    value: str
    number: float
    label: str


@dataclass(frozen=True)
class Conversion:
    """What was changed to fit a program.

    `renamed` has the names that differ, ours first; `codings` every number that stands for something else;
    `shortened` the columns with a label or text that was cut, and what.
    """

    renamed: Mapping[str, str]
    codings: tuple[Coding, ...] = ()
    shortened: tuple[tuple[str, str], ...] = ()


def write_spss(
    table: pl.DataFrame, variables: Sequence[Variable], path: Path, *, title: str = "",
    made: datetime = UNDATED,
) -> Conversion:  # fmt: skip
    """Write a table for SPSS.

    Args:
        table: the data.
        variables: what its columns are; columns without one are written by what they hold.
        path: of the .sav file.
        title: of the file.
        made: the moment that the file says it was made at.
    Returns:
        What was changed to fit; `conversion_csv` makes a table of it.
    """
    reasons = {variable.name: variable.values or REASON_LABELS for variable in variables}
    columns = [
        _with_reasons(column, table, reasons.get(column.why or "", REASON_LABELS))
        for column in _columns(table, variables)
    ]
    fitted, conversion = _fitted(columns, SPSS)
    pyreadstat.write_sav(
        pl.DataFrame([column.values for column in fitted]),
        str(path),
        file_label=SPSS.fitting(title, SPSS.title),
        column_labels={column.name: column.label for column in fitted},
        variable_value_labels={column.name: dict(column.labels) for column in fitted if column.labels},
        missing_ranges={
            column.name: [{"lo": column.missing[0], "hi": column.missing[1]}]
            for column in fitted
            if column.missing is not None
        },
        variable_measure={column.name: column.measure for column in fitted},
    )
    stamp_spss(path, made)
    return conversion


def write_stata(
    table: pl.DataFrame, variables: Sequence[Variable], path: Path, *, title: str = "",
    made: datetime = UNDATED,
) -> Conversion:  # fmt: skip
    """Write a table for Stata 14 and later; arguments as for `write_spss`, the path that of a .dta file."""
    fitted, conversion = _fitted(list(_columns(table, variables)), STATA)
    pyreadstat.write_dta(
        pl.DataFrame([column.values for column in fitted]),
        str(path),
        file_label=STATA.fitting(title, STATA.title),
        column_labels={column.name: column.label for column in fitted},
        variable_value_labels={
            column.name: {int(number): words for number, words in column.labels.items()}
            for column in fitted
            if column.labels
        },
    )
    stamp_stata(path, made)
    return conversion


def conversion_csv(conversion: Conversion) -> bytes:
    """What was changed, as a table to be read in a spreadsheet."""
    rows: list[tuple[str | float | None, ...]] = [
        ("renamed", old, new, None, None, None) for old, new in conversion.renamed.items()
    ]
    rows += [("coded", one.column, None, one.value, one.number, one.label) for one in conversion.codings]
    rows += [("shortened", column, None, None, None, what) for column, what in conversion.shortened]
    return spreadsheet_csv(pl.DataFrame(rows, schema=_CHANGES, orient="row"))


@dataclass(frozen=True)
class _Column:
    """A column on its way.

    `origin` is its name in the data, `labels` are those of its numbers; `low` and `why` are the variable's;
    `missing` is the first and the last of the numbers that stand for reasons.
    """

    origin: str
    name: str
    values: pl.Series
    label: str
    labels: Mapping[float, str]
    measure: str
    codings: tuple[Coding, ...] = ()
    low: float | None = None
    why: str | None = None
    missing: tuple[float, float] | None = None


def _columns(table: pl.DataFrame, variables: Sequence[Variable]) -> Iterator[_Column]:
    known = {variable.name: variable for variable in variables}
    for name in table.columns:
        variable = known.get(name) or Variable(name, "any", name, "")
        yield _column(table[name], variable)


def _column(values: pl.Series, variable: Variable) -> _Column:
    plain = _Column(
        variable.name,
        variable.name,
        values,
        variable.label,
        {},
        "nominal",
        low=variable.low,
        why=variable.why,
    )
    if variable.type == "yes-no" and not values.dtype.is_numeric():
        values = values.cast(pl.String).str.to_lowercase().replace_strict(_YES_NO, default=None)
    if variable.type == "yes-no" or values.dtype == pl.Boolean:
        return replace(plain, values=values.cast(pl.Float64), labels={0.0: "No", 1.0: "Yes"})
    if variable.type == "category" and variable.values:
        return _coded(plain, variable)
    if values.dtype.is_numeric():
        labels = {float(code): words for code, words in variable.values.items()}
        measure = "ordinal" if labels else "scale"
        numbers = values.cast(pl.Float64).fill_nan(None)
        return replace(plain, values=numbers, labels=labels, measure=measure)
    if values.dtype == pl.Date:
        return replace(plain, measure="scale", why=None)
    if isinstance(values.dtype, pl.Datetime):
        zoned = (
            values.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
            if values.dtype.time_zone
            else values
        )
        return replace(plain, values=zoned.cast(pl.Datetime("us")), measure="scale", why=None)
    if values.dtype == pl.Null and variable.type in ("integer", "number"):
        return replace(plain, values=values.cast(pl.Float64), measure="scale")
    # Neither program knows a missing text.
    return replace(plain, values=values.cast(pl.String).fill_null(""), why=None)


def _coded(column: _Column, variable: Variable) -> _Column:
    """A category as numbers; levels that the protocol does not name come last."""
    texts = column.values.cast(pl.String)
    found = texts.drop_nulls().unique().sort().to_list()
    words = {**variable.values, **{value: value for value in found if value not in variable.values}}
    numbers = {value: float(number) for number, value in enumerate(words, start=1)}
    values = texts.replace_strict(numbers, default=None, return_dtype=pl.Float64)
    return replace(
        column,
        values=values,
        labels={numbers[value]: label for value, label in words.items()},
        codings=tuple(Coding(variable.name, value, numbers[value], label) for value, label in words.items()),
    )


def _with_reasons(column: _Column, table: pl.DataFrame, labels: Mapping[str, str]) -> _Column:
    """The reasons for missing numbers in their place, as codes below everything that could be a value."""
    if column.why is None or column.why not in table.columns or not column.values.dtype.is_numeric():
        return column
    numbers = [*column.values.drop_nulls().to_list(), *([] if column.low is None else [column.low])]
    lowest = min(numbers, default=0.0)
    first = next((code for code in _MISSING_FROM if code + len(labels) <= lowest), None)
    if first is None:
        return column
    codes = {reason: first + place for place, reason in enumerate(labels)}
    reasons = table[column.why].cast(pl.String).replace_strict(codes, default=None, return_dtype=pl.Float64)
    codings = tuple(
        Coding(column.origin, f"missing: {reason}", code, labels[reason]) for reason, code in codes.items()
    )
    return replace(
        column,
        values=column.values.fill_null(reasons),
        labels={**column.labels, **{code: labels[reason] for reason, code in codes.items()}},
        codings=(*column.codings, *codings),
        missing=(first, first + len(labels) - 1),
    )


def _fitted(columns: Sequence[_Column], dialect: Dialect) -> tuple[list[_Column], Conversion]:
    names = dialect.names([column.origin for column in columns])
    fitted, shortened = [], []
    for column in columns:
        changed = replace(
            column,
            name=names[column.origin],
            values=_cut(column.values, dialect).alias(names[column.origin]),
            label=dialect.fitting(column.label, dialect.label),
            labels={
                number: dialect.fitting(words, dialect.value_label) for number, words in column.labels.items()
            },
        )
        shortened += [(column.origin, what) for what in _shortened(column, changed)]
        fitted.append(changed)
    renamed = {old: new for old, new in names.items() if old != new}
    codings = tuple(coding for column in columns for coding in column.codings)
    return fitted, Conversion(renamed, codings, tuple(shortened))


def _cut(values: pl.Series, dialect: Dialect) -> pl.Series:
    if dialect.text is None or values.dtype != pl.String:
        return values
    if (values.str.len_bytes().max() or 0) <= dialect.text:  # type: ignore[operator]
        return values
    longest = dialect.text
    return values.map_elements(lambda text: cut(text, longest), return_dtype=pl.String)


def _shortened(before: _Column, after: _Column) -> Iterator[str]:
    if len(" ".join(before.label.split())) > len(after.label):
        yield f"label: {before.label}"
    for number, words in before.labels.items():
        if len(" ".join(words.split())) > len(after.labels[number]):
            yield f"label of {number:g}: {words}"
    if before.values.dtype == pl.String:
        count = int((before.values.str.len_bytes() != after.values.str.len_bytes()).sum())
        if count:
            yield f"text in {count} rows"
