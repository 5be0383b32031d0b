"""People who answer at once over real connections, and keep note of every page that was acknowledged."""

import http.client
import re
import threading
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import urlencode

_HIDDEN = re.compile(r'<input[^>]*type="hidden"[^>]*>')
_FIELD = re.compile(r'<(?:input|textarea)[^>]*name="([^"_][^"]*)"[^>]*>')
_NAME, _VALUE = re.compile(r'name="([^"]*)"'), re.compile(r'value="([^"]*)"')


@dataclass
class Person:
    """One browser: cookies, the page that is open, and the pages that were acknowledged by the next one."""

    port: int
    name: str
    cookies: dict = field(default_factory=dict)
    acknowledged: list = field(default_factory=list)  # (session code, page, fields sent)
    page: str = ""
    path: str = ""
    _connection: http.client.HTTPConnection | None = None

    def open(self, path):
        """Get a page, and where it leads."""
        self.close()
        self._connection = http.client.HTTPConnection("localhost", self.port, timeout=30)
        self._ask("GET", path)
        return self

    def close(self):
        """Put the telephone away."""
        if self._connection is not None:
            self._connection.close()

    def send(self, fields):
        """Send the form of the page."""
        found = re.search(r'<form method="post" action="([^"]*)"', self.page)
        assert found, f"no form at {self.path}: {re.sub('<[^>]+>', ' ', self.page)[:600]}"
        action = unescape(found[1])
        hidden = {
            unescape(_NAME.search(tag)[1]): unescape(_VALUE.search(tag)[1])
            for tag in _HIDDEN.findall(self.page)
        }
        begun = re.search(r"/survey/(\w+)/page/(\w+)", self.path)
        self._ask("POST", action, urlencode({**hidden, **fields}), begun and (*begun.groups(), fields))
        return self

    def fields(self):
        """An answer to everything on the page: the first choice, a number, a text that names who wrote it."""
        found = {}
        for tag in re.finditer(r"<(?:input|textarea)[^>]*>", self.page):
            name = unescape(_NAME.search(tag[0])[1]) if _NAME.search(tag[0]) else ""
            if name.startswith("_") or 'type="hidden"' in tag[0] or name == "csrfmiddlewaretoken" or not name:
                continue
            if 'type="radio"' in tag[0]:
                found.setdefault(name, unescape(_VALUE.search(tag[0])[1]))
            elif 'type="checkbox"' not in tag[0]:
                found[name] = self.name if tag[0].startswith("<textarea") or name == "comment" else "3"
        return found

    def answer(self, link):
        """From the link to the thanks."""
        try:
            return self._answered(link)
        finally:
            self.close()

    def _answered(self, link):
        self.open(link)
        if "<form" not in self.page:
            return self  # done already
        self.send({})
        if self.path.endswith("/taking-part"):
            self.send(dict.fromkeys(self.fields(), "yes"))
        while "/page/" in self.path:
            self.send(self.fields())
        assert self.path.endswith("/thanks"), self.path
        return self

    def _ask(self, method, path, body=None, sends=None):
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            headers["Origin"] = f"http://localhost:{self.port}"
        self._connection.request(method, path, body, headers)
        response = self._connection.getresponse()
        self.page, self.path = response.read().decode(), path
        for cookie in response.headers.get_all("Set-Cookie") or ():
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        if response.status in (302, 303):
            where = response.headers["Location"]
            if sends is not None and not where.endswith(f"/page/{sends[1]}"):
                self.acknowledged.append(sends)
            self._ask("GET", where)


class Crowd:
    """So many people at once, one link after the other, until they are done or the server is gone."""

    def __init__(self, port, links, at_once=6):
        self.people = []
        self._port, self._waiting, self._lock = port, iter(links), threading.Lock()
        self._threads = [threading.Thread(target=self._go_on, daemon=True) for _ in range(at_once)]
        for thread in self._threads:
            thread.start()

    @property
    def acknowledged(self):
        """Every page that was, so far."""
        return [page for person in list(self.people) for page in list(person.acknowledged)]

    def gone(self):
        """Wait for all of them to end."""
        for thread in self._threads:
            thread.join(60)

    def _go_on(self):
        while True:
            with self._lock:
                link = next(self._waiting, None)
                if link is None:
                    return
                person = Person(self._port, f"person {len(self.people)}")
                person.link = link
                self.people.append(person)
            try:
                person.answer(link)
            except (OSError, http.client.HTTPException):
                return  # the server is gone
