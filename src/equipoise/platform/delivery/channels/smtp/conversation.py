"""A conversation with a mail server in which every request has a deadline of its own.

smtplib's time-out is for each read, so that a server which says one letter a second is listened to for ever.
Here what is left of the deadline is the time-out of every read and write. And smtplib waits for the answer to
each command before it says the next; most servers take a whole envelope at once (PIPELINING, RFC 2920).
"""

import io
import smtplib
import socket
import ssl
import time
from collections.abc import Iterator
from typing import Any

from equipoise.platform.workspace import Mail

__all__ = ["TEXT_FOLLOWS", "Conversation"]

TEXT_FOLLOWS = 354


class _Reading(io.RawIOBase):
    """What comes from the server, until the deadline."""

    def __init__(self, conversation: "Conversation", sock: socket.socket) -> None:
        self.conversation, self.sock = conversation, sock

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.sock.settimeout(self.conversation.left())
        return self.sock.recv_into(buffer)


class Conversation(smtplib.SMTP):
    """A connection that is greeted, encrypted and signed in as the settings say, or not there at all.

    Args:
        mail: the server.
        credentials: name and password; empty for none.
        seconds: for each request.
    Raises:
        OSError, smtplib.SMTPException: it could not be had; a certificate that nobody vouches for, and a
            server that does not encrypt although it should, are among them.
    """

    def __init__(self, mail: Mail, credentials: tuple[str, str], seconds: float) -> None:
        self.seconds, self.server = seconds, mail
        self.context = ssl.create_default_context()
        self.until = time.monotonic() + seconds
        self.waiting = 0  # how many answers to commands that were said are not read yet
        super().__init__(timeout=seconds)
        try:
            self._open(credentials)
        except BaseException:
            self.close()
            raise

    def _open(self, credentials: tuple[str, str]) -> None:
        self._host = self.server.host
        code, _ = self.connect(self.server.host, self.server.port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, b"")
        self.ehlo_or_helo_if_needed()
        if self.server.security == "starttls":
            self.starttls(context=self.context)
            self.ehlo_or_helo_if_needed()
        name, password = credentials
        if name and password:
            self.login(name, password)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        made = socket.create_connection((host, port), self.left())
        # A request and its answer are one small packet each; waiting for more would only be waiting.
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.server.security != "tls":
            return made
        return self.context.wrap_socket(made, server_hostname=host)

    def begin(self) -> None:
        """Begin a request: its deadline counts from now."""
        self.until = time.monotonic() + self.seconds

    def ask(self, *commands: str) -> Iterator[int]:
        """The codes of the answers to commands, one after the other.

        Where the server takes them together, all of them are said before the first answer is read. Otherwise
        each is said only when its answer is asked for.
        """
        together = self.has_extn("pipelining")
        if together:
            self.send("".join(f"{command}\r\n" for command in commands))
            self.waiting = len(commands)
        for command in commands:
            if not together:
                self.putcmd(command)
                self.waiting = 1
            code, _ = self.getreply()
            self.waiting -= 1
            yield code

    def put_away(self) -> None:
        """Begin anew after an envelope that was refused.

        Raises:
            SMTPServerDisconnected: the server waits for a text that goes to nobody; what is begun and never
                ended is no message.
        """
        while self.waiting:
            self.waiting -= 1
            if self.getreply()[0] == TEXT_FOLLOWS:
                raise smtplib.SMTPServerDisconnected("the server waits for a text")
        self.rset()

    def left(self) -> float:
        """How much of the deadline is left.

        Raises:
            TimeoutError: nothing.
        """
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the request took too long")
        return left

    def send(self, s: Any) -> None:
        """Send within what is left."""
        if self.sock is not None:
            self.sock.settimeout(self.left())
        try:
            super().send(s)
        except smtplib.SMTPServerDisconnected:
            self.left()  # smtplib tells a deadline that has passed as a connection that is gone
            raise

    def getreply(self) -> tuple[int, bytes]:
        """The server's answer within what is left."""
        if self.file is None and self.sock is not None:
            self.file = io.BufferedReader(_Reading(self, self.sock))
        try:
            return super().getreply()
        except smtplib.SMTPServerDisconnected:
            self.left()
            raise
