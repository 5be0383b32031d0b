"""Whether a workspace may send anything: a restored copy sends nothing until a person says so.

What was due when the backup was made has perhaps been sent since, and the workspace that it was made of may
still be at work: both would write to the same people.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail.backends.smtp import EmailBackend

from equipoise.errors import InputError, Problem
from equipoise.platform.audit.actions import WORKSPACE_CHAIN, record
from equipoise.platform.database import writing
from equipoise.platform.operations.marker import HELD
from equipoise.platform.operations.whole_file import sync
from equipoise.platform.permissions import Acting, check_permission
from equipoise.platform.workspace import Workspace

__all__ = ["HeldError", "HoldingBackend", "release_sending", "sending_held"]


class HeldError(OSError):
    """Something was to be sent while sending is held; an `OSError`, so that whoever sends tries again."""


class HoldingBackend(EmailBackend):
    """Sends mail by SMTP, and none while sending is held, whoever asks."""

    def send_messages(self, email_messages: Sequence[Any]) -> int:
        """How many were sent.

        Raises:
            HeldError: sending is held; nothing was sent.
        """
        if sending_held(settings.WORKSPACE):
            raise HeldError("sending is held")
        sent: int = super().send_messages(email_messages)
        return sent


def sending_held(workspace: Workspace) -> bool:
    """Whether nothing may be sent from this workspace; every duty that sends asks this."""
    return (workspace.folder / HELD).exists()


def release_sending(who: Acting, reason: str) -> None:
    """Let a restored workspace send again.

    Args:
        who: needs `workspace.release`.
        reason: why it may, kept in the workspace's record.
    Raises:
        InputError: nothing is held, or there is no reason.
    """
    check_permission(who, "workspace.release")
    place = Path(settings.WORKSPACE.folder) / HELD
    if not sending_held(settings.WORKSPACE):
        raise InputError(Problem(str(place.parent), "", "nothing is held here; the workspace sends"))
    if not reason.strip():
        message = "is empty; say why this copy may send, it is kept in the workspace's record"
        raise InputError(Problem(str(place.parent), "reason", message))
    with writing():
        record(WORKSPACE_CHAIN, who.actor, "workspace.release", {"reason": reason.strip()})
    place.unlink(missing_ok=True)  # after the entry is stored: nothing is ever sent before it is recorded
    sync(place.parent)
