"""What a workspace is refused for at its start: each unsafe setting by name, with what to do about it."""

import shutil
import stat
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from equipoise.errors import InputError, Problem
from equipoise.platform.workspace import KEY_FILES, SETTINGS, Workspace

__all__ = ["is_loopback", "unsafe", "unsafe_database"]

_LEAST_FREE = 200_000_000  # bytes: a full disk loses no answer, but takes none either


def unsafe(workspace: Workspace, bind: str, *, tls: bool) -> list[Problem]:
    """What must be put right before a workspace is served.

    Args:
        workspace: opened.
        bind: `HOST:PORT` on which it will listen.
        tls: whether it speaks TLS itself.
    Returns:
        Nothing when all is well. A rehearsal, where nobody real takes part, may do without TLS.
    """
    return [*_origin(workspace, bind, tls), *_keys(workspace), *_files(workspace), *_mail(workspace)]


def unsafe_database() -> list[Problem]:
    """What the database itself says of how it keeps things; Django must be ready."""
    from django.db import connection

    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            return list(_sqlite(cursor))
        return list(_postgresql(cursor))


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine alone."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _origin(workspace: Workspace, bind: str, tls: bool) -> Iterator[Problem]:
    place, origin = _place(workspace), urlsplit(workspace.settings.origin)
    if origin.scheme not in ("http", "https") or not origin.hostname or origin.path.strip("/"):
        yield Problem(
            place,
            "origin",
            f"found {workspace.settings.origin}; expected https://HOST or http://localhost:8000",
        )
        return
    if "*" in workspace.settings.proxies:
        yield Problem(place, "proxies", "names everybody; name the addresses of your own proxies")
    if not workspace.live:
        return
    public = not is_loopback(bind.rpartition(":")[0])
    if public and not tls:
        message = "a live workspace speaks plain HTTP on loopback only; put a proxy with TLS in front of it"
        yield Problem("--bind", bind, message)
    if origin.scheme != "https" and not is_loopback(origin.hostname):
        yield Problem(place, "origin", "begins with http; links to participants must begin with https")


def _keys(workspace: Workspace) -> Iterator[Problem]:
    values: dict[bytes, str] = {}
    for name in (*KEY_FILES[:2], *(workspace.contact_keys() or KEY_FILES[2:])):
        try:
            value = workspace.key(name)
        except InputError as error:
            yield from error.problems
            continue
        if value in values:
            yield Problem(f"keys/{name}.key", "", f"is the same as {values[value]}; each key is its own")
        values[value] = name


def _files(workspace: Workspace) -> Iterator[Problem]:
    places = [*sorted((workspace.folder / "keys").glob("*.key")), workspace.folder / "database.sqlite3"]
    for place in places:
        if place.is_file() and place.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            yield Problem(str(place), "", f"can be read by others; run: chmod 600 {place}")
    free = shutil.disk_usage(workspace.folder).free
    if free < _LEAST_FREE:
        yield Problem(
            str(workspace.folder), "", f"{free // 1_000_000} MB are free on this disk; make room first"
        )


def _mail(workspace: Workspace) -> Iterator[Problem]:
    mail = workspace.settings.mail
    if mail is not None and mail.security == "none" and workspace.live and not is_loopback(mail.host):
        yield Problem(
            _place(workspace), "mail.security", "mail without TLS shows addresses; use starttls or tls"
        )


def _sqlite(cursor: object) -> Iterator[Problem]:
    wanted = {"synchronous": (2, "FULL"), "journal_mode": ("wal", "WAL"), "foreign_keys": (1, "ON")}
    for name, (value, word) in wanted.items():
        cursor.execute(f"PRAGMA {name}")  # type: ignore[attr-defined]
        found = cursor.fetchone()[0]  # type: ignore[attr-defined]
        if found != value:
            message = f"is {found}, and answers are safe with {word} only; is this a network file system?"
            yield Problem("database.sqlite3", name, message)


def _postgresql(cursor: object) -> Iterator[Problem]:
    for name in ("fsync", "synchronous_commit", "full_page_writes"):
        cursor.execute("SELECT current_setting(%s)", [name])  # type: ignore[attr-defined]
        found = cursor.fetchone()[0]  # type: ignore[attr-defined]
        if found in ("off", "local") and not (name == "synchronous_commit" and found == "local"):
            message = f"is {found}: an answer that was acknowledged could be lost; set it to on"
            yield Problem("DATABASE_URL", name, message)


def _place(workspace: Workspace) -> str:
    return str(Path(workspace.folder) / SETTINGS)
