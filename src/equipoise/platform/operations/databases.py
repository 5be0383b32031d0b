"""A copy of the database as of one moment, while people write to it."""

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from django.db import connection

from equipoise.errors import CheckFailedError
from equipoise.platform.audit.queries import Head
from equipoise.platform.database import snapshot
from equipoise.platform.operations.postgresql import run_program

__all__ = ["Copied", "copy_database", "database_size"]

_BUSY_SECONDS = 60.0


@dataclass(frozen=True)
class Copied:
    """A copy of the database.

    Attributes:
        path: where it lies.
        kind, version: of the database.
        heads: of the record's chains in it.
        versions: the folders of studies that it speaks of, below `studies`.
        migrations: those that were applied, as `app.name`.
    """

    path: Path
    kind: Literal["sqlite", "postgresql"]
    version: str
    heads: dict[str, Head]
    versions: tuple[str, ...]
    migrations: tuple[str, ...]


def database_size() -> int:
    """How many bytes the database takes."""
    if connection.vendor == "sqlite":
        place = Path(connection.settings_dict["NAME"])
        return sum(path.stat().st_size for path in place.parent.glob(f"{place.name}*"))
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])


def copy_database(folder: Path) -> Copied:
    """Copy the database as of one moment; nobody waits for it.

    Args:
        folder: where the copy is put; nobody else may read it.
    Raises:
        InputError: PostgreSQL's own program for it is missing, or failed.
        CheckFailedError: the copy is damaged, and so is the database.
    """
    return _sqlite(folder) if connection.vendor == "sqlite" else _postgresql(folder)


def _sqlite(folder: Path) -> Copied:
    target = folder / "database.sqlite3"
    with closing(sqlite3.connect(connection.settings_dict["NAME"], timeout=_BUSY_SECONDS)) as source:
        source.isolation_level = None
        source.execute("VACUUM INTO ?", [str(target)])
    target.chmod(0o600)
    with closing(sqlite3.connect(target)) as made:
        if made.execute("PRAGMA quick_check").fetchall() != [("ok",)]:
            raise CheckFailedError("the database is damaged; stop the workspace and restore a backup")
        return Copied(
            target, "sqlite", sqlite3.sqlite_version, **_told(lambda sql: made.execute(sql).fetchall())
        )


def _postgresql(folder: Path) -> Copied:
    """What `pg_dump` copies and what is read here are of the same moment: it takes over the snapshot."""
    target = folder / "database.dump"
    with snapshot(), connection.cursor() as cursor:

        def ask(sql: str) -> list[tuple[Any, ...]]:
            cursor.execute(sql)
            return list(cursor.fetchall())

        held = ask("SELECT pg_export_snapshot(), current_setting('server_version_num')::int")[0]
        parts = connection.get_connection_params()
        options = ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={held[0]}"]
        run_program("pg_dump", held[1] // 10_000, [*options, f"--file={target}"], parts)
        version = f"{held[1] // 10_000}.{held[1] % 10_000}"
        return Copied(target, "postgresql", version, **_told(ask))


def _told(ask: Callable[[str], Sequence[tuple[Any, ...]]]) -> dict[str, Any]:
    heads = ask("SELECT name, number, head FROM audit_chain ORDER BY name")
    versions = ask("SELECT folder FROM registry_studyversion ORDER BY folder")
    applied = ask("SELECT app, name FROM django_migrations ORDER BY app, name")
    return {
        "heads": {name: Head(number, head) for name, number, head in heads},
        "versions": tuple(folder for (folder,) in versions),
        "migrations": tuple(sorted({f"{app}.{name}" for app, name in applied})),
    }
