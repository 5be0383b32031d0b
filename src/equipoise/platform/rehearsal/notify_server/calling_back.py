"""Telling the platform what became of messages and what came in, by calling it, as Notify does."""

import json
import queue
import ssl
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["CallBack", "Caller"]

_TRIES = 6
_ANSWER_SECONDS = 5.0
_AGAIN = 429


@dataclass(frozen=True)
class CallBack:
    """Where and how the platform is called.

    Attributes:
        receipts: the address for what became of messages; none are told when empty.
        texts: the address for texts that came in.
        token: the bearer token by which the platform knows the caller.
        retry_seconds: between two tries; Notify waits five minutes.
        trusted: whose certificates are believed, where the platform is called by TLS.
    """

    receipts: str = ""
    texts: str = ""
    token: str = ""
    retry_seconds: float = 0.5
    trusted: ssl.SSLContext | None = None


class Caller:
    """Calls one after the other, in its own thread; tries again where nobody answers, and for 5xx and 429."""

    def __init__(self, back: CallBack) -> None:
        self.back = back
        self._waiting: queue.Queue[tuple[str, Mapping[str, object], int] | None] = queue.Queue()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="notify-calls-back")
        self._thread.start()

    @property
    def quiet(self) -> bool:
        """Whether nothing is left to tell."""
        return self._waiting.unfinished_tasks == 0

    def tell(self, address: str, body: Mapping[str, object]) -> None:
        """Tell this soon."""
        if address:
            self._waiting.put((address, body, _TRIES))

    def close(self) -> None:
        """Tell nothing more."""
        self._closing.set()
        self._waiting.put(None)
        self._thread.join(timeout=_ANSWER_SECONDS)

    def _run(self) -> None:
        while (call := self._waiting.get()) is not None and not self._closing.is_set():
            address, body, tries = call
            if not self._told(address, body) and tries > 1:
                self._closing.wait(self.back.retry_seconds)
                self._waiting.put((address, body, tries - 1))
            self._waiting.task_done()

    def _told(self, address: str, body: Mapping[str, object]) -> bool:
        """Whether this needs no other try."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.back.token}"}
        request = urllib.request.Request(  # noqa: S310  (an address of the rehearsal's own)
            address, json.dumps(body).encode(), headers, method="POST"
        )
        try:
            with urllib.request.urlopen(request, timeout=_ANSWER_SECONDS, context=self.back.trusted):  # noqa: S310
                return True
        except urllib.error.HTTPError as error:
            return error.code < 500 and error.code != _AGAIN
        except OSError:
            return False
