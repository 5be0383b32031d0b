"""The mail server of a rehearsal: takes every message, refuses what it was told to refuse, keeps what came.

It speaks real SMTP on this machine. Some mailboxes do not exist and are refused for good; some are busy once.
"""

import logging
import re
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from lxml import html

__all__ = ["LINK", "Message", "Post", "Refusal"]

LINK = re.compile(r"https?://[^\s<>\"')\]]+")
_REFUSED, _BUSY, _TAKEN = "550 5.1.1 No such mailbox", "451 4.2.1 Busy, try again later", "250 OK"


@dataclass(frozen=True)
class Message:
    """A message that was taken.

    Attributes:
        number: in the order of what happened in the rehearsal.
        at: by the rehearsal's clock.
        channel: email or sms.
        to: the address or number.
        reference: what the platform calls it.
        subject: of an e-mail.
        text: as it can be read.
        links: every address in it, in order.
        unsubscribe: the address of one-click unsubscribing, or empty.
        send, occasion, person: what a partner sent, by its file; the platform tells the rest by reference.
    """

    number: int
    at: datetime
    channel: str
    to: str
    reference: str
    subject: str
    text: str
    links: tuple[str, ...]
    unsubscribe: str = ""
    send: str = ""
    occasion: int = 0
    person: str = ""


@dataclass(frozen=True)
class Refusal:
    """An attempt that was refused: for good, or only for now."""

    number: int
    at: datetime
    to: str
    for_good: bool


class Post:
    """Receives on a port of this machine, in a thread of its own, from `start` to `stop`."""

    def __init__(self, port: int, moment: Callable[[], datetime], number: Callable[[], int]) -> None:
        """Prepare it; `moment` is the rehearsal's clock, `number` counts what happens."""
        self.messages: list[Message] = []
        self.refusals: list[Refusal] = []
        self.gone: Collection[str] = frozenset()
        self.busy: set[str] = set()
        self.port = port
        self._moment, self._number, self._lock = moment, number, threading.Lock()
        self._controller = Controller(self, hostname="localhost", port=port)

    def start(self) -> None:
        """Listen, and say nothing of every command."""
        logging.getLogger("mail.log").setLevel(logging.WARNING)
        self._controller.start()

    def stop(self) -> None:
        """Listen no more."""
        self._controller.stop()

    async def handle_RCPT(
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        """Whether there is such a mailbox."""
        with self._lock:
            for_good, for_now = address in self.gone, address in self.busy
            if for_good or for_now:
                self.busy.discard(address)
                self.refusals.append(Refusal(self._number(), self._moment(), address, for_good))
                return _REFUSED if for_good else _BUSY
        envelope.rcpt_tos.append(address)
        return _TAKEN

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Take a message."""
        parsed = message_from_bytes(envelope.content, policy=policy.default)
        with self._lock:
            for address in envelope.rcpt_tos:
                self.messages.append(_read(parsed, address, self._number(), self._moment()))
        return _TAKEN


def _read(parsed: EmailMessage, to: str, number: int, at: datetime) -> Message:
    text, shown = _body(parsed, "plain"), _body(parsed, "html")
    links = LINK.findall(text)
    if shown:
        links += [str(link) for link in html.fromstring(shown).xpath("//a/@href")]
    wanted = LINK.search(str(parsed.get("List-Unsubscribe", "")))
    return Message(
        number=number,
        at=at,
        channel="email",
        to=to,
        reference=str(parsed.get("Message-ID", "")).strip().strip("<>").partition("@")[0],
        subject=str(parsed.get("Subject", "")),
        text=text,
        links=tuple(dict.fromkeys(link for link in links if link.startswith("http"))),
        unsubscribe=wanted[0] if wanted else "",
    )


def _body(parsed: EmailMessage, kind: str) -> str:
    part = parsed.get_body((kind,))
    return "" if part is None else str(part.get_content())
