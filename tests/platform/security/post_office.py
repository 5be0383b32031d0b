"""A mail server that keeps what was said to it, byte for byte: nothing is put right on the way."""

import socket
import threading

__all__ = ["PostOffice"]


class PostOffice:
    """Speaks just enough SMTP at a port of this machine; `said` are the commands, `messages` the bytes of each."""

    def __init__(self):
        self.said, self.messages = [], []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def recipients(self):
        """Whom the commands named, in order."""
        return [
            line.partition("<")[2].partition(">")[0] for line in self.said if line.upper().startswith("RCPT")
        ]

    def close(self):
        """Take no more."""
        self._server.close()

    def _serve(self):
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as lines:
                self._talk(connection, lines)

    def _talk(self, connection, lines):
        connection.sendall(b"220 here\r\n")
        for line in lines:
            self.said.append(line.decode("ascii", "replace").strip())
            word = self.said[-1][:4].upper()
            connection.sendall({"DATA": b"354 go on\r\n", "QUIT": b"221 bye\r\n"}.get(word, b"250 yes\r\n"))
            if word == "DATA":
                self.messages.append(self._message(lines))
                connection.sendall(b"250 kept\r\n")
            if word == "QUIT":
                return

    def _message(self, lines):
        """Up to the only end that there is: a dot between two whole line ends."""
        kept = b""
        while not (kept + b"").endswith(b"\r\n.\r\n"):
            piece = lines.readline()
            assert piece, "cut off"
            kept += piece
        return kept.removesuffix(b".\r\n")
