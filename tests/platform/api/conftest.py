"""What the tests of the interface share: services and programs that call with their tokens, over TLS."""

import io
import itertools
import json
from types import SimpleNamespace

import pytest
from django.test import Client

from equipoise.platform.api.limits import forget_everything
from equipoise.platform.services.actions import make_service
from equipoise.platform.services.scopes import SCOPES


@pytest.fixture(autouse=True)
def _nobody_has_asked_before():
    forget_everything()


class Program:
    """A program with a token, as it calls: no cookies, no forgery token, checks of both on."""

    def __init__(self, token=None, *, secure=True):
        self.client = Client(enforce_csrf_checks=True, raise_request_exception=False)
        self.head = {} if token is None else {"HTTP_AUTHORIZATION": f"Bearer {token}"}
        self.head["secure"] = secure

    def get(self, path, **more):
        return self._said(self.client.get(path, **self.head, **more))

    def post(self, path, body=b"", kind="text/csv", **more):
        return self._said(self.client.post(path, body, content_type=kind, **self.head, **more))

    def cut(self, path, body, length, kind="text/csv"):
        """Send a body that ends before the length that was said."""
        return self.post(path, b"-", kind, **{"CONTENT_LENGTH": str(length), "wsgi.input": io.BytesIO(body)})

    def form(self, path, **fields):
        return self._said(self.client.post(path, fields, **self.head))

    def _said(self, response):
        body = b"".join(response.streaming_content) if response.streaming else response.content
        kind = response.headers.get("Content-Type", "")
        said = json.loads(body) if "json" in kind and body else None
        return SimpleNamespace(
            status=response.status_code, said=said, body=body, kind=kind, headers=response.headers
        )


@pytest.fixture
def made(swing, alice):
    """A function that makes a service of `swing`, kept by Alice; each has a name of its own."""
    number = itertools.count(1)

    def make(*scopes, study=None, **more):
        name = f"Payroll {next(number)} (synthetic)"
        return make_service(alice, study or swing, name, scopes or SCOPES, **more)

    return make


@pytest.fixture
def program(made):
    """A program with every scope."""
    return Program(made().token)
