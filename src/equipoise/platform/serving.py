"""Bringing a workspace up: its database and style sheets made ready, then the web server and the worker."""

import fcntl
import hashlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from equipoise.errors import InputError, Problem
from equipoise.platform.workspace import Workspace

__all__ = ["Serving", "make_ready", "serve"]

_STATIC_STAMP = ".made-from"


@dataclass(frozen=True)
class Serving:
    """How a workspace is served.

    Attributes:
        host, port: where it listens.
        workers: processes; SQLite has one writer at a time, so few are enough.
        threads: of each process.
        certificate, key: of TLS, or None.
        worker: whether the worker runs beside it.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 2
    threads: int = 4
    certificate: Path | None = None
    key: Path | None = None
    worker: bool = True


def make_ready(workspace: Workspace) -> None:
    """Migrate the database and gather the style sheets; one process at a time.

    Raises:
        InputError: the database was made by a later version, or the style sheets are missing.
    """
    from django.core.management import call_command

    with _alone(workspace.folder / ".setting-up"):
        _refuse_newer()
        call_command("migrate", verbosity=0, interactive=False)
        database = workspace.folder / "database.sqlite3"
        if database.is_file():
            database.chmod(0o600)
        _gather_static(workspace)


def serve(workspace: Workspace, how: Serving) -> None:
    """Serve until told to stop (Ctrl-C or SIGTERM); requests that are being answered are finished."""
    from granian import Granian
    from granian.constants import Interfaces

    stopping = threading.Event()
    beside = threading.Thread(target=_keep_working, args=(workspace, stopping), daemon=True)
    if how.worker:
        beside.start()
    try:
        Granian(
            "equipoise.platform.wsgi:application",
            address=how.host,
            port=how.port,
            interface=Interfaces.WSGI,
            workers=how.workers,
            blocking_threads=how.threads,
            backlog=1024,
            backpressure=256,
            ssl_cert=how.certificate,
            ssl_key=how.key,
            log_access=False,
            log_level="warning",
            respawn_failed_workers=True,
            websockets=False,
        ).serve()
    finally:
        stopping.set()
        if how.worker:
            beside.join(timeout=15)


def _keep_working(workspace: Workspace, stopping: threading.Event) -> None:
    """Run the worker as a process of its own, and again whenever it dies."""
    command = [sys.executable, "-m", "equipoise", "work", str(workspace.folder), "--quiet"]
    while not stopping.is_set():
        process = subprocess.Popen(command, start_new_session=True)  # noqa: S603
        while process.poll() is None and not stopping.wait(0.2):
            pass
        if process.poll() is None:
            process.terminate()
            process.wait()
        stopping.wait(2)


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    with place.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _refuse_newer() -> None:
    from django.db import connection
    from django.db.migrations.loader import MigrationLoader

    loader = MigrationLoader(connection)
    ours = {app for app, _ in loader.disk_migrations}
    unknown = [
        key for key in loader.applied_migrations if key[0] in ours and key not in loader.disk_migrations
    ]
    if unknown:
        app, name = sorted(unknown)[0]
        message = (
            f"was made by a later version (it has {app} {name}); start that version, or restore a backup"
        )
        raise InputError(Problem("database", "", message))


def _gather_static(workspace: Workspace) -> None:
    """Copy the style sheets into the workspace when they differ from those that are there."""
    from django.core.management import call_command

    sheets = Path(__file__).parent / "pages" / "static" / "equipoise"
    files = sorted(path for path in sheets.rglob("*") if path.is_file())
    if not any(path.suffix == ".css" for path in files):
        message = "the style sheets are missing from this installation; install it whole, or run: make assets"
        raise InputError(Problem(str(sheets), "", message))
    digest = hashlib.sha256(b"".join(path.name.encode() + path.read_bytes() for path in files)).hexdigest()
    stamp = workspace.folder / "static" / _STATIC_STAMP
    if stamp.is_file() and stamp.read_text("ascii") == digest:
        return
    call_command("collectstatic", verbosity=0, interactive=False, clear=True)
    temporary = stamp.with_suffix(".new")
    temporary.write_text(digest, "ascii")
    temporary.replace(stamp)
