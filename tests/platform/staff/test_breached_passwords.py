"""Passwords known from thefts: a list is asked where one is named, and told no more than it must be."""

import hashlib
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import trustme
from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from equipoise.errors import InputError
from equipoise.platform.workspace import StaffSignIn, open_workspace

STOLEN, FRESH = "correct horse battery", "green kettle on the moor"


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """A list over TLS that knows one password; what it is asked, in order."""
    found = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            found.append(self.path)
            prefix, rest = _digest(STOLEN)[:5], _digest(STOLEN)[5:]
            lines = [f"{rest}:3"] if self.path.endswith(prefix) else [f"{_digest(FRESH)[5:]}:0"]
            body = "\r\n".join(["0" * 35 + ":7", *lines]).encode()
            self.send_response(200 if self.path.startswith("/range/") else 500)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    authority = trustme.CA()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    authority.cert_pem.write_to_path(tmp_path / "authority.pem")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "authority.pem"))
    _name(monkeypatch, f"https://localhost:{server.server_port}/range")
    yield found
    server.shutdown()
    server.server_close()


def _digest(password):
    return hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper()


def _name(monkeypatch, address):
    sign_in = StaffSignIn(breached_passwords=address)
    told = settings.WORKSPACE.settings.model_copy(update={"sign_in": sign_in})
    monkeypatch.setattr(settings.WORKSPACE, "settings", told)


def test_a_stolen_password_is_refused_and_the_list_learns_five_digits_of_its_hash(asked):
    with pytest.raises(ValidationError, match="known from thefts elsewhere"):
        validate_password(STOLEN)
    validate_password(FRESH)  # on the list with a count of nought, which is padding
    assert asked == [f"/range/{_digest(each)[:5]}" for each in (STOLEN, FRESH)]


def test_a_list_that_cannot_be_asked_or_believed_stops_nobody_and_leaves_a_line(
    asked, monkeypatch, log_lines
):
    there = settings.WORKSPACE.settings.sign_in.breached_passwords
    for address, fault in (
        ("https://localhost:1/range", "ConnectionError"),
        (there.replace("/range", "/broken"), "HTTPError"),
    ):
        _name(monkeypatch, address)
        validate_password(STOLEN)
        assert f"could not be asked: {fault}" in log_lines()
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    _name(monkeypatch, there)
    validate_password(STOLEN)
    assert "could not be asked: SSLError" in log_lines()
    assert STOLEN not in log_lines()
    assert _digest(STOLEN)[5:] not in log_lines()


def test_nothing_is_asked_where_no_list_is_named(asked, monkeypatch):
    _name(monkeypatch, None)
    validate_password(STOLEN)
    assert asked == []


def test_a_list_without_tls_is_refused_with_its_line(tmp_path):
    text = "equipoise: 1\nsign-in:\n  breached-passwords: http://list.example.org/range\n"
    (tmp_path / "workspace.yaml").write_text(text, "utf-8")
    with pytest.raises(InputError, match=r"workspace\.yaml:3"):
        open_workspace(tmp_path)
