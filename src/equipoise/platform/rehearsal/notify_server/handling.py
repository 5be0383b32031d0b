"""One request after the other: where it leads, and how it is answered, or is not."""

import json
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qsl, urlsplit

from equipoise.platform.rehearsal.notify_server.faults import Fault
from equipoise.platform.rehearsal.notify_server.keys import KeyKind, Refused
from equipoise.platform.rehearsal.notify_server.taking import NEEDED

if TYPE_CHECKING:
    from equipoise.platform.rehearsal.notify_server.server import NotifyServer

__all__ = ["Handler"]

_DRIP_SECONDS = 0.05
_HANG_SECONDS = 600.0
_SEND = "/v2/notifications/"
_JSON = "application/json"


class Handler(BaseHTTPRequestHandler):
    """Answers as Notify does."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer leaves in one piece, or each would wait for the other side's acknowledgement
    timeout = 60  # of a connection that is kept and on which nothing comes

    @property
    def notify(self) -> "NotifyServer":
        """The server that this is a request to."""
        return cast("NotifyServer", self.server)

    def do_POST(self) -> None:
        """A message to send."""
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length)
        kind = self.path.removeprefix(_SEND)
        try:
            if kind not in NEEDED:
                raise Refused(404, "NotFound", "The requested URL was not found on the server.")
            answer, fault = self.notify.take(kind, _read(raw), self._authorisation)
        except Refused as refused:
            return self._say(refused.status, refused.body)
        return self._misbehave(fault, answer) if fault is not None else self._say(201, answer)

    def do_GET(self) -> None:
        """A question."""
        try:
            self._say(200, self._asked(self.notify.known(self._authorisation)))
        except Refused as refused:
            self._say(refused.status, refused.body)

    def _asked(self, key: KeyKind) -> dict[str, object]:
        parts = urlsplit(self.path)
        asked = dict(parse_qsl(parts.query))
        if parts.path == _SEND.rstrip("/"):
            return self.notify.listed(asked, key)
        if parts.path == "/v2/received-text-messages":
            return self.notify.texts_listed(asked.get("older_than"))
        if parts.path == "/v2/templates":
            return {"templates": [_template(*each) for each in self.notify.templates.items()]}
        found = self.notify.one(parts.path.removeprefix(_SEND), key)
        if found is None:
            raise Refused(404, "NoResultFound", "No result found")
        return found

    @property
    def _authorisation(self) -> str:
        return self.headers.get("Authorization") or ""

    def _say(self, status: int, answer: dict[str, object]) -> None:
        self._send(status, json.dumps(answer).encode(), _JSON)

    def _send(self, status: int, body: bytes, content_type: str, location: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(body)

    def _misbehave(self, fault: Fault, answer: dict[str, object]) -> None:
        if fault.instead:
            self.close_connection = True
        if fault.instead == "hang":
            self.notify.closing.wait(_HANG_SECONDS)
        elif fault.instead.startswith("drip"):
            self._drip(in_body=fault.instead == "drip-body")
        elif not fault.instead:
            body = json.dumps(answer).encode() if fault.body is None else fault.body
            self._send(fault.status, body, fault.content_type, fault.location)

    def _drip(self, *, in_body: bool) -> None:
        """A header or a body that never ends, a byte at a time, until the other side has had enough."""
        self.send_response(201)
        if in_body:
            self.send_header("Content-Length", "1000000")
            self.end_headers()
        else:
            self.flush_headers()
            self.wfile.write(b"X-Slow: ")
        try:
            while not self.notify.closing.wait(_DRIP_SECONDS):
                self.wfile.write(b"x")
                self.wfile.flush()
        except OSError:
            return

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing: an address stands in some requests."""


def _read(raw: bytes) -> object:
    try:
        return json.loads(raw)
    except ValueError:
        return None


def _template(kind: str, number: str) -> dict[str, object]:
    body = "".join(f"(({name}))" for name in NEEDED[kind] if name == "body")
    return {"id": number, "type": kind, "name": kind, "version": 1, "body": body}
