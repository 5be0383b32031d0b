"""How the server misbehaves when it is asked to: a queue of faults, one for each message that comes next."""

import json
import threading
from collections import deque
from dataclasses import dataclass

__all__ = ["FAULTS", "Fault", "Faults"]


@dataclass(frozen=True)
class Fault:
    """One way to misbehave.

    Attributes:
        takes: the message is taken and kept, whatever the answer says.
        status: of the answer.
        body: of the answer; None for the right one.
        instead: what is done instead of an answer: `hang` says nothing, `drop` hangs up, `drip` and
            `drip-body` send a byte of a header, or of the body, now and then.
        content_type: of the answer.
        location: where a redirection leads.
    """

    takes: bool = False
    status: int = 500
    body: bytes | None = b""
    instead: str = ""
    content_type: str = "application/json"
    location: str = ""


def _error(status: int, error: str, message: str) -> bytes:
    return json.dumps({"status_code": status, "errors": [{"error": error, "message": message}]}).encode()


_SERVER_ERROR = _error(500, "Exception", "Internal server error")
_TRIAL = "Can't send to this recipient when service is in trial mode"
_CLOCK = "Error: Your system clock must be accurate to within 30 seconds"
_PAGE = b"<html><head><title>Bad gateway</title></head><body><h1>502</h1></body></html>"
FAULTS: dict[str, Fault] = {
    "500": Fault(body=_SERVER_ERROR),
    "500-taken": Fault(body=_SERVER_ERROR, takes=True),
    "502-page": Fault(status=502, body=_PAGE, content_type="text/html"),
    "503-empty": Fault(status=503),
    "200-page": Fault(status=200, body=_PAGE, content_type="text/html", takes=True),
    "201-empty": Fault(status=201, takes=True),
    "201-list": Fault(status=201, body=b"[1, 2, 3]", takes=True),
    "201-no-id": Fault(status=201, body=b'{"id": 7, "content": null}', takes=True),
    "201-half": Fault(status=201, body=b'{"id": "7', takes=True),
    "302": Fault(status=302, location="http://127.0.0.1:9/elsewhere"),
    "hang": Fault(instead="hang"),
    "hang-taken": Fault(instead="hang", takes=True),
    "drop": Fault(instead="drop"),
    "drop-taken": Fault(instead="drop", takes=True),
    "drip": Fault(instead="drip"),
    "drip-taken": Fault(instead="drip", takes=True),
    "drip-body-taken": Fault(instead="drip-body", takes=True),
    "400-template": Fault(status=400, body=_error(400, "BadRequestError", "Template not found")),
    "400-trial": Fault(status=400, body=_error(400, "BadRequestError", _TRIAL)),
    "403-clock": Fault(status=403, body=_error(403, "AuthError", _CLOCK)),
}


class Faults:
    """The faults that come next, in order."""

    def __init__(self) -> None:
        self._next: deque[Fault | None] = deque()
        self._lock = threading.Lock()

    def add(self, *names: str) -> None:
        """Misbehave by these names of `FAULTS`, one for each message that comes; "" lets one through."""
        with self._lock:
            self._next.extend(FAULTS[name] if name else None for name in names)

    def take(self) -> Fault | None:
        """The fault for this message, if there is one."""
        with self._lock:
            return self._next.popleft() if self._next else None
