"""What the database tells: how it keeps things, its tables, its clock, its keys, how far the seals are."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection

from equipoise import __version__
from equipoise.platform.audit.models import Entry, RehearsalClock
from equipoise.platform.delivery.engine.sealing import events_waiting
from equipoise.platform.operations.checks.finding import Finding, good, note, wrong
from equipoise.platform.operations.keys import key_faults, keys_in_use
from equipoise.platform.operations.measures import Waiting, waiting_for_a_seal
from equipoise.platform.operations.schema import last_version, migrations
from equipoise.platform.startup import unsafe_database, unsafe_settings
from equipoise.platform.workspace import Workspace

__all__ = ["clock", "durable", "keys", "seals", "tables", "there"]

_APART = timedelta(seconds=5)
_BEFORE_US = datetime(2025, 1, 1, tzinfo=UTC)
_LATE_SECONDS = 300
_SET_UP = "`equipoise serve WORKSPACE` sets it up"


def there(workspace: Workspace) -> Iterator[Finding]:
    """Whether there is a database; without it nothing else of it can be asked."""
    name = connection.settings_dict["NAME"]
    if connection.vendor == "sqlite" and not Path(name).is_file():
        yield wrong("database", "there is none yet", _SET_UP)
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM django_migrations")
    yield good("database", "it answers")


def durable(workspace: Workspace) -> Iterator[Finding]:
    """Settings of the database and of Django under which something could be lost or seen."""
    problems = [*unsafe_database(), *unsafe_settings()]
    for problem in problems:
        yield wrong("settings", str(problem), "put it back to what Equipoise sets")
    if not problems:
        yield good("settings", "what is acknowledged is on the disk; pages are protected as they should be")


def tables(workspace: Workspace) -> Iterator[Finding]:
    """Whether the tables are those of this version."""
    found = migrations()
    if found.unknown:
        remedy = "start the later version, or restore a backup that was made before it"
        yield wrong("tables", f"made by a later version ({found.unknown[0]})", remedy)
    if found.pending:
        yield wrong(
            "tables", f"{len(found.pending)} changes are not made yet", "start `equipoise serve` again"
        )
    if not found.unknown and not found.pending:
        last = last_version()
        opened = "a version before 0.2.0" if last is None else f"version {last}"
        yield good("tables", f"those of this version, {__version__}; last opened with {opened}")


def clock(workspace: Workspace) -> Iterator[Finding]:
    """Live: whether this machine's clock can be believed. A rehearsal has one of its own."""
    if not workspace.live:
        row = RehearsalClock.objects.first()
        stands = f"stands at {row.moment:%Y-%m-%d %H:%M} UTC" if row else "has not been set"
        yield note("clock", f"a rehearsal, whose clock {stands}")
        return
    here, remedy = datetime.now(UTC), "let this machine take its time from the network (NTP)"
    last = Entry.objects.order_by("-pk").values_list("at", flat=True).first()
    if here < _BEFORE_US or (last is not None and here + _APART < datetime.fromisoformat(last)):
        yield wrong("clock", f"this machine says {here:%Y-%m-%d %H:%M} UTC, which is past", remedy)
        return
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            apart = abs(cursor.fetchone()[0] - datetime.now(UTC))
        if apart > _APART:
            said = f"this machine and the database are {apart.total_seconds():.0f} s apart"
            yield wrong("clock", said, "let both machines take their time from the network (NTP)")
            return
    yield good("clock", f"this machine says {here:%Y-%m-%d %H:%M} UTC, and nothing speaks against it")


def keys(workspace: Workspace) -> Iterator[Finding]:
    """Whether every key is there that anything was wrapped by, and opens it."""
    found = list(key_faults())
    for name, why in found:
        remedy = f"put {name}.key back into keys/ from where keys are kept"
        yield wrong("keys", f"{name}: {why.partition(';')[0]}", remedy)
    if not found:
        used = keys_in_use()
        spare = [name for name in list(settings.WORKSPACE.contact_keys())[:-1] if name not in used]
        older = f"; only backups need {', '.join(spare)}" if spare else ""
        yield good("keys", f"all are there, and each opens what it protects{older}")


def seals(workspace: Workspace) -> Iterator[Finding]:
    """Whether what participants sent, and what was sent to them, is sealed but for the last minutes."""
    pages = waiting_for_a_seal()
    events, since = events_waiting()
    number, seconds = pages.number + events, max(pages.seconds, Waiting(events, since).seconds)
    what = "pages and events of messages" if events else "pages"
    said = f"{number:,} {what} wait for a seal, the oldest for {seconds / 60:,.0f} minutes"
    if seconds > _LATE_SECONDS:
        yield wrong("seals", said, "see that the worker runs; what it logs says why it does not seal")
    else:
        yield good("seals", said if number else "everything that was sent is sealed")
