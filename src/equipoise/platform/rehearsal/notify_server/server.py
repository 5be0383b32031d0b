"""The server itself: started and stopped as a block, asked about what it took."""

import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from equipoise.platform.rehearsal.notify_server import wording
from equipoise.platform.rehearsal.notify_server.calling_back import CallBack, Caller
from equipoise.platform.rehearsal.notify_server.fates import fate, leaves_no_trace
from equipoise.platform.rehearsal.notify_server.faults import Fault, Faults
from equipoise.platform.rehearsal.notify_server.handling import Handler
from equipoise.platform.rehearsal.notify_server.keeping import Keeping, Kept, KeptText
from equipoise.platform.rehearsal.notify_server.keys import KeyKind, Keys, new_id
from equipoise.platform.rehearsal.notify_server.limits import Limits
from equipoise.platform.rehearsal.notify_server.taking import message_of

__all__ = ["NotifyServer", "Options"]

_FILTERS = {"reference": "reference", "status": "status", "template_type": "kind"}


def _real_time() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Options:
    """How a server is set up.

    Attributes:
        port: 0 for any that is free.
        keys: those that it takes; new ones where none are given.
        clock: by which it dates what happens, and by which a day ends; asked in the server's threads. Tokens
            are held to the real time.
        back: how it calls the platform back.
        file: to which each message is added.
        settles: what becomes of a message is decided at once; else `settle` does it.
        per_minute: requests that it takes.
        per_day: messages that it takes.
        tls: it speaks TLS by this.
    """

    port: int = 0
    keys: Keys | None = None
    clock: Callable[[], datetime] = _real_time
    back: CallBack = field(default_factory=CallBack)
    file: Path | None = None
    settles: bool = True
    per_minute: int = 3000
    per_day: int = 250_000
    tls: ssl.SSLContext | None = None


class NotifyServer(ThreadingHTTPServer):
    """Speaks Notify's public interface on this machine, from the beginning of the block to its end.

    Attributes:
        address: where it is asked, such as `http://127.0.0.1:40123`.
        keys: `keys.key("test")` is what a workspace is given.
        faults: `faults.add("500", "hang-taken")` makes it misbehave with the next messages.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, **options: Any) -> None:
        self.options = Options(**options)
        self.keys = self.options.keys or Keys.new()
        self.faults, self._keeping = Faults(), Keeping(self.options.file)
        self.limits = Limits(self.options.per_minute, self.options.per_day)
        self.closing = threading.Event()
        self._caller: Caller | None = None
        self.templates = {kind: new_id() for kind in ("email", "sms")}
        super().__init__(("127.0.0.1", self.options.port), Handler)
        if self.options.tls is not None:
            self.socket = self.options.tls.wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )
        scheme = "http" if self.options.tls is None else "https"
        self.address = f"{scheme}://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> Self:
        """Answers from here on."""
        self._caller = Caller(self.options.back)
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True, name="notify-server").start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Whoever still waits for an answer is hung up on."""
        self.closing.set()
        self.shutdown()
        self.server_close()
        if self._caller is not None:
            self._caller.close()

    @property
    def messages(self) -> list[Kept]:
        """Every message that was taken, oldest first, with what became of it."""
        return self._keeping.messages

    @property
    def quiet(self) -> bool:
        """Whether everything has been told."""
        return self._caller is None or self._caller.quiet

    def call_back(self, back: CallBack) -> None:
        """Call the platform by this from now on; its address may be known only after the server's."""
        if self._caller is not None:
            self._caller.back = back

    def settle(self, message: Kept, status: str = "") -> None:
        """Decide what becomes of a message, by its address where no status is given, and tell of it."""
        ended = self._keeping.end(message.id, status or fate(message.to), self.options.clock())
        if self._caller is not None:
            self._caller.tell(self._caller.back.receipts, wording.receipt(ended))

    def text_in(self, number: str, words: str) -> KeptText:
        """Somebody sends a text to the service."""
        text = self._keeping.add_text(number, words, self.options.clock())
        if self._caller is not None:
            self._caller.tell(self._caller.back.texts, wording.received(text))
        return text

    def take(self, kind: str, sent: object, authorisation: str) -> tuple[wording.Json, Fault | None]:
        """Take a message, or misbehave.

        Returns:
            The right answer, and the fault that is shown instead of it.
        Raises:
            Refused: Notify would not take it.
        """
        key = self.known(authorisation)
        moment = self.options.clock()
        self.limits.take(key, time.monotonic(), moment.astimezone(UTC).date())
        message = message_of(kind, sent, key, moment)
        fault = self.faults.take()
        if (fault is None or fault.takes) and not leaves_no_trace(message.to):
            self._keeping.add(message)
            if self.options.settles:
                self.settle(message)
        return wording.answer(message, self.address), fault

    def known(self, authorisation: str) -> KeyKind:
        """The kind of key by which somebody asks.

        Raises:
            Refused: it is none of ours.
        """
        return self.keys.kind(authorisation, time.time())

    def one(self, number: str, key: KeyKind) -> wording.Json | None:
        """A message by its id."""
        kept = self._keeping.one(number)
        return None if kept is None or kept.key != key else wording.notification(kept, self.address)

    def listed(self, asked: Mapping[str, str], key: KeyKind) -> wording.Json:
        """A page of the messages that were sent by this kind of key."""
        wanted = {name: asked[each] for each, name in _FILTERS.items() if each in asked}
        page = self._keeping.page(
            lambda kept: (
                kept.key == key and all(getattr(kept, name) == value for name, value in wanted.items())
            ),
            asked.get("older_than"),
        )
        return wording.listed(page, self.address, asked)

    def texts_listed(self, older_than: str | None) -> wording.Json:
        """A page of the texts that came in."""
        return wording.listed_texts(self._keeping.text_page(older_than), self.address, self.keys.service)
