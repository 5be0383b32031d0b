"""Whether the database has the tables that this version expects: all of them, and none of a later version.

Each version that opens a workspace enters itself in its record, so that it can be told later which one wrote
what.
"""

import json
from dataclasses import dataclass
from functools import cache

from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from equipoise import __version__
from equipoise.errors import InputError, Problem
from equipoise.platform.audit.actions import WORKSPACE_CHAIN, record
from equipoise.platform.audit.models import Entry
from equipoise.platform.database import writing

__all__ = [
    "Migrations",
    "bring_up_to_date",
    "last_version",
    "migrations",
    "note_version",
    "refuse_later",
    "refuse_other",
]

OPENED = "workspace.version"


@dataclass(frozen=True)
class Migrations:
    """What is not yet applied, and what is applied and unknown here; each as `app.name`. `any` is false for a
    database that nothing was ever applied to."""

    pending: tuple[str, ...]
    unknown: tuple[str, ...]
    any: bool = True


def migrations() -> Migrations:
    """Compare the database with this installation; one short query.

    Raises:
        DatabaseError: the database cannot be asked.
    """
    known = _known()
    apps = {name.partition(".")[0] for name in known}
    applied = {f"{app}.{name}" for app, name in MigrationRecorder(connection).applied_migrations()}
    ours = {name for name in applied if name.partition(".")[0] in apps}
    return Migrations(tuple(sorted(known - applied)), tuple(sorted(ours - known)), bool(applied))


def bring_up_to_date() -> None:
    """Make the tables those of this version, all of it or nothing.

    One transaction holds it all. By itself Django enters some changes as made only after they were stored:
    killed in between, it would make them again with the next start, and fail for ever.
    """
    with connection.constraint_checks_disabled(), transaction.atomic():
        call_command("migrate", verbosity=0, interactive=False)


def refuse_later() -> None:
    """Stop before a database that a later version has changed is touched.

    Raises:
        InputError: names the first change that is not known here.
    """
    unknown = migrations().unknown
    if unknown:
        app, _, name = unknown[0].partition(".")
        message = (
            f"was made by a later version (it has {app} {name}); start that version, or restore a backup"
        )
        raise InputError(Problem("database", "", message))


def refuse_other() -> None:
    """Stop whoever would work with tables of another version, later or earlier.

    A database without any tables is left to what then fails: there is nothing in it to harm.

    Raises:
        InputError: says which version to start.
    """
    refuse_later()
    found = migrations()
    if found.pending and found.any:
        message = (
            f"is still as an earlier version left it ({len(found.pending)} changes are not made); "
            "`equipoise serve` makes them when it starts"
        )
        raise InputError(Problem("database", "", message))


def note_version() -> None:
    """Enter in the workspace's record that this version opened it, unless it was the last one that did."""
    last = last_version()
    if last != __version__:
        with writing():
            record(WORKSPACE_CHAIN, "system", OPENED, {"version": __version__, "before": last})


def last_version() -> str | None:
    """The version that opened the workspace last; None where the record knows of none, before 0.2.0."""
    rows = Entry.objects.filter(chain_id=WORKSPACE_CHAIN, verb=OPENED).order_by("-number")
    said = rows.values_list("details", flat=True).first()
    return None if said is None else str(json.loads(said)["version"])


@cache
def _known() -> frozenset[str]:
    """Those of this installation; without a connection the loader asks no database."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return frozenset(f"{app}.{name}" for app, name in loader.disk_migrations)
