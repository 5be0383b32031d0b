"""Whether the database has the tables that this version expects: all of them, and none of a later version."""

from dataclasses import dataclass
from functools import cache

from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

__all__ = ["Migrations", "migrations"]


@dataclass(frozen=True)
class Migrations:
    """What is not yet applied, and what is applied and unknown here; each as `app.name`."""

    pending: tuple[str, ...]
    unknown: tuple[str, ...]


def migrations() -> Migrations:
    """Compare the database with this installation; one short query.

    Raises:
        DatabaseError: the database cannot be asked.
    """
    known = _known()
    apps = {name.partition(".")[0] for name in known}
    applied = {f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations()}
    ours = {name for name in applied if name.partition(".")[0] in apps}
    return Migrations(tuple(sorted(known - applied)), tuple(sorted(ours - known)))


@cache
def _known() -> frozenset[str]:
    """Those of this installation; without a connection the loader asks no database."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return frozenset(f"{app}.{name}" for app, name in loader.disk_migrations)
