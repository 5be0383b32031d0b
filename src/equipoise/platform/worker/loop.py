"""The loop of a worker: it sends, and does the duties of the workspace unless another worker does them."""

import signal
import threading
import time
from contextlib import ExitStack, suppress
from functools import partial

from equipoise.errors import InputError
from equipoise.platform.delivery.channels import carriers_in_use
from equipoise.platform.delivery.engine.beats import hasty
from equipoise.platform.delivery.planning.sweeping import sweep
from equipoise.platform.operations.held import sending_held
from equipoise.platform.operations.marker import HEARTBEAT
from equipoise.platform.processes import only_one
from equipoise.platform.worker.duties import DUTIES, Duty, done_once
from equipoise.platform.worker.senders import Senders, send_round
from equipoise.platform.workspace import Workspace

__all__ = ["DUTIES", "Duty", "run"]

LOCK = HEARTBEAT
SENT = "messages sent"
_LOOK_SECONDS = 1.0
# Before anything is sent: what an upgrade would send in another form than was confirmed waits for a person.
_FIRST = Duty("messages called off", 0, sweep)


def run(workspace: Workspace, *, once: bool = False) -> dict[str, int]:
    """Work until told to stop (SIGTERM or Ctrl-C), or each duty once and then what is due to be sent.

    Any number of workers may be at a workspace: all of them send. The duties are done by whoever holds the
    lock; when that one ends, by another.

    Returns:
        How much was done, by duty, and how many messages were sent.
    """
    stopping = threading.Event()
    if threading.current_thread() is threading.main_thread():
        for each in (signal.SIGTERM, signal.SIGINT):
            signal.signal(each, lambda *_: stopping.set())
    with ExitStack() as held:
        duties = _Duties(workspace, stopping, held)
        if once:
            duties.round()
            return duties.done | {SENT: _send_once(workspace, stopping)}
        done_once(_FIRST)
        with Senders(workspace, stopping) as senders:
            while not stopping.is_set():
                duties.round()
                stopping.wait(_LOOK_SECONDS)
    return duties.done | {SENT: senders.sent}


def _send_once(workspace: Workspace, stopping: threading.Event) -> int:
    return sum(
        done_once(Duty(SENT, 0, partial(send_round, workspace, carrier, stopping.is_set)))
        for carrier in carriers_in_use(workspace)
    )


class _Duties:
    """The duties, when each is due, and the lock of whoever does them."""

    def __init__(self, workspace: Workspace, stopping: threading.Event, held: ExitStack) -> None:
        self.workspace, self.stopping, self.held = workspace, stopping, held
        self.done = dict.fromkeys((duty.name for duty in DUTIES), 0)
        self.due = dict.fromkeys(self.done, 0.0)
        self.ours = False

    def round(self) -> None:
        """Do what is due, if no other worker does it."""
        self.ours = self.ours or self._take()
        if not self.ours:
            return
        for duty in DUTIES:
            if self.stopping.is_set() or (duty.sends and sending_held(self.workspace)):
                continue
            if time.monotonic() >= self.due[duty.name]:
                self.done[duty.name] += done_once(duty)
                self.due[duty.name] = time.monotonic() + hasty(duty.seconds)
            self._show()

    def _take(self) -> bool:
        try:
            self.held.enter_context(only_one(self.workspace.folder / LOCK, "another worker does the duties"))
        except InputError:
            return False
        return True

    def _show(self) -> None:
        """Say that the duties are done; on a full disk they are, and that cannot be said."""
        with suppress(OSError):
            (self.workspace.folder / LOCK).touch()
