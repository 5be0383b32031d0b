"""A trial in its middle to walk through: a copy of a rehearsal as it stood, with people to sign in as.

Their passwords and the secrets of their codes lie in `demonstration.json` in the workspace, so that a command
can print them. Nothing of this works in a live workspace, and one that holds such accounts is never served
as live.
"""

import json
import secrets
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from equipoise.errors import InputError, Problem
from equipoise.platform.startup import DEMONSTRATION
from equipoise.platform.workspace import SETTINGS, open_workspace

__all__ = ["Living", "SignIn", "copy_living", "make_sign_ins", "sign_ins"]

_ROLES = {
    "administrator": "Robin Ashdown",
    "lead": "Alex Marrow",
    "data-manager": "Sam Fenwick",
    "analyst": "Kit Harrow",
    "auditor": "Jo Lindley",
}
_DATABASE = "database.sqlite3"
_NOT_COPIED = ("database.sqlite3*", ".serving", ".setting-up", ".worker", "backups", "uploads")


@dataclass(frozen=True)
class Living:
    """Where the copy is put, and when it is taken."""

    folder: Path
    at: datetime


@dataclass(frozen=True)
class SignIn:
    """By which somebody signs in to a demonstration; `secret` is that of their authenticator app."""

    role: str
    email: str
    password: str
    secret: str


def make_sign_ins(workspace: Path) -> list[SignIn]:
    """Make an account for each role, and keep what it takes to sign in beside the database.

    Raises:
        InputError: the workspace is live.
    """
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
    from django.conf import settings

    from equipoise.platform.staff.actions import CommandLine, add_member, grant

    if settings.WORKSPACE.live:
        raise InputError(
            Problem(str(workspace), "mode", "is live; demonstration accounts are for rehearsals")
        )
    made = []
    for role, name in _ROLES.items():
        found = SignIn(role, f"{role}@example.org", secrets.token_urlsafe(12), generate_totp_secret())
        member = add_member(CommandLine(), found.email, name)
        member.set_password(found.password)
        member.save(update_fields=["password"])
        grant(CommandLine(), member, role)
        TOTP.activate(member, found.secret)
        made.append(found)
    place = workspace / DEMONSTRATION
    place.touch(mode=0o600)
    place.write_text(json.dumps([asdict(each) for each in made], indent=1) + "\n", encoding="utf-8")
    return made


def copy_living(workspace: Path, folder: Path) -> None:
    """A copy of a rehearsal as it stands, to be served on its own; it sends nothing, for it names no carrier.

    Args:
        workspace: at which nobody is doing anything.
        folder: a new one.
    """
    shutil.copytree(workspace, folder, ignore=shutil.ignore_patterns(*_NOT_COPIED))
    source, target = (sqlite3.connect(place / _DATABASE) for place in (workspace, folder))
    with closing(source), closing(target):
        source.backup(target)
    (folder / _DATABASE).chmod(0o600)
    said = {"equipoise": 1, "name": "Demonstration", "mode": "rehearsal", "origin": "http://localhost:8000"}
    (folder / SETTINGS).write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")


def sign_ins(folder: Path) -> Sequence[tuple[SignIn, str]]:
    """Who can sign in to a demonstration, each with the code of this half-minute.

    Raises:
        InputError: the workspace is live, or no demonstration made it.
    """
    opened = open_workspace(folder)
    place = folder / DEMONSTRATION
    if opened.live or not place.is_file():
        message = "is no demonstration, so nobody's password or code is known; `equipoise demo DIR` makes one"
        raise InputError(Problem(str(folder), "", message))
    from equipoise.platform.workspace import activate

    activate(opened)
    from allauth.mfa.totp.internal.auth import (
        format_hotp_value,
        hotp_value,
        yield_hotp_counters_from_time,
    )

    known = [SignIn(**each) for each in json.loads(place.read_text("utf-8"))]
    counter = list(yield_hotp_counters_from_time())
    middle = counter[len(counter) // 2]
    return [(each, format_hotp_value(hotp_value(each.secret, middle))) for each in known]
