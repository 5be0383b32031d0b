"""Mail goes to a server that can show who it is, or it does not go."""

import smtplib
import socket
import ssl

import pytest
import trustme
from aiosmtpd.controller import Controller
from django.core.mail import EmailMessage, get_connection


class Sink:
    def __init__(self):
        self.messages = []

    async def handle_DATA(self, server, session, envelope):
        self.messages.append(envelope.rcpt_tos)
        return "250 kept"


@pytest.fixture
def authority():
    return trustme.CA()


def started(sink, **options):
    """The server of a sink, at a port that is free."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        sink.port = free.getsockname()[1]
    controller = Controller(sink, hostname="127.0.0.1", port=sink.port, **options)
    controller.start()
    return controller


@pytest.fixture
def server(authority):
    """A mail server on this machine that speaks TLS with a certificate of an authority unknown to it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    sink = Sink()
    controller = started(sink, tls_context=context, require_starttls=True)
    yield sink
    controller.stop()


def send(port, trusted=None):
    backend = get_connection(
        "equipoise.platform.operations.held.HoldingBackend", host="127.0.0.1", port=port, use_tls=True
    )
    if trusted is not None:
        backend.ssl_context = trusted
    message = EmailMessage("Subject", "Text", "study@example.org", ["one@example.org"])
    try:
        return backend.send_messages([message])
    finally:
        backend.close()


def test_a_certificate_of_nobody_known_is_refused_and_nothing_is_sent(server):
    with pytest.raises(ssl.SSLCertVerificationError):
        send(server.port)
    assert server.messages == []


def test_the_same_server_gets_it_once_its_authority_is_trusted(server, authority):
    trusted = ssl.create_default_context()
    authority.configure_trust(trusted)
    assert send(server.port, trusted) == 1
    assert server.messages == [["one@example.org"]]


def test_a_server_that_speaks_no_tls_gets_nothing():
    sink = Sink()
    controller = started(sink)
    try:
        with pytest.raises(smtplib.SMTPNotSupportedError):
            send(sink.port)
    finally:
        controller.stop()
    assert sink.messages == []
