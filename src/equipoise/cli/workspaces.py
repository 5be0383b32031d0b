"""A workspace that a command works in."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from equipoise.errors import InputError, Problem

__all__ = ["at_work_in"]


@contextmanager
def at_work_in(folder: Path, *, of_any_version: bool = False) -> Iterator[None]:
    """Work in a workspace; what the database refuses is told in words.

    Args:
        folder: of a workspace that has been served once.
        of_any_version: whether its tables may be those of an earlier version, because they are about to be
            brought up to date.
    Raises:
        InputError: there is no workspace, its database is busy or was never set up, or its tables are those
            of another version.
    """
    from equipoise.platform.workspace import activate, open_workspace

    activate(open_workspace(folder))
    from django.db import DatabaseError

    from equipoise.platform.operations.schema import refuse_other

    try:
        if not of_any_version:
            refuse_other()
        yield
    except DatabaseError as error:
        raise InputError(Problem(str(folder), "database", _why(str(error)))) from None


def _why(said: str) -> str:
    """What the database's own words mean for whoever gave the command."""
    if "busy" in said or "locked" in said:
        return "is busy with something else; try again in a minute"
    if "full" in said or "I/O" in said:
        return (
            "cannot be written to: the disk is full, or fails; nothing of this was stored, so make room first"
        )
    return "cannot be read or was never set up; `equipoise serve WORKSPACE` sets it up"
