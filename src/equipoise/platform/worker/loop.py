"""The loop that does what is due, duty by duty; one for each workspace."""

import logging
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from django.db import close_old_connections

from equipoise.platform.approvals.actions import expire_requests
from equipoise.platform.fieldwork.requests import send_requested_links
from equipoise.platform.fieldwork.sealing import seal_everything
from equipoise.platform.operations.held import sending_held
from equipoise.platform.operations.marker import HEARTBEAT
from equipoise.platform.operations.retention.deleting import delete_due
from equipoise.platform.people.pending import drop_expired
from equipoise.platform.processes import only_one
from equipoise.platform.review.jobs import drop_exports, make_export
from equipoise.platform.staff.attempts import forget_failures
from equipoise.platform.workspace import Workspace

__all__ = ["DUTIES", "Duty", "run"]

_log = logging.getLogger("equipoise.worker")
LOCK = HEARTBEAT


@dataclass(frozen=True)
class Duty:
    """Something done every so many seconds; the function says how much it did.

    What `sends` is left undone while sending is held.
    """

    name: str
    seconds: float
    do: Callable[[], int]
    sends: bool = False


DUTIES = (
    Duty("sealed", 60, seal_everything),
    Duty("links sent", 10, send_requested_links, sends=True),
    Duty("uploads forgotten", 3600, drop_expired),
    Duty("exports made", 1, make_export),
    Duty("exports dropped", 60, drop_exports),
    Duty("requests expired", 600, expire_requests),
    Duty("kinds of data deleted", 3600, delete_due),
    Duty("failed sign-ins forgotten", 3600, forget_failures),
)


def run(workspace: Workspace, *, once: bool = False) -> dict[str, int]:
    """Work until told to stop (SIGTERM or Ctrl-C), or each duty once.

    Returns:
        How much was done, by duty.
    Raises:
        InputError: another worker is at this workspace.
    """
    stopping = threading.Event()
    if threading.current_thread() is threading.main_thread():
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, lambda *_: stopping.set())
    done = dict.fromkeys((duty.name for duty in DUTIES), 0)
    due = dict.fromkeys(done, 0.0)
    with only_one(workspace.folder / LOCK, "a worker is at work here already; one is enough"):
        while not stopping.is_set():
            for duty in DUTIES:
                if stopping.is_set() or (duty.sends and sending_held(workspace)):
                    continue
                if time.monotonic() >= due[duty.name]:
                    done[duty.name] += _done(duty)
                    due[duty.name] = time.monotonic() + duty.seconds
                _beat(workspace)
            if once:
                break
            stopping.wait(1)
    return done


def _done(duty: Duty) -> int:
    """One round of a duty; what fails is logged and tried again in its next round.

    Whatever it is: a worker that ended over one bad row would leave every other duty undone.
    """
    try:
        close_old_connections()
        return duty.do()
    except Exception:
        _log.exception("%s failed", duty.name)
        return 0


def _beat(workspace: Workspace) -> None:
    """Say that the worker is alive; on a full disk it is, and cannot say so."""
    with suppress(OSError):
        (workspace.folder / LOCK).touch()
