"""`python -m equipoise.platform.rehearsal.notify_server`: the server on its own, until it is interrupted."""

import argparse
import json
import signal
import sys
import threading
from pathlib import Path

from equipoise.platform.rehearsal.notify_server.calling_back import CallBack
from equipoise.platform.rehearsal.notify_server.keys import Keys
from equipoise.platform.rehearsal.notify_server.server import NotifyServer

__all__ = ["main"]


def main(given: list[str] | None = None) -> None:
    """Serve; the first line of the output says, as JSON, the address, the test key and the templates."""
    parser = argparse.ArgumentParser(prog="notify_server", description=main.__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 for any that is free")
    parser.add_argument("--key", default="", help="the test key to take, as the workspace has it")
    parser.add_argument("--file", type=Path, help="to which each message is added, a line of JSON")
    parser.add_argument("--receipts", default="", help="the address to tell what became of messages")
    parser.add_argument("--texts", default="", help="the address to tell of texts that came in")
    parser.add_argument("--token", default="", help="the bearer token of both")
    parser.add_argument("--per-minute", type=int, default=3000, help="requests that are taken")
    parser.add_argument("--per-day", type=int, default=250_000, help="messages that are taken")
    chosen = parser.parse_args(given)
    stopping = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: stopping.set())
    server = NotifyServer(
        port=chosen.port,
        keys=Keys.of(chosen.key) if chosen.key else None,
        back=CallBack(chosen.receipts, chosen.texts, chosen.token),
        file=chosen.file,
        per_minute=chosen.per_minute,
        per_day=chosen.per_day,
    )
    with server:
        told = {"address": server.address, "key": server.keys.key("test"), "templates": server.templates}
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()
        stopping.wait()


if __name__ == "__main__":
    main()
