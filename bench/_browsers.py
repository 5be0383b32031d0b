"""Many browsers at once in one process: keep-alive, cookies, redirects and forms."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from html import unescape
from time import perf_counter
from urllib.parse import urlencode

__all__ = ["Browser", "crowd"]

_FORM = re.compile(rb'<form method="post" action="([^"]*)"')
_HIDDEN = re.compile(rb'<input type="hidden" name="([^"]*)" value="([^"]*)">')
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_COOKIE = re.compile(rb"set-cookie: ([^=]+)=([^;\r]*)", re.IGNORECASE)
_LOCATION = re.compile(rb"location: ([^\r]+)", re.IGNORECASE)


class Browser:
    """One person: what they hold (cookies) and what they see (status, page)."""

    def __init__(self, host: str, port: int) -> None:
        self.host, self.port = host, port
        self.cookies: dict[bytes, bytes] = {}
        self.status, self.page, self.path, self.requests = 0, b"", "", 0

    async def __aenter__(self) -> "Browser":
        self.reader, self.writer = await asyncio.open_connection(self.host, self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.close()

    async def open(self, path: str) -> None:
        """Open a page, and those that it leads on to."""
        await self._ask(b"GET", path, b"")

    async def send(self, fields: Mapping[str, str]) -> None:
        """Send the form of the page that is open."""
        hidden = {name.decode(): unescape(value.decode()) for name, value in _HIDDEN.findall(self.page)}
        action = _FORM.search(self.page)
        if action is None:
            raise RuntimeError(f"no form on {self.path} (status {self.status})")
        await self._ask(b"POST", action[1].decode(), urlencode({**hidden, **fields}).encode())

    async def _ask(self, method: bytes, path: str, body: bytes) -> None:
        cookies = b"; ".join(name + b"=" + value for name, value in self.cookies.items())
        origin = f"http://{self.host}:{self.port}".encode()
        head = [
            b"%s %s HTTP/1.1" % (method, path.encode()),
            b"Host: %s:%d" % (self.host.encode(), self.port),
            b"Cookie: " + cookies,
        ]
        if body:
            head += [
                b"Origin: " + origin,
                b"Content-Type: application/x-www-form-urlencoded",
                b"Content-Length: %d" % len(body),
            ]
        self.writer.write(b"\r\n".join(head) + b"\r\n\r\n" + body)
        answer = await self.reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(answer)
        self.page = await self.reader.readexactly(int(length[1])) if length else await self._chunks(answer)
        self.status, self.path, self.requests = int(answer[9:12]), path, self.requests + 1
        self.cookies |= dict(_COOKIE.findall(answer))
        if self.status in (302, 303):
            location = _LOCATION.search(answer)
            await self._ask(b"GET", location[1].decode() if location else "/", b"")

    async def _chunks(self, answer: bytes) -> bytes:
        """A page that comes in pieces, each behind its length."""
        if b"chunked" not in answer.lower():
            return b""
        pieces = []
        while size := int(await self.reader.readline(), 16):
            pieces.append(await self.reader.readexactly(size))
            await self.reader.readline()
        await self.reader.readline()
        return b"".join(pieces)


async def crowd(tasks: list[Callable[[], Awaitable[bool]]], at_once: int) -> tuple[float, int, list[float]]:
    """Do tasks, so many at once.

    Returns:
        Seconds for all, how many failed, and the seconds of each.
    """
    waiting, took, failed = iter(tasks), [], 0

    async def one() -> None:
        nonlocal failed
        for task in waiting:
            began = perf_counter()
            try:
                good = await task()
            except (OSError, RuntimeError, asyncio.IncompleteReadError):
                good = False
            failed += not good
            took.append(perf_counter() - began)

    began = perf_counter()
    await asyncio.gather(*(one() for _ in range(at_once)))
    return perf_counter() - began, failed, took
