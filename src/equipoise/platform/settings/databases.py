"""The database: a file of the workspace, or the PostgreSQL that DATABASE_URL names."""

from pathlib import Path
from typing import Any

from equipoise.errors import InputError, Problem

__all__ = ["SQLITE_PRAGMAS", "databases"]

# FULL: a page that was acknowledged is on the disk, whatever happens to the power. secure_delete: what is
# erased is overwritten.
SQLITE_PRAGMAS = (
    "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA secure_delete=ON;"
)
_WAIT_SECONDS = 10  # as long as `database.writing` waits


def databases(folder: Path, url: str | None) -> dict[str, dict[str, Any]]:
    """Django's DATABASES.

    Args:
        folder: of the workspace.
        url: DATABASE_URL, or None for SQLite.
    Raises:
        InputError: the address is not that of a PostgreSQL.
    """
    return {"default": _postgresql(url) if url else _sqlite(folder)}


def _sqlite(folder: Path) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": folder / "database.sqlite3",
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            # A transaction that reads and then writes is refused at once unless it takes the lock at its
            # start.
            "transaction_mode": "IMMEDIATE",
            "init_command": SQLITE_PRAGMAS,
            "timeout": _WAIT_SECONDS,
        },
        "TEST": {"NAME": str(folder / "test.sqlite3")},
    }


def _postgresql(url: str) -> dict[str, Any]:
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        if not url.startswith(("postgresql://", "postgres://")):
            raise ProgrammingError
        parts = conninfo_to_dict(url)
    except ProgrammingError:  # what it says may hold the password
        message = (
            "this is no address of a PostgreSQL; expected postgresql://NAME:PASSWORD@HOST/DATABASE, in which "
            "a letter such as @, / or % in the password is written as %40, %2F or %25"
        )
        raise InputError(Problem("DATABASE_URL", "", message)) from None
    named = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        **{django: parts.pop(name) for name, django in named.items() if name in parts},
        "OPTIONS": {"connect_timeout": 10, **parts},
    }
