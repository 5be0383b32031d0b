"""A member of staff with a password, an authenticator app, and a browser in which they sign in."""

import logging
import re
import time
from html import unescape
from urllib.parse import urlsplit

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.test import Client

PASSWORD = "green kettle on the moor"  # noqa: S105


class App:
    """An authenticator app: codes of the half-minute before, this one and the next."""

    def __init__(self):
        self.secret = None

    def code(self, later=0):
        return format_hotp_value(hotp_value(self.secret, int(time.time()) // 30 + later))


class Desk:
    """A browser at which somebody works. Requests come over TLS, as the cookies demand."""

    def __init__(self, address="10.0.0.1"):
        self.client = Client(enforce_csrf_checks=True, REMOTE_ADDR=address, HTTP_ORIGIN="https://testserver")
        self.page = None

    def get(self, path, follow=True):
        self.page = self.client.get(path, follow=follow, secure=True)
        return self.page

    def post(self, path, follow=True, **fields):
        token = self.client.cookies.get("__Host-csrf")
        fields = {"csrfmiddlewaretoken": token.value if token else "", **fields}
        self.page = self.client.post(path, fields, follow=follow, secure=True)
        return self.page

    @property
    def path(self):
        chain = getattr(self.page, "redirect_chain", [])
        return urlsplit(chain[-1][0]).path if chain else self.page.request["PATH_INFO"]

    @property
    def text(self):
        return unescape(re.sub(r"<[^>]+>", " ", self.page.content.decode()))

    @property
    def heading(self):
        return unescape(re.search(r"<h1[^>]*>(.*?)</h1>", self.page.content.decode(), re.S)[1]).strip()

    def enter_password(self, email="alice@example.org", password=PASSWORD, next=None):
        self.get("/staff/sign-in" + (f"?next={next}" if next else ""))
        further = {"next": next} if next else {}
        return self.post("/staff/sign-in", login=email, password=password, **further)

    def enter_code(self, code):
        return self.post("/staff/code", code=code)


@pytest.fixture(autouse=True)
def alice_with_password(alice):
    """Alice has set a password."""
    alice.set_password(PASSWORD)
    alice.save()
    return alice


@pytest.fixture
def desk():
    return Desk()


@pytest.fixture
def app(desk):
    """Alice's authenticator app, set up at her desk, where she is signed in; its first code is spent."""
    made = App()
    desk.enter_password()
    made.secret = re.search(r"<code[^>]*>([A-Z2-7]+)</code>", desk.page.content.decode())[1]
    desk.post("/staff/device", code=made.code(-1))
    assert desk.path == "/staff/recovery-codes"
    return made


@pytest.fixture
def signed_in(desk, app):
    """Alice at her desk, with both factors given."""
    return desk


@pytest.fixture
def log_lines(caplog):
    """Everything that is logged from here on, as one text."""
    caplog.set_level(logging.INFO)
    return lambda: "\n".join(record.getMessage() for record in caplog.records)
