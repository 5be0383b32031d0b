"""What a workspace is refused for at its start: each unsafe setting by name, with what to do about it."""

import os
import shutil
import stat
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from equipoise.errors import InputError, Problem
from equipoise.platform.workspace import KEY_FILES, SETTINGS, Workspace

__all__ = ["DEMONSTRATION", "filesystem", "is_loopback", "unsafe", "unsafe_database", "unsafe_settings"]

_ONLY_WITH_TLS = {"security.W004", "security.W008"}  # strict transport, redirection to https
_NETWORK = ("nfs", "cifs", "smb", "9p", "afs", "ceph", "glusterfs", "fuse.sshfs", "fuse.rclone")
DEMONSTRATION = "demonstration.json"  # the accounts of a demonstration, with their passwords
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
    return [
        *_origin(workspace, bind, tls),
        *_proxies(workspace),
        *_keys(workspace),
        *_files(workspace),
        *_disk(workspace),
        *_mail(workspace),
        *_sign_on(workspace),
        *_database(workspace),
        *_demonstration(workspace),
    ]


def unsafe_settings() -> list[Problem]:
    """What Django's own checks of a deployment say against our settings; Django must be ready."""
    from django.conf import settings
    from django.core.checks import run_checks

    found = run_checks(tags=["security"], include_deployment_checks=True)
    without_tls = set() if settings.SECURE_SSL_REDIRECT else _ONLY_WITH_TLS
    return [
        Problem("settings", str(each.id), " ".join(str(each.msg).split()))
        for each in found
        if not each.is_silenced() and each.id not in without_tls
    ]


def unsafe_database() -> list[Problem]:
    """What the database itself says of how it keeps things; Django must be ready."""
    from django.db import connection

    with connection.cursor() as cursor:
        return list((_sqlite if connection.vendor == "sqlite" else _postgresql)(cursor))


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine alone."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _origin(workspace: Workspace, bind: str, tls: bool) -> Iterator[Problem]:
    place, said = _place(workspace), workspace.settings.origin
    origin = _split(said)
    if origin is None:
        yield Problem(place, "origin", f"found {said}; expected https://HOST, or http://localhost:8000")
        return
    secure = origin.scheme == "https"
    behind_proxy = bool(workspace.settings.proxies)
    if secure and not tls and not behind_proxy:
        message = "begins with https, but nothing here speaks TLS: name your proxy's address in proxies"
        yield Problem(place, "origin", f"{message}, or give --certificate")
    if not workspace.live:
        return
    if not secure and not is_loopback(origin.hostname or ""):
        yield Problem(place, "origin", "begins with http; links to participants must begin with https")
    if (
        not is_loopback(bind.rpartition(":")[0])
        and not tls
        and not (behind_proxy and origin.scheme == "https")
    ):
        message = "a live workspace speaks plain HTTP on loopback only; put a proxy with TLS in front of it"
        yield Problem("--bind", bind, message)


def _split(origin: str) -> SplitResult | None:
    """The parts of an origin; None where it has a path, an impossible port, or no host."""
    try:
        parts = urlsplit(origin)
        well_formed = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    beyond = parts.path.strip("/") or parts.query or parts.fragment or parts.username
    return parts if well_formed and not beyond else None


def _proxies(workspace: Workspace) -> Iterator[Problem]:
    for address in workspace.settings.proxies:
        try:
            everybody = ip_address(address).is_unspecified
        except ValueError:
            everybody = True
        if everybody:
            message = f"{address} is no address of one machine; name each of your own proxies, as 127.0.0.1"
            yield Problem(_place(workspace), "proxies", message)


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
    databases = workspace.folder.glob("database.sqlite3*")
    for place in sorted([*(workspace.folder / "keys").glob("*.key"), *databases]):
        if place.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            yield Problem(str(place), "", f"can be read by others; run: chmod 600 {place}")


