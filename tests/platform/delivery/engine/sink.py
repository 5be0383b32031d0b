"""A mail server in a process of its own, which writes down what it takes before it says that it took it.

python sink.py FOLDER       listens; writes `port` when it does, and a line into `taken` for each message

How it answers stands before the @ of an address: `gone` has no mailbox, `busy` is busy, `spam` is refused
after the text, `leave` makes it take leave instead of an answer, `cut` cuts the line after the text, `slow`
takes a fifth of a second. Everybody else's mail is taken. Envelopes are taken at once, as by most servers.
"""

import asyncio
import sys
import time
from pathlib import Path

from aiosmtpd.controller import UnthreadedController


class Handler:
    """Answers by the address."""

    def __init__(self, folder):
        self.taken = (folder / "taken").open("a", buffering=1)
        self.seen = (folder / "seen").open("a", buffering=1)

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", responses[-1]]

    async def handle_RCPT(self, server, session, envelope, address, options):
        how = address.partition("@")[0].partition(".")[0]
        if how == "leave" and not getattr(session, "left", False):
            session.left = True
            return "421 4.3.2 Going down"
        answers = {"gone": "550 5.1.1 No such mailbox", "busy": "451 4.2.1 Busy"}
        if how in answers:
            return answers[how]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        address = envelope.rcpt_tos[0]
        how = address.partition("@")[0].partition(".")[0]
        self.seen.write(f"{address}\n")
        if how == "cut":
            server.transport.abort()
            return "451 never said"
        if how == "spam":
            return "554 5.7.1 Not this text"
        if how == "slow":
            await asyncio.sleep(0.2)
        reference = next(
            line for line in envelope.content.split(b"\r\n") if line.lower().startswith(b"message-id:")
        )
        peer = session.peer[1]
        self.taken.write(f"{address} {reference.decode().partition('<')[2].partition('@')[0]} {peer}\n")
        return "250 OK"


def listen(folder):
    """Listen until killed."""
    loop = asyncio.new_event_loop()
    controller = UnthreadedController(Handler(folder), hostname="127.0.0.1", port=0, loop=loop)
    controller.begin()
    port = controller.server.sockets[0].getsockname()[1]
    (folder / "port.new").write_text(str(port))
    (folder / "port.new").rename(folder / "port")
    loop.run_forever()


class Sink:
    """The server as tests have it."""

    def __init__(self, folder):
        import subprocess

        self.folder = folder
        self.process = subprocess.Popen([sys.executable, __file__, str(folder)])
        until = time.monotonic() + 60
        while not (folder / "port").exists():
            assert time.monotonic() < until, "the mail server did not come up"
            time.sleep(0.02)
        self.port = int((folder / "port").read_text())

    @property
    def taken(self):
        """Of every message that was taken: the address, our reference, and the connection's port."""
        return [tuple(line.split()) for line in (self.folder / "taken").read_text().splitlines()]

    @property
    def seen(self):
        """The address of every message whose text arrived, taken or not."""
        return (self.folder / "seen").read_text().split()

    def forget(self):
        """Begin anew; the server goes on writing at the end."""
        for name in ("taken", "seen"):
            with (self.folder / name).open("r+") as file:
                file.truncate(0)

    def close(self):
        """End it."""
        self.process.kill()
        self.process.wait()


if __name__ == "__main__":
    listen(Path(sys.argv[1]))
