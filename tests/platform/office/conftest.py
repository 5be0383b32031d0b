"""What the tests of the office share: browsers of people who are signed in, and a study with people in it."""

import re
from html import unescape
from types import SimpleNamespace

import pytest
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.test import Client

from equipoise.platform.people.actions import confirm_import

HEADER = "Trainee ID,Email,Mobile,Region,Start date"
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
REGIONS = ("north", "midlands", "east", "south")


class Desk:
    """A browser at which somebody works, over TLS and with the CSRF protection on."""

    def __init__(self):
        self.client = Client(enforce_csrf_checks=True, HTTP_ORIGIN="https://testserver")
        self.page = None

    def sign_in(self, member, *, factor=True):
        """Signed in as by both factors; how that comes about is tried with the pages of signing in."""
        self.client.force_login(member, backend=BACKEND)
        if factor:
            TOTP.activate(member, generate_totp_secret())
            session = self.client.session
            record_authentication(SimpleNamespace(session=session, user=member), member, "mfa")
            session.save()
        return self

    def get(self, path, **data):
        self.page = self.client.get(path, data, secure=True)
        return self.page

    def post(self, path, data=None, **fields):
        """Send a form of the page that was opened last."""
        token = self.client.cookies.get("__Host-csrf")
        sent = {"csrfmiddlewaretoken": token.value if token else "", **(data or {}), **fields}
        self.page = self.client.post(path, sent, secure=True)
        return self.page

    def act(self, path, data=None, **fields):
        """Open a page and send its form."""
        self.get(path)
        return self.post(path, data, **fields)

    def follow(self):
        return self.get(self.page["Location"])

    @property
    def html(self):
        streamed = self.page.streaming
        return (b"".join(self.page.streaming_content) if streamed else self.page.content).decode()

    @property
    def text(self):
        return " ".join(unescape(re.sub(r"<[^>]+>", " ", self.html)).split())

    @property
    def heading(self):
        return unescape(re.search(r"<h1[^>]*>(.*?)</h1>", self.html, re.S)[1]).strip()


@pytest.fixture
def desk(alice):
    """Alice, who leads `swing`, at her desk."""
    return Desk().sign_in(alice)


@pytest.fixture
def carols_desk(members):
    """Carol, who keeps the workspace, at hers."""
    return Desk().sign_in(members["Carol"])


@pytest.fixture
def bobs_desk(members):
    """Bob, who has no role in `swing`, at his."""
    return Desk().sign_in(members["Bob"])


@pytest.fixture
def roster(tmp_path):
    """A function that writes a roster of so many made-up people."""

    def write(number, first=0, cohort=2020):
        path = tmp_path / f"cohort-{cohort}.csv"
        lines = [
            f"T20-{each:04d},person.{each}@trainees.example.org,07700 900{each % 1000:03d},"
            f"{REGIONS[each % 4]},{cohort}-01-13"
            for each in range(first, first + number)
        ]
        path.write_text("\n".join([HEADER, *lines]) + "\n", "utf-8")
        return path

    return write


@pytest.fixture
def people(swing, alice, roster):
    """Twelve people of `swing`."""
    imported = confirm_import(alice, swing, roster(12))
    return list(imported.participants.select_related("study").order_by("pk"))
