"""Sending in a worker: a thread for each carrier in use, and one that shows that the process is alive.

A provider that is slow then holds up neither the others nor the duties.
"""

import logging
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from django.db import DatabaseError, connections

from equipoise.errors import EquipoiseError
from equipoise.platform.clock import now
from equipoise.platform.delivery.channels import carriers_in_use
from equipoise.platform.delivery.engine.beats import BEAT_SECONDS, beat, hasty
from equipoise.platform.delivery.engine.claims import next_due
from equipoise.platform.delivery.engine.sending import send_due
from equipoise.platform.delivery.engine.storing import renew_connection
from equipoise.platform.operations.held import sending_held
from equipoise.platform.workspace import Workspace

__all__ = ["Senders", "send_round"]

_log = logging.getLogger("equipoise.worker")
_LOOK_SECONDS = 1.0
_AFTER_FAILURE_SECONDS = 10.0
_END_SECONDS = 90.0  # a provider may be given as long to answer, and the database to be there again


class Senders:
    """The threads, for the time of a block; at its end each finishes the message that it is at."""

    def __init__(self, workspace: Workspace, stopping: threading.Event) -> None:
        self.workspace, self.stopping = workspace, stopping
        self.sent = 0
        self._counting = threading.Lock()
        self._over = threading.Event()  # the sign of life goes on until the last message is settled
        self._senders = [
            threading.Thread(target=self._keep_sending, args=(carrier,), name=f"send-{carrier}", daemon=True)
            for carrier in carriers_in_use(workspace)
        ]
        self._beating = threading.Thread(target=self._keep_beating, name="alive", daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        for thread in (*self._senders, self._beating):
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait until all have ended."""
        self.stopping.set()
        for thread in self._senders:
            thread.join(_END_SECONDS)
        self._over.set()
        self._beating.join(_LOOK_SECONDS)

    def _keep_sending(self, carrier: str) -> None:
        failing = False
        while not self.stopping.is_set():
            try:
                sent = send_round(self.workspace, carrier, self.stopping.is_set)
                failing = False
            except Exception as error:
                _tell(carrier, error, again=failing)
                sent, failing = 0, True
            if sent:
                with self._counting:
                    self.sent += sent
            else:
                # Somebody may have something sent now, and a rehearsal's clock may move on.
                self.stopping.wait(_AFTER_FAILURE_SECONDS if failing else hasty(_LOOK_SECONDS))
        connections.close_all()

    def _keep_beating(self) -> None:
        while not self._over.is_set():
            try:
                renew_connection()
                beat(at_once=True)
                wait = hasty(BEAT_SECONDS)
            except DatabaseError:
                wait = _LOOK_SECONDS  # as soon as it can be written to
            self._over.wait(wait)
        connections.close_all()


def send_round(workspace: Workspace, carrier: str, stop: Callable[[], bool]) -> int:
    """Send what is due of a carrier now, while sending is not held; how many messages went out."""
    renew_connection()
    due = next_due(carrier)
    if due is None or due > now() or sending_held(workspace):
        return 0
    return send_due(carrier, stop=lambda: stop() or sending_held(workspace))


def _tell(carrier: str, error: Exception, *, again: bool) -> None:
    """Say once what is wrong, and not every few seconds for a night."""
    if again:
        return
    if isinstance(error, EquipoiseError):
        _log.error("nothing goes out by %s: %s", carrier, error)
    else:
        _log.exception("sending by %s failed", carrier)
