"""Mail over one connection for as many messages as there are, with an outcome for each of them.

A message counts as not sent until its text is on its way, as unknown from then on until the server answers.
What the server has against us, and not against one address, makes the whole carrier wait and burns no
attempt.
"""

import os
import re
import smtplib
import ssl
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import formataddr
from types import TracebackType
from typing import Self

from equipoise.errors import InputError, Problem
from equipoise.platform.delivery.channels.contract import Outcome, Outgoing, Record
from equipoise.platform.delivery.channels.smtp.conversation import TEXT_FOLLOWS, Conversation
from equipoise.platform.workspace import SETTINGS, Mail, Workspace

__all__ = ["Smtp", "opened"]

SECONDS = 60.0  # for the whole of one message
_REST_SECONDS = 60.0  # after which a server that was away is tried again
_LONG_REST_SECONDS = 300.0  # where a person has to do something
_NOBODY_THERE = (550, 551, 553)
_DISCONNECTING = 421
_PLAIN = re.compile(r"[!-;=?-~]+@[!-;=?-~]+")  # visible, and without < and >


def opened(workspace: Workspace) -> "Smtp":
    """The channel to the workspace's mail server.

    Raises:
        InputError: the settings name none.
    """
    mail = workspace.settings.mail
    if mail is None:
        message = "is missing, and e-mail is to go by it; write `mail: {host: ..., sender: ...}`"
        raise InputError(Problem(str(workspace.folder / SETTINGS), "mail", message))
    name = os.environ.get("EQUIPOISE_MAIL_USER", "")
    password = os.environ.get("EQUIPOISE_MAIL_PASSWORD", "")
    sender = formataddr((mail.name or workspace.settings.name, mail.sender))
    return Smtp(mail, sender, (name, password))


class _Refused(Exception):
    """The server said no at some step; what became of the message is settled by it."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.code)
        self.outcome = outcome


class Smtp:
    """A mail server.

    Args:
        mail: which, and how it is spoken to.
        sender: with the name that people see.
        credentials: name and password; empty for none.
        seconds: for the whole of one message.
    """

    name = "smtp"
    at_once = 100
    asks = False

    def __init__(
        self, mail: Mail, sender: str, credentials: tuple[str, str] = ("", ""), seconds: float = SECONDS
    ) -> None:
        self.mail, self.sender, self.credentials, self.seconds = mail, sender, credentials, seconds
        self._open: Conversation | None = None
        self._handed_over = False

    def __enter__(self) -> Self:
        """Ready; the connection is opened for the first message."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take leave of the server."""
        if self._open is not None:
            with suppress(OSError, smtplib.SMTPException):
                self._open.begin()
                self._open.quit()
            self._drop()

    def send(self, message: Outgoing) -> Outcome:
        """Hand one message to the server; over a new connection where the old one has been closed."""
        try:
            content = message.template.mime(
                message.fields,
                sender=self.sender,
                to=message.to,
                reference=message.reference,
                unsubscribe=message.unsubscribe,
                date=datetime.now(UTC),
            )
        except InputError:
            return Outcome("refused", "not-a-mail")
        if not _in_whole_lines(content) or not _PLAIN.fullmatch(message.to):
            return Outcome("refused", "not-a-mail")
        fresh = self._open is None
        outcome = self._tried(message.to, content)
        if outcome.code == "cut" and outcome.kind == "later" and not fresh:
            outcome = self._tried(message.to, content)
        return outcome

    def look_up(self, reference: str) -> Record | None:
        """Mail servers cannot be asked."""
        return None

    def _tried(self, to: str, content: bytes) -> Outcome:
        self._handed_over = False
        try:
            server = self._connected()
        except (OSError, smtplib.SMTPException) as error:
            self._drop()
            return _no_connection(error)
        try:
            self._conversed(server, to, content)
        except _Refused as refused:
            self._ready_again(refused.outcome)
            return refused.outcome
        except TimeoutError:
            self._drop()
            return Outcome("unknown" if self._handed_over else "later", "too-slow")
        except (OSError, smtplib.SMTPException):
            self._drop()
            if self._handed_over:
                return Outcome("unknown", "cut")
            return Outcome("later", "cut", burnt=False, pause_seconds=_REST_SECONDS)
        return Outcome("sent")

    def _connected(self) -> Conversation:
        if self._open is None:
            self._open = Conversation(self.mail, self.credentials, self.seconds)
        self._open.begin()
        return self._open

    def _conversed(self, server: Conversation, to: str, content: bytes) -> None:
        """Envelope and text; returns when the server has taken the message."""
        answers = server.ask(f"MAIL FROM:<{self.mail.sender}>", f"RCPT TO:<{to}>", "DATA")
        _of_us(next(answers))
        _of_address(next(answers))
        code = next(answers)
        if code != TEXT_FOLLOWS:
            _of_text(code)
        self._handed_over = True
        server.send(_dotted(content))
        code, _ = server.getreply()
        if 400 <= code < 600:
            self._handed_over = False  # the server has said itself that it did not take it
            _of_text(code)
        if not 200 <= code < 300:
            raise smtplib.SMTPServerDisconnected

    def _ready_again(self, outcome: Outcome) -> None:
        """Put the envelope of a refused message away, or the connection that the server gives up."""
        if self._open is None or outcome.code == str(_DISCONNECTING):
            return self._drop()
        try:
            self._open.begin()
            self._open.put_away()
        except (OSError, smtplib.SMTPException):
            self._drop()
        return None

    def _drop(self) -> None:
        if self._open is not None:
            with suppress(OSError):
                self._open.close()
        self._open = None


