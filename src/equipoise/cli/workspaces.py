"""A workspace that a command works in."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from equipoise.errors import InputError, Problem

__all__ = ["at_work_in"]


@contextmanager
def at_work_in(folder: Path) -> Iterator[None]:
    """Work in a workspace; what the database refuses is told in words.

    Args:
        folder: of a workspace that has been served once.
    Raises:
        InputError: there is no workspace, or its database is busy or was never set up.
    """
    from equipoise.platform.workspace import activate, open_workspace

    activate(open_workspace(folder))
    from django.db import DatabaseError

    try:
        yield
    except DatabaseError as error:
        busy = "busy" in str(error) or "locked" in str(error)
        message = (
            "is busy with something else; try again in a minute"
            if busy
            else "cannot be read or was never set up; `equipoise serve WORKSPACE` sets it up"
        )
        raise InputError(Problem(str(folder), "database", message)) from None
