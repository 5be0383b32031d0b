"""The one way to write to the database and the one way to read a moment of it.

SQLite lets one connection write at a time and is not fair to those that wait: some starve for seconds. So
writers queue on a lock of the workspace first. Whoever waits asks again every half a millisecond, which is
often enough that nobody is passed over for long, and lets each of them give up in time. PostgreSQL needs no
such queue.
"""

import fcntl
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.db import OperationalError, connection, transaction

__all__ = ["PATIENCE_SECONDS", "insert", "snapshot", "writing"]

# How long a writer waits. Somebody who sends a page then learns that it is not saved, and sends it again.
PATIENCE_SECONDS = 10.0
_ASK_AGAIN_SECONDS = 0.0005
_SHORT_SECONDS = 1.0

_in_process = threading.Lock()
_held = threading.local()


@contextmanager
def writing() -> Iterator[None]:
    """A transaction that writes: all of it is stored, durably, or none of it.

    Nested uses join the outermost. Nothing slow belongs inside: no network, no rendering.

    Raises:
        OperationalError: the database could not be written to in time, or at all; nothing was stored.
    """
    if getattr(_held, "depth", 0):
        with transaction.atomic(savepoint=False):
            yield
        return
    if connection.vendor != "sqlite":
        with _outermost(), transaction.atomic():
            yield
        return
    until = time.monotonic() + PATIENCE_SECONDS
    with _turn_in_process(until), _queue().open("a") as file:
        _turn_among_processes(file, until)
        with _outermost(), _patience(until), transaction.atomic():
            yield


def insert(table: str, columns: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> None:
    """Add rows that are as the database keeps them, by one statement; inside `writing()`.

    Django's own way makes the statement anew, value by value, which takes several times as long as the
    database does. This is for the few tables that get rows with every message.

    Args:
        table: its name in the database.
        columns: the names of those that are given, each with its type in PostgreSQL.
        rows: none, or so few that SQLite takes all of their values in one statement: 30,000.
    """
    if not rows:
        return
    if connection.vendor == "postgresql":  # a list for each column is quicker to send than many single values
        arrays = ", ".join(f"%s::{kind}[]" for kind in columns.values())
        made, values = f"* FROM unnest({arrays})", [list(column) for column in zip(*rows, strict=True)]
        verb = "SELECT"
    else:
        places = f"({', '.join(['%s'] * len(columns))})"
        made, values = ", ".join([places] * len(rows)), [value for row in rows for value in row]
        verb = "VALUES"
    with connection.cursor() as cursor:
        cursor.execute(" ".join(("INSERT INTO", table, f"({', '.join(columns)})", verb, made)), values)


@contextmanager
def snapshot() -> Iterator[None]:
    """Reads that all see the database as it stood at the first of them, without holding up any writer."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


@contextmanager
def _outermost() -> Iterator[None]:
    _held.depth = 1
    try:
        yield
    finally:
        _held.depth = 0


@contextmanager
def _turn_in_process(until: float) -> Iterator[None]:
    if not _in_process.acquire(timeout=max(0.0, until - time.monotonic())):
        raise OperationalError("the database is busy")
    try:
        yield
    finally:
        _in_process.release()


def _turn_among_processes(file: IO[str], until: float) -> None:
    """Hold the queue's lock until the file is closed."""
    while True:
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise OperationalError("the database is busy") from None
            time.sleep(_ASK_AGAIN_SECONDS)


@contextmanager
def _patience(until: float) -> Iterator[None]:
    """A writer that is not in the queue (a backup, a shell) is waited for with what is left of the time.

    Without this, everybody in the queue would wait the whole time, one after the other.
    """
    left = max(0.0, until - time.monotonic())
    if left > PATIENCE_SECONDS - _SHORT_SECONDS:  # the usual case needs no statement of its own
        yield
        return
    _set_patience(left)
    try:
        yield
    finally:
        _set_patience(PATIENCE_SECONDS)


def _set_patience(seconds: float) -> None:
    connection.ensure_connection()
    connection.connection.execute(f"PRAGMA busy_timeout = {round(seconds * 1000)}")


def _queue() -> Path:
    return Path(settings.WORKSPACE.folder) / ".writers"
