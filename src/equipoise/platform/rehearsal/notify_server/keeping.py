"""What the server was given and keeps: messages that it would have sent, and texts that came in."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from equipoise.platform.rehearsal.notify_server.keys import new_id

__all__ = ["PAGE", "Keeping", "Kept", "KeptText"]

PAGE = 250


@dataclass(frozen=True)
class Kept:
    """One message that was taken."""

    id: str
    kind: Literal["email", "sms"]
    to: str
    reference: str | None
    template: str
    personalisation: Mapping[str, str]
    unsubscribe: str | None
    sender: str | None
    key: str
    status: str
    created_at: datetime
    completed_at: datetime | None = None

    @property
    def subject(self) -> str:
        """What stands for `((subject))`; empty for a text."""
        return self.personalisation.get("subject", "")

    @property
    def body(self) -> str:
        """What stands for `((body))`."""
        return self.personalisation.get("body", "")


@dataclass(frozen=True)
class KeptText:
    """One text that somebody sent to the service."""

    id: str
    number: str
    words: str
    created_at: datetime


class Keeping:
    """All of it, in the order in which it came; safe to use from many threads.

    Args:
        file: each message taken is added to it, a line of JSON, for other processes to read.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._messages: dict[str, Kept] = {}
        self._texts: list[KeptText] = []

    @property
    def messages(self) -> list[Kept]:
        """Every message, oldest first."""
        with self._lock:
            return list(self._messages.values())

    @property
    def texts(self) -> list[KeptText]:
        """Every text that came in, oldest first."""
        with self._lock:
            return list(self._texts)

    def add(self, kept: Kept) -> None:
        """Keep a message; it is in the file before anybody hears that it was taken."""
        with self._lock:
            self._messages[kept.id] = kept
            if self._file is not None:
                with self._file.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(asdict(kept), default=str, ensure_ascii=False) + "\n")

    def end(self, number: str, status: str, at: datetime) -> Kept:
        """Say what became of a message."""
        with self._lock:
            self._messages[number] = replace(self._messages[number], status=status, completed_at=at)
            return self._messages[number]

    def add_text(self, number: str, words: str, at: datetime) -> KeptText:
        """Keep a text that came in."""
        text = KeptText(new_id(), number, words, at)
        with self._lock:
            self._texts.append(text)
        return text

    def one(self, number: str) -> Kept | None:
        """The message of this id."""
        with self._lock:
            return self._messages.get(number)

    def page(self, wanted: Callable[[Kept], bool], older_than: str | None) -> list[Kept]:
        """A page of messages, newest first.

        Args:
            wanted: which ones.
            older_than: begin after this one; with the newest when None.
        """
        newest = self.messages[::-1]
        if older_than is not None:
            places = [place for place, kept in enumerate(newest) if kept.id == older_than]
            newest = newest[places[0] + 1 :] if places else []
        return [kept for kept in newest if wanted(kept)][:PAGE]

    def text_page(self, older_than: str | None) -> list[KeptText]:
        """A page of texts that came in, newest first."""
        newest = self.texts[::-1]
        if older_than is not None:
            places = [place for place, text in enumerate(newest) if text.id == older_than]
            newest = newest[places[0] + 1 :] if places else []
        return newest[:PAGE]
