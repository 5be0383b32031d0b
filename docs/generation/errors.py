"""The one tree of errors."""

import inspect
from collections.abc import Iterator

from equipoise import errors
from generation.markdown import docstring, table

__all__ = ["pages"]


def pages() -> Iterator[tuple[str, str]]:
    """The tree as its module draws it, and each error's meaning and exit code."""
    classes = [
        thing
        for name in errors.__all__
        if inspect.isclass(thing := getattr(errors, name)) and issubclass(thing, errors.EquipoiseError)
    ]
    rows = [(f"`{each.__name__}`", docstring(each).strip(), str(each.exit_code)) for each in classes]
    yield (
        "errors.md",
        f"# Errors\n\n{docstring(errors)}\n" + table(("Error", "Means", "Exit code"), sorted(rows)),
    )
