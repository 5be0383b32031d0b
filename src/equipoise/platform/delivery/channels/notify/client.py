"""Notify's own client, kept from waiting for ever, from following anybody elsewhere, and from logging.

The library takes a time-out for each read, so a server that sends a byte now and then would hold it for
ever. Here the time for an answer is the time for the whole of it, headers included. A connection that was
never made is told apart from one that broke after something was said on it: after the one nothing can have
gone out.
"""

import io
import socket
import ssl
import time
from http import HTTPStatus
from http.client import HTTPResponse
from typing import Any

import requests
from notifications_python_client.notifications import NotificationsAPIClient
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

__all__ = ["Answer", "Client", "NoAnswer", "NotReached"]

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 30.0
LONGEST_ANSWER = 20_000_000  # bytes; a page of 250 messages with their texts is far less


class NotReached(Exception):
    """No connection was made, so nothing was asked. `why` is a word: certificate, slow or not-reached."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class NoAnswer(Exception):
    """Something was asked and no answer came: it may have been done."""


class Answer(Exception):
    """An answer other than success, or one that cannot be understood.

    Attributes:
        status: of the answer.
        error: Notify's name for what is wrong; empty where the answer is not in its form.
        message: what Notify says of it; for telling causes apart, never to be shown or logged.
    """

    def __init__(self, response: requests.Response) -> None:
        super().__init__(f"status {response.status_code}")
        self.status = response.status_code
        self.error, self.message = _told(response)


class Client(NotificationsAPIClient):
    """One connection to Notify, used again and again.

    Args:
        key: the API key.
        address: where Notify is.
        answer_seconds: how long a whole answer may take.
    """

    def __init__(self, key: str, address: str, *, answer_seconds: float = ANSWER_SECONDS) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            key, address, timeout=(CONNECT_SECONDS, answer_seconds)
        )
        self.request_session.trust_env = False  # no proxy, no certificate and no password from elsewhere
        self.request_session.mount("http://", _Adapter())
        self.request_session.mount("https://", _Adapter())

    def close(self) -> None:
        """Hang up."""
        self.request_session.close()

    def _perform_request(self, method: str, url: str, kwargs: dict[str, Any]) -> requests.Response:
        """Ask once.

        Raises:
            NotReached: nothing was asked.
            NoAnswer: no whole answer came.
            Answer: it is not one of success.
        """
        try:
            response = self.request_session.request(method, url, allow_redirects=False, stream=True, **kwargs)
            with response:
                _read_whole(response)
        except requests.RequestException:
            raise NoAnswer from None
        if not HTTPStatus.OK <= response.status_code < HTTPStatus.MULTIPLE_CHOICES:
            raise Answer(response)
        return response

    def _process_json_response(self, response: requests.Response) -> dict[str, Any]:
        """What a good answer holds.

        Raises:
            Answer: it does not hold what Notify answers.
        """
        try:
            held = response.json()
        except ValueError:
            held = None
        if not isinstance(held, dict):
            raise Answer(response)
        return held


class _WithinTime(io.RawIOBase):
    """Reads what a socket brings, all of it within the time that the socket had for one read."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._until = time.monotonic() + (sock.gettimeout() or ANSWER_SECONDS)
        self._held = sock.makefile("rb", buffering=0)  # keeps the socket open as long as it is read

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)
        return self._held.readinto(buffer)

    def close(self) -> None:
        if not self.closed:
            self._held.close()
        super().close()


class _Response(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp.close()
        self.fp = io.BufferedReader(_WithinTime(sock))


class _Plain(HTTPConnection):
    response_class = _Response

    def connect(self) -> None:
        try:
            super().connect()
        except Exception as error:
            raise NotReached(_why(error)) from None


class _Tls(HTTPSConnection):
    response_class = _Response

    def connect(self) -> None:
        try:
            super().connect()
        except Exception as error:
            raise NotReached(_why(error)) from None


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _Tls


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}


def _read_whole(response: requests.Response) -> None:
    """Read the body, up to what is believable.

    Raises:
        NoAnswer: it goes on and on, or it broke off.
    """
    body = bytearray()
    for piece in response.iter_content(65536):
        body += piece
        if len(body) > LONGEST_ANSWER:
            raise NoAnswer
    response._content = bytes(body)
    response._content_consumed = True


def _why(error: Exception) -> str:
    causes: list[BaseException | None] = [error, error.__cause__, error.__context__]
    if any(isinstance(each, ssl.SSLCertVerificationError) for each in causes):
        return "certificate"
    return "slow" if "timeout" in type(error).__name__.lower() else "not-reached"


def _told(response: requests.Response) -> tuple[str, str]:
    """What Notify calls the fault, and says of it."""
    try:
        first = response.json()["errors"][0]
        return str(first["error"]), str(first["message"])
    except (ValueError, TypeError, KeyError, IndexError):
        return "", ""
