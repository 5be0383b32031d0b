"""The one way to write to the database and the one way to read a moment of it.

SQLite lets one connection write at a time and is not fair to those that wait: some starve for seconds. So
writers queue on a lock of the workspace first, in the order in which they come. PostgreSQL needs no such
queue.
"""

import fcntl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

__all__ = ["snapshot", "writing"]

_in_process = threading.Lock()
_held = threading.local()


@contextmanager
def writing() -> Iterator[None]:
    """A transaction that writes: all of it is stored, durably, or none of it.

    Nested uses join the outermost. Nothing slow belongs inside: no network, no rendering.
    """
    if connection.vendor != "sqlite" or getattr(_held, "depth", 0):
        with transaction.atomic():
            yield
        return
    with _in_process, _queue().open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        _held.depth = 1
        try:
            with transaction.atomic():
                yield
        finally:
            _held.depth = 0


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


def _queue() -> Path:
    return Path(settings.WORKSPACE.folder) / ".writers"