def _disk(workspace: Workspace) -> Iterator[Problem]:
    free = shutil.disk_usage(workspace.folder).free
    if free < _LEAST_FREE:
        yield Problem(
            str(workspace.folder), "", f"{free // 1_000_000} MB are free on this disk; make room first"
        )
    kind = filesystem(workspace.folder)
    if workspace.database_url is None and kind.startswith(_NETWORK):
        message = f"lies on a network file system ({kind}), whose locks SQLite cannot trust"
        remedy = "put the workspace on a disk of this machine, or name a PostgreSQL in DATABASE_URL"
        yield Problem(str(workspace.folder), "", f"{message}; {remedy}")


def filesystem(folder: Path, mounts: Path = Path("/proc/self/mountinfo")) -> str:
    """The kind of file system on which a folder lies; empty where the system does not say.

    Args:
        folder: whose place is asked.
        mounts: the list of what is mounted where, as Linux writes it.
    """
    if not mounts.is_file():
        return ""
    found, deepest = "", -1
    for line in mounts.read_text("utf-8", "replace").splitlines():
        fields, _, kind = line.partition(" - ")
        point = Path(fields.split()[4].replace("\\040", " "))
        if folder.resolve().is_relative_to(point) and len(point.parts) >= deepest:
            found, deepest = kind.split()[0], len(point.parts)
    return found


def _mail(workspace: Workspace) -> Iterator[Problem]:
    mail = workspace.settings.mail
    if mail is not None and mail.security == "none" and workspace.live and not is_loopback(mail.host):
        yield Problem(
            _place(workspace), "mail.security", "mail without TLS shows addresses; use starttls or tls"
        )


def _demonstration(workspace: Workspace) -> Iterator[Problem]:
    """A workspace with accounts whose passwords a command prints is for nobody real."""
    if workspace.live and (workspace.folder / DEMONSTRATION).exists():
        message = (
            "is live, and there are demonstration accounts here, whose passwords are known; make a new one"
        )
        yield Problem(_place(workspace), "mode", message)


def _database(workspace: Workspace) -> Iterator[Problem]:
    """Live, a PostgreSQL on another machine is asked to show who it is, or it may be anybody in between."""
    url = workspace.database_url
    if url is None or not workspace.live:
        return
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        parts = conninfo_to_dict(url)
    except ProgrammingError:
        return  # told, without repeating the address, by whoever connects
    named = str(parts.get("hostaddr") or parts.get("host") or os.environ.get("PGHOST", ""))
    far = [host for host in named.split(",") if host and host[0] not in "/@" and not is_loopback(host)]
    mode = parts.get("sslmode") or os.environ.get("PGSSLMODE")
    if far and mode != "verify-full":
        message = (
            "the PostgreSQL is on another machine, and nothing makes it show who it is; add "
            "sslmode=verify-full, and sslrootcert=FILE where its certificate is of your own authority"
        )
        yield Problem("DATABASE_URL", "sslmode", message)


def _sqlite(cursor: Any) -> Iterator[Problem]:
    wanted = {"synchronous": (2, "FULL"), "journal_mode": ("wal", "WAL"), "foreign_keys": (1, "ON")}
    for name, (value, word) in wanted.items():
        cursor.execute(f"PRAGMA {name}")
        found = cursor.fetchone()[0]
        if found != value:
            message = f"is {found}, and answers are safe with {word} only; is this a network file system?"
            yield Problem("database.sqlite3", name, message)


def _postgresql(cursor: Any) -> Iterator[Problem]:
    for name in ("fsync", "synchronous_commit", "full_page_writes"):
        cursor.execute("SELECT current_setting(%s)", [name])
        found = cursor.fetchone()[0]
        if found in ("off", "local") and not (name == "synchronous_commit" and found == "local"):
            message = f"is {found}: an answer that was acknowledged could be lost; set it to on"
            yield Problem("DATABASE_URL", name, message)


def _sign_on(workspace: Workspace) -> Iterator[Problem]:
    named = workspace.settings.sign_in.oidc
    if named is not None:
        try:
            workspace.sign_on_secret(named)
        except InputError as error:
            yield from error.problems


def _place(workspace: Workspace) -> str:
    return str(Path(workspace.folder) / SETTINGS)
