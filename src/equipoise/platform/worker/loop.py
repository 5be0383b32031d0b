"""The loop that does what is due, duty by duty; one for each workspace."""

import logging
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from django.db import DatabaseError, close_old_connections

from equipoise.errors import EquipoiseError
from equipoise.platform.fieldwork.requests import send_requested_links
from equipoise.platform.fieldwork.sealing import seal_everything
from equipoise.platform.operations.held import sending_held
from equipoise.platform.operations.marker import HEARTBEAT
from equipoise.platform.people.pending import drop_expired
from equipoise.platform.processes import only_one
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
                if duty.sends and sending_held(workspace):
                    continue
                if time.monotonic() >= due[duty.name]:
                    done[duty.name] += _done(duty)
                    due[duty.name] = time.monotonic() + duty.seconds
            (workspace.folder / LOCK).touch()  # a heartbeat
            if once:
                break
            stopping.wait(1)
    return done


def _done(duty: Duty) -> int:
    """One round of a duty; what fails is logged and tried again in its next round."""
    try:
        close_old_connections()
        return duty.do()
    except (DatabaseError, EquipoiseError, OSError) as error:
        _log.error("%s failed: %s", duty.name, type(error).__name__)
        return 0
