"""A Parquet file as a table of participants: which column is what, who is in it, checks before any sum."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from equipoise.errors import nearest
from equipoise.estimation.arrays import refuse

if TYPE_CHECKING:
    import duckdb

__all__ = ["People", "Table", "literal", "opened", "people_of", "quoted"]

_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
            "HUGEINT", "FLOAT", "DOUBLE", "BOOLEAN")  # fmt: skip


@dataclass(frozen=True)
class Table:
    """A Parquet file with one row a participant, and the columns that an analysis reads.

    Attributes:
        path: the file, or a pattern of files such as `people/*.parquet`.
        outcome: a column of numbers, empty for those who did not answer.
        arm: a column of labels.
        covariates: columns of numbers, measured before allocation, without gaps.
        stratum: a column of labels.
        cluster: a column of labels.
    """

    path: Path
    outcome: str
    arm: str
    covariates: tuple[str, ...] = ()
    stratum: str | None = None
    cluster: str | None = None

    @property
    def numbers(self) -> tuple[str, ...]:
        """The columns that must hold numbers."""
        return (self.outcome, *self.covariates)

    @property
    def answered(self) -> str:
        """The rows with an outcome, as SQL."""
        return _known(self.outcome, number=True)

    @property
    def labels(self) -> tuple[str, ...]:
        """The columns whose rows only need to tell each other apart."""
        return tuple(name for name in (self.arm, self.stratum, self.cluster) if name is not None)


@dataclass(frozen=True)
class People:
    """Who is in a table: people analysed and without an outcome by arm, and the covariates' means."""

    arms: tuple[str, ...]
    analysed: tuple[int, ...]
    missing: tuple[int, ...]
    means: tuple[float, ...]


@contextmanager
def opened(table: Table, memory_mb: int) -> Iterator["duckdb.DuckDBPyConnection"]:
    """A DuckDB connection with the table as the view `people`, within so much memory.

    Raises:
        DesignError: the file or one of its columns is not there, or a column does not hold numbers.
    """
    import duckdb

    with duckdb.connect(":memory:", config={"memory_limit": f"{memory_mb}MB"}) as connection:
        try:
            connection.read_parquet(str(table.path)).create_view("people")
        except duckdb.Error as error:
            raise refuse(str(table.path), "cannot be read; expected a Parquet file.") from error
        _check_columns(connection, table)
        yield connection


def people_of(connection: "duckdb.DuckDBPyConnection", table: Table, contrast: Mapping[str, float]) -> People:
    """Counts by arm and means of the covariates, after checks.

    Raises:
        DesignError: an arm of the contrast has nobody with an outcome, an arm of the file has no weight, or a
            label or a covariate is missing in some rows.
    """
    answered = table.answered
    needed = [*table.labels, *table.covariates]
    unknown = [f"NOT {_known(name, number=name in table.covariates)}" for name in needed]
    gaps = [f"count(*) FILTER ({each} AND {answered})" for each in unknown]
    sums = [f"sum({quoted(name)}::DOUBLE) FILTER ({answered})" for name in table.covariates]
    listed = ", ".join([f"count(*) FILTER ({answered})", "count(*)", *gaps, *sums])
    rows = connection.execute(
        f"SELECT CAST({quoted(table.arm)} AS VARCHAR) AS label, {listed} FROM people "
        "GROUP BY label ORDER BY label"
    ).fetchall()
    for place, name in enumerate(needed):
        missing = sum(row[3 + place] for row in rows)
        if missing:
            raise refuse(
                name, f"is missing in {missing} rows that have an outcome; fill them in or leave them out."
            )
    found = {str(row[0]): row for row in rows if row[0] is not None}
    _check_arms(found, contrast)
    analysed = tuple(int(row[1]) for row in found.values())
    first = 3 + len(needed)
    totals = [
        sum(row[first + place] or 0.0 for row in found.values()) for place in range(len(table.covariates))
    ]
    return People(
        tuple(found),
        analysed,
        tuple(int(row[2] - row[1]) for row in found.values()),
        tuple(total / sum(analysed) for total in totals),
    )


def _known(name: str, *, number: bool) -> str:
    """That a row has a value in a column, as SQL; a number that is not one counts as missing."""
    there = f"{quoted(name)} IS NOT NULL"
    return f"({there} AND NOT isnan({quoted(name)}::DOUBLE))" if number else f"({there})"


def quoted(name: str) -> str:
    """A column's name as SQL takes it."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: float | str) -> str:
    """A value as SQL takes it: a number to its last bit, or a text."""
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return f"CAST('{value!r}' AS DOUBLE)"


def _check_columns(connection: "duckdb.DuckDBPyConnection", table: Table) -> None:
    there: dict[str, Any] = {row[0]: row[1] for row in connection.execute("DESCRIBE people").fetchall()}
    for name in (*table.numbers, *table.labels):
        if name not in there:
            raise refuse(
                name, f"is not a column of {table.path}; expected one of {nearest(name, tuple(there))}"
            )
    for name in table.numbers:
        if not str(there[name]).startswith((*_NUMBERS, "DECIMAL")):
            raise refuse(name, f"holds {there[name]}; expected numbers.")


def _check_arms(found: Mapping[str, Sequence[Any]], contrast: Mapping[str, float]) -> None:
    for arm, weight in contrast.items():
        if weight and (arm not in found or not found[arm][1]):
            raise refuse("arm", f'arm "{arm}" has nobody with an outcome to compare.')
    unknown = [arm for arm in found if arm not in contrast]
    if unknown:
        raise refuse("contrast", f'has no weight for the arm "{unknown[0]}"; give it 0 to leave it out.')
