"""Expressions evaluated by the CEL library, with what is missing left out so that it is unknown.

The library has no null, refuses dates without a time and counts in three kinds of number. So an expression
is rewritten before it is compiled: whole numbers become doubles, null tests and facts become names of yes
or no, dates become names of moments. It takes `true || x` for true whatever `x` is, even an error; so a
missing value is left out of the evaluation, and an expression that then fails for want of it is unknown.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import polars as pl

from equipoise.errors import InputError, Problem, ProtocolError
from equipoise.protocol.expressions.checking import checked, normal
from equipoise.protocol.expressions.inputs import Inputs
from equipoise.protocol.expressions.rewriting import Rewriting, fact_column
from equipoise.protocol.expressions.schema import Schema

__all__ = ["Answer", "Expression", "compile_expression"]

Answer = bool | float | str | datetime | None

_DTYPES = {
    "bool": pl.Boolean(),
    "number": pl.Float64(),
    "text": pl.String(),
    "moment": pl.Datetime("us", "UTC"),
}
_ANSWER = "_answer"  # no name begins with a line, so no column is called so


@dataclass(frozen=True)
class Expression:
    """A compiled expression.

    `names` are the columns and constants that it names, `functions` what it calls, `columns` what a row or
    frame must have (for `answered(after)`, the column `answered_after`). `kind` is what it gives: bool,
    number, text, moment or any.
    """

    text: str
    names: tuple[str, ...]
    functions: tuple[str, ...]
    columns: tuple[str, ...]
    kind: str
    _schema: Schema = field(repr=False, compare=False)
    _program: Any = field(repr=False, compare=False)
    _plan: Rewriting = field(repr=False, compare=False)

    def evaluate(self, rows: Iterable[Mapping[str, object]]) -> list[Answer]:
        """The answer for each row; None where it is unknown.

        Args:
            rows: values by column; None, NaN or no such key is missing. A fact whose column a row lacks
                (`answered_WAVE`, `sent_CONTACT` with `_` for `-`) is unknown; with a column that is empty,
                it is false.
        Raises:
            InputError: a value is not of the type declared; all such values are told at once.
        """
        inputs = Inputs(self._schema, self._plan)
        answers = [self._answer(inputs.of(row, f"row {number}")) for number, row in enumerate(rows, start=1)]
        inputs.refuse()
        return answers

    def evaluate_frame(self, frame: pl.DataFrame) -> pl.Series:
        """The answer for each row of a frame; null where it is unknown.

        Rows that are alike in all that matters are evaluated once.

        Raises:
            InputError: the frame lacks a column that the expression needs, or a value is not of the type
                declared.
        """
        lacking = [name for name in self.columns if name not in frame.columns]
        if lacking:
            found = ", ".join(frame.columns) or "none"
            raise InputError(
                f'the data lack the columns {", ".join(lacking)} of "{self.text}". Columns: {found}'
            )
        keys = self._keys(frame)
        if keys.width == 0:
            return self._series(self.evaluate([{}]) * frame.height).alias("answer")
        distinct = keys.unique(maintain_order=True)
        answers = distinct.with_columns(self._series(self.evaluate(self._rows(distinct))))
        joined = keys.join(answers, on=keys.columns, how="left", nulls_equal=True, maintain_order="left")
        return joined[_ANSWER].alias("answer")

    def _keys(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The columns that matter; of a fact, or of what is only tested for null, whether it is there."""
        facts = {fact_column(*fact) for fact in self._plan.facts}
        return frame.select(
            pl.col(name) if name in self._plan.valued else _is_there(frame[name], nought=name not in facts)
            for name in self.columns
        )

    def _rows(self, keys: pl.DataFrame) -> Iterator[dict[str, object]]:
        noted = [name for name in keys.columns if name not in self._plan.valued]
        for row in keys.iter_rows(named=True):
            yield {**row, **{name: row[name] or None for name in noted}}

    def _series(self, answers: Sequence[Answer]) -> pl.Series:
        if self.kind in _DTYPES:
            return pl.Series(_ANSWER, answers, dtype=_DTYPES[self.kind])
        return pl.Series(_ANSWER, answers, strict=False)

    def _answer(self, context: Any) -> Answer:
        try:
            answer = self._program.execute(context)
        except (RuntimeError, IndexError) as error:
            if isinstance(error, IndexError) or "Undefined variable" in str(error):
                return None  # divided by zero, or met what is missing
            raise self._failed(error) from error
        except (ValueError, TypeError, ArithmeticError) as error:
            raise self._failed(error) from error
        if isinstance(answer, bool | str | datetime):
            return answer
        if isinstance(answer, int | float) and math.isfinite(answer):
            return float(answer)
        return None

    def _failed(self, error: Exception) -> InputError:
        return InputError(f'"{self.text}" cannot be evaluated: {str(error).splitlines()[0]}')


def compile_expression(text: str, schema: Schema, *, expects: str = "any") -> Expression:
    """An expression ready to be evaluated.

    Args:
        text: as written in the protocol.
        schema: what it may name; with `launch` and the other constants settled, or their comparisons are
            unknown.
        expects: as for `check_expression`.
    Raises:
        ProtocolError: what `check_expression` would say of it.
    """
    found = checked(text, schema, expects=expects)
    if found.messages or found.tree is None or found.type is None:
        raise ProtocolError([Problem("", "", message) for message in found.messages])
    plan = Rewriting(schema)
    plan.visit(found.tree, frozenset())
    facts = [fact_column(function, name) for function, name in plan.facts]
    columns = [name for name in (*plan.valued, *plan.tested) if name in schema.columns]
    return Expression(
        text=text,
        names=tuple(sorted({*plan.valued, *plan.tested})),
        functions=tuple(sorted(plan.functions)),
        columns=tuple(dict.fromkeys([*columns, *facts])),
        kind=found.type.kind,
        _schema=schema,
        _program=_compiled(plan.applied(normal(text)), text),
        _plan=plan,
    )


def _compiled(rewritten: str, text: str) -> Any:
    import cel  # takes a second, so only where an expression is evaluated

    try:
        return cel.compile(rewritten)
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:  # the library's panics are no `Exception`
        raise ProtocolError(f'"{text}" cannot be read: {str(error).splitlines()[0]}') from error


def _is_there(column: pl.Series, *, nought: bool) -> pl.Series:
    """Whether there is a value; with `nought`, no and zero are values too."""
    there = column.is_not_null()
    if column.dtype.is_float():
        there &= column.is_not_nan().fill_null(False)
    if not nought and (column.dtype.is_numeric() or column.dtype == pl.Boolean):
        there &= column.cast(pl.Boolean).fill_null(False)
    return there.alias(column.name)
