"""Queries whose SQL is written once and kept.

Django writes a query's SQL anew each time that it is asked, which takes several times as long as the
database's answer. For the few queries that every page for participants asks, that is half of the page's time.
What comes back is what the query itself would give, and a test holds it to that.
"""

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from django.db import connections
from django.db.models.query import ModelIterable, QuerySet, get_related_populators

__all__ = ["KeptQuery"]

Row = TypeVar("Row")
_DATABASE = "default"


class KeptQuery(Generic[Row]):
    """A query with places for values.

    Args:
        written: gives the query for some values.
        marks: values of the right types that stand nowhere else in the query; each keeps a place open. A
            value may not be compared in a way that changes the SQL, as None would.
    """

    def __init__(self, written: "Callable[..., QuerySet[Any]]", *marks: str | int) -> None:
        self.written, self.marks = written, marks
        self._local = threading.local()  # what is kept holds on to the thread's connection

    def all(self, *values: str | int) -> list[Row]:
        """Every row for these values, in the order of the marks: objects, or the tuples of `values_list`."""
        connection = connections[_DATABASE]
        kept = getattr(self._local, "kept", None)
        if kept is None or kept.connection is not connection:
            kept = self._local.kept = _Kept(self.written(*self.marks), self.marks, connection)
        with connection.cursor() as cursor:
            cursor.execute(kept.sql, [values[one] if held else one for held, one in kept.parameters])
            rows = cursor.fetchall()
        return kept.made(rows)

    def first(self, *values: str | int) -> Row | None:
        """The first row, or None."""
        return next(iter(self.all(*values)), None)


class _Kept:
    """The SQL, where its values stand, and how a row becomes an object."""

    def __init__(self, query: "QuerySet[Any]", marks: tuple[str | int, ...], connection: Any) -> None:
        self.connection = connection
        self.compiler = query.query.get_compiler(using=_DATABASE)
        self.sql, parameters = self.compiler.as_sql()
        self.parameters = [(one in marks, marks.index(one) if one in marks else one) for one in parameters]
        self.converters = self.compiler.get_converters([column for column, *_ in self.compiler.select])
        objects = issubclass(query._iterable_class, ModelIterable)
        self.described = self.compiler.klass_info if objects else None
        if self.described is not None:
            places = self.described["select_fields"]
            self.model, self.begin, self.end = self.described["model"], places[0], places[-1] + 1
            self.names = [self.compiler.select[place][0].target.attname for place in places]
            self.others = get_related_populators(self.described, self.compiler.select, _DATABASE)

    def made(self, rows: list[Any]) -> list[Any]:
        """Rows as the query gives them."""
        if self.converters:
            rows = [tuple(row) for row in self.compiler.apply_converters(rows, self.converters)]
        return rows if self.described is None else [self._object(row) for row in rows]

    def _object(self, row: tuple[Any, ...]) -> Any:
        one = self.model.from_db(_DATABASE, self.names, row[self.begin : self.end])
        for other in self.others:
            other.populate(row, one)
        return one
