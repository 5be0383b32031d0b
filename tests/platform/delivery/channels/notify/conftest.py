"""A server that speaks Notify's interface, a channel that speaks to it, and messages to hand to it."""

import itertools

import pytest

from equipoise.messages import compile_message
from equipoise.platform.delivery.channels.contract import Outgoing
from equipoise.platform.delivery.channels.notify.channel import NotifyChannel
from equipoise.platform.rehearsal.notify_server import NotifyServer
from equipoise.platform.workspace import Notify
from equipoise.protocol.models.files import Message

_NUMBERS = itertools.count(1)


@pytest.fixture
def server():
    with NotifyServer() as running:
        yield running


@pytest.fixture
def channel(server):
    """A channel with a test key, which does not wait long."""
    with NotifyChannel(settings_of(server), server.keys.key("test"), answer_seconds=0.4) as made:
        yield made


def settings_of(server, **more):
    return Notify(
        key="test",
        address=server.address,
        email_template=server.templates["email"],
        sms_template=server.templates["sms"],
        **more,
    )


def mail(to="person.1@example.org", body="Dear {name}, [read this](https://study.example.org).", **fields):
    """An e-mail that is about to go out."""
    written = Message(subject="For {name}", body=body)
    fields = {"name": "Zoë", **fields}
    return outgoing(to, written, fields, unsubscribe="https://study.example.org/stop/one-click/x")


def text(to="+447700900123", body="Hello {name}"):
    """A text that is about to go out."""
    return outgoing(to, Message(body=body), {"name": "Zoë"})


def outgoing(to, written, fields, **more):
    reference = f"{next(_NUMBERS):032x}"
    return Outgoing(reference, to, compile_message(written, language="en-GB"), fields, **more)
