"""Bringing a workspace up: its database and style sheets made ready, then the web server and the worker."""

import hashlib
import multiprocessing
import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from equipoise.errors import InputError, Problem
from equipoise.platform.processes import heed_the_stop, in_turn, only_one
from equipoise.platform.workspace import Workspace

__all__ = ["Serving", "make_ready", "serve"]

_STATIC_STAMP = ".made-from"
_STOP_SECONDS = 20  # for requests that are being answered


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
        InputError: the database cannot be reached or was made by a later version, or the style sheets are
            missing.
    """
    from equipoise.platform.operations.schema import bring_up_to_date, note_version, refuse_later

    with in_turn(workspace.folder / ".setting-up"):
        _reach_database()
        refuse_later()
        bring_up_to_date()
        note_version()
        database = workspace.folder / "database.sqlite3"
        if database.is_file():
            database.chmod(0o600)
        _gather_static(workspace)


def serve(workspace: Workspace, how: Serving, *, listening: Callable[[], None]) -> None:
    """Serve until told to stop (Ctrl-C or SIGTERM); requests that are being answered are finished.

    Args:
        workspace: activated and made ready.
        how: where and by how many.
        listening: called once the port is ours.
    Raises:
        InputError: the workspace is being served already, or the port is taken.
    """
    from equipoise.platform.wsgi import loaded

    stopping = threading.Event()
    beside = threading.Thread(target=_keep_working, args=(workspace, stopping), daemon=True)
    with _only_server(workspace):
        _refuse_taken(how)
        _refuse_certificate(how)
        if how.worker:
            beside.start()
        try:
            heed_the_stop()
            server = _server(how)
            server.on_startup(listening)
            server.serve(target_loader=partial(loaded, os.getpid(), _STOP_SECONDS))
        finally:
            stopping.set()
            if how.worker:
                beside.join(timeout=_STOP_SECONDS)


def _only_server(workspace: Workspace) -> AbstractContextManager[None]:
    """With a file for its database a workspace is served once; on PostgreSQL by any number of machines."""
    if workspace.database_url is not None:
        return nullcontext()
    message = "is being served already; stop that first, or give it more processes with --workers"
    return only_one(workspace.folder / ".serving", message)


def _refuse_taken(how: Serving) -> None:
    """The server's own socket can be shared, so that a second one would get half of the visitors."""
    family = socket.AF_INET6 if ":" in how.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((how.host, how.port))
        except OSError as error:
            why = (error.strerror or "no such address").lower()
            message = f"cannot be listened on: {why}; name another with --bind"
            raise InputError(Problem(f"{how.host}:{how.port}", "", message)) from None


def _refuse_certificate(how: Serving) -> None:
    if how.certificate is None or how.key is None:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(how.certificate, how.key)
    except ssl.SSLError as error:
        why = (error.reason or "not a certificate").lower().replace("_", " ")
        message = f"does not go with {how.key}, or one of them is none ({why}); both are PEM files"
        raise InputError(Problem(str(how.certificate), "", message)) from None


def _server(how: Serving) -> Any:
    # Processes are begun anew and not as copies of this one: libraries in it have threads, whose locks a copy
    # would inherit held.
    multiprocessing.set_start_method("spawn", force=True)
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces
    from granian.log import LogLevels

    return Granian(
        "equipoise",  # names the processes; what they run is given to `serve`
        address=how.host,
        port=how.port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        workers=how.workers,
        blocking_threads=how.threads,
        backlog=1024,
        backpressure=256,
        ssl_cert=how.certificate,
        ssl_key=how.key,
        log_access=False,  # addresses hold tokens
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=None,  # each ends by itself; some that have ended would be said to refuse it
        websockets=False,
    )


def _keep_working(workspace: Workspace, stopping: threading.Event) -> None:
    """Run the worker as a process of its own, and again whenever it dies."""
    command = [sys.executable, "-m", "equipoise", "work", str(workspace.folder), "--quiet"]
    command += ["--parent", str(os.getpid())]
    while not stopping.is_set():
        process = subprocess.Popen(command, start_new_session=True)  # noqa: S603
        while process.poll() is None and not stopping.wait(0.2):
            pass
        if process.poll() is None:
            process.terminate()
            process.wait()
        stopping.wait(2)


def _reach_database() -> None:
    from django.db import OperationalError, connection

    try:
        connection.ensure_connection()
    except OperationalError as error:
        why = str(error).strip().splitlines()[0]
        place = "DATABASE_URL" if connection.vendor == "postgresql" else "database.sqlite3"
        raise InputError(Problem(place, "", f"the database cannot be opened: {why}")) from None


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
