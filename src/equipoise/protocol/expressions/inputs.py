"""Rows as the CEL library takes them."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from equipoise.errors import InputError, Problem
from equipoise.protocol.expressions.rewriting import Rewriting, fact_column
from equipoise.protocol.expressions.schema import Schema
from equipoise.protocol.expressions.values import CONVERSIONS, EXPECTATIONS, constant, functions, is_missing

__all__ = ["Inputs"]


class Inputs:
    """The library's context for each row: values of the types declared, and nothing for what is missing."""

    def __init__(self, schema: Schema, plan: Rewriting) -> None:
        import cel

        self.context, self.schema, self.plan = cel.Context, schema, plan
        self.zone = ZoneInfo(schema.zone)
        self.problems: list[Problem] = []
        self.functions = functions(plan.functions, self.zone)
        constants = {name: constant(value, self.zone) for name, value in schema.constants.items()}
        self.constants = {name: value for name, value in constants.items() if name not in schema.columns}
        self.kinds = {name: column.kind for name, column in schema.columns.items()}

    def of(self, row: Mapping[str, object], place: str) -> Any:
        """The context of one row; what is wrong in it is kept for `refuse`."""
        plan, values = self.plan, dict[str, object](self.plan.fixed)
        for name in plan.valued:
            value = self._value(name, row, place)
            if value is not None:
                values[name] = value
        for name, hidden in plan.tested.items():
            raw = row.get(name) if name in self.kinds else self.constants[name]
            values[hidden] = is_missing(raw)
        for (function, name), hidden in plan.facts.items():
            column = fact_column(function, name)
            if column in row:
                values[hidden] = not is_missing(row[column]) and bool(row[column])
        return self.context(variables=values, functions=self.functions)

    def refuse(self) -> None:
        """Raise what was wrong in all rows."""
        if self.problems:
            raise InputError(self.problems)

    def _value(self, name: str, row: Mapping[str, object], place: str) -> object:
        if name not in self.kinds:
            return self.constants[name]
        raw = row.get(name)
        if is_missing(raw):
            return None
        try:
            return CONVERSIONS[self.kinds[name]](raw, self.zone)
        except (ValueError, TypeError, OverflowError):
            wanted = EXPECTATIONS[self.kinds[name]]
            self.problems.append(Problem(place, name, f'found "{raw}", expected {wanted}'))
            return None