def _in_whole_lines(content: bytes) -> bool:
    """Whether every line ends by CRLF, and no other CR or LF is in it: some servers read more into one."""
    return content.count(b"\r\n") == content.count(b"\n") == content.count(b"\r")


def _dotted(content: bytes) -> bytes:
    """The text as it goes over the line: a dot before a dot that begins a line, and at its end one alone."""
    dotted = (b"\r\n" + content).replace(b"\r\n.", b"\r\n..")[2:]
    return dotted + (b".\r\n" if dotted.endswith(b"\r\n") else b"\r\n.\r\n")


def _of_us(code: int) -> None:
    """The server takes mail from us, or nobody's mail goes out for a while."""
    if code == _DISCONNECTING:
        raise smtplib.SMTPServerDisconnected
    if not 200 <= code < 300:
        rest = _LONG_REST_SECONDS if code >= 500 else _REST_SECONDS
        raise _Refused(Outcome("later", str(code), burnt=False, pause_seconds=rest))


def _of_address(code: int) -> None:
    if code == _DISCONNECTING:
        raise smtplib.SMTPServerDisconnected
    if code >= 500:
        raise _Refused(Outcome("refused", str(code), closes_address=code in _NOBODY_THERE))
    if not 200 <= code < 300:
        raise _Refused(Outcome("later", str(code)))


def _of_text(code: int) -> None:
    """The server does not take the text: for good, or not now. It says so itself, so nothing is in doubt."""
    if code == _DISCONNECTING or not 400 <= code < 600:
        raise smtplib.SMTPServerDisconnected
    raise _Refused(Outcome("refused" if code >= 500 else "later", str(code)))


def _no_connection(error: Exception) -> Outcome:
    """The server cannot be spoken to; nothing was sent, and no attempt is burnt."""
    code, rest = "no-connection", _REST_SECONDS
    if isinstance(error, ssl.SSLError):
        code, rest = "certificate", _LONG_REST_SECONDS
    elif isinstance(error, smtplib.SMTPNotSupportedError):
        code, rest = "no-encryption", _LONG_REST_SECONDS
    elif isinstance(error, smtplib.SMTPAuthenticationError):
        code, rest = "sign-in-refused", _LONG_REST_SECONDS
    return Outcome("later", code, burnt=False, pause_seconds=rest)
