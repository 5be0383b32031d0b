"""Where a problem of protocol.yaml stands, and the two shapes that most problems have."""

from collections.abc import Iterable, Iterator

from equipoise.errors import EquipoiseError, Problem, nearest
from equipoise.protocol.expressions import Schema, check_expression
from equipoise.protocol.study import Study

__all__ = ["at", "expression_problems", "time_problems", "unknown"]

Path = tuple[str | int, ...]


def at(study: Study, *path: str | int, message: str) -> Problem:
    """A problem at a path of protocol.yaml."""
    return study.documents["protocol.yaml"].problem(path, message)


def unknown(study: Study, path: Path, found: str, what: str, allowed: Iterable[str], plural: str) -> Problem:
    """`"affter" is not a wave of this study. Waves: before, after. Did you mean "after"?`"""
    allowed = list(allowed)
    listed = nearest(found, allowed)
    return at(study, *path, message=f'"{found}" is not {what}. {plural}: {listed}')


def expression_problems(
    study: Study, path: Path, text: str | None, schema: Schema, *, expects: str = "bool"
) -> Iterator[Problem]:
    """What is wrong with an expression, at its place."""
    if text is not None:
        for message in check_expression(text, schema, expects=expects):
            yield at(study, *path, message=message)


def time_problems(study: Study, path: Path, error: EquipoiseError) -> Problem:
    """An error of the language of times, at its place."""
    return at(study, *path, message=str(error))
