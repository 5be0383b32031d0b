"""While sending is held nothing is sent, whoever asks; a person lifts it, and the record says who and why."""

import json
import socket
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from django.conf import settings as configured
from django.core.mail import EmailMessage, get_connection
from tests.platform.fieldwork.conftest import enrolled

from equipoise.errors import InputError
from equipoise.platform.audit.models import Entry
from equipoise.platform.clock import now
from equipoise.platform.fieldwork.models import LinkRequest
from equipoise.platform.operations.held import HeldError, release_sending, sending_held
from equipoise.platform.operations.marker import HELD
from equipoise.platform.permissions import NotAllowedError
from equipoise.platform.staff.actions import CommandLine
from equipoise.platform.worker.loop import DUTIES, run

pytestmark = pytest.mark.django_db(transaction=True)
BACKEND = "equipoise.platform.operations.held.HoldingBackend"


class Sink:
    """Counts what it is sent."""

    def __init__(self):
        self.messages = []

    async def handle_DATA(self, server, session, envelope):
        self.messages.append(envelope.rcpt_tos)
        return "250 kept"


@pytest.fixture
def post(settings):
    """A mail server on this machine, and the workspace's own way to it."""
    sink = Sink()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Controller(sink, hostname="127.0.0.1", port=port)
    server.start()
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = BACKEND, "127.0.0.1", port
    yield sink
    server.stop()


@pytest.fixture
def hold():
    """Holds sending, as a restored workspace does."""
    (Path(configured.WORKSPACE.folder) / HELD).write_text("restored", "utf-8")


def test_the_workspaces_mail_goes_by_a_backend_that_holds():
    text = (Path(__file__).parents[3] / "src/equipoise/platform/settings/__init__.py").read_text("utf-8")
    assert BACKEND in text


def test_a_message_is_sent_unless_sending_is_held(at, post):
    message = EmailMessage("Subject", "Text", "study@example.org", ["alex@example.org"])
    assert message.send() == 1
    (Path(configured.WORKSPACE.folder) / HELD).write_text("restored", "utf-8")
    with pytest.raises(HeldError):
        message.send()
    with pytest.raises(HeldError):
        get_connection(fail_silently=True).send_messages([message])
    assert len(post.messages) == 1


def test_the_worker_leaves_what_sends_undone_and_does_the_rest(
    swing, answered, hold, told, post, monkeypatch
):
    answered(pages=2)
    LinkRequest.objects.create(participant=enrolled(swing)[0], at=now())
    asked = []
    monkeypatch.setattr("equipoise.platform.fieldwork.requests._send", lambda request: asked.append(request))
    from equipoise.platform.workspace import Mail

    told(mail=Mail(host="127.0.0.1", sender="study@example.org"))
    done = run(configured.WORKSPACE, once=True)
    assert done["sealed"] == 2
    assert done["links sent"] == 0
    assert asked == []
    assert LinkRequest.objects.get().sent_at is None


def test_every_duty_that_sends_says_so():
    """A new duty that sends has to be listed here and marked there."""
    assert [duty.name for duty in DUTIES if duty.sends] == [
        "links sent",
        "providers asked",
        "messages rescued",
        "alarms raised",
    ]


def test_a_person_lets_it_send_again_and_the_record_says_why(at, hold):
    release_sending(CommandLine(), "The old machine is gone")
    assert not sending_held(configured.WORKSPACE)
    entry = Entry.objects.get(verb="workspace.release")
    assert (entry.actor, json.loads(entry.details)) == ("command-line", {"reason": "The old machine is gone"})


def test_without_a_reason_or_without_anything_held_nothing_is_released(at, hold):
    with pytest.raises(InputError, match="say why this copy may send"):
        release_sending(CommandLine(), " ")
    assert sending_held(configured.WORKSPACE)
    release_sending(CommandLine(), "checked")
    with pytest.raises(InputError, match="nothing is held here"):
        release_sending(CommandLine(), "checked")
    assert Entry.objects.filter(verb="workspace.release").count() == 1


def test_a_lead_of_a_study_may_not_release_a_workspace(swing, alice, hold):
    with pytest.raises(NotAllowedError):
        release_sending(alice, "I want to")
    assert sending_held(configured.WORKSPACE)


def test_a_password_reset_looks_the_same_to_whom_nothing_can_be_sent(members, hold, told, post):
    """Otherwise the page would tell which addresses have an account."""
    from django.test import Client

    from equipoise.platform.workspace import Mail

    told(mail=Mail(host="127.0.0.1", sender="study@example.org"))
    pages = [
        Client(HTTP_ORIGIN="https://testserver").post(
            "/staff/password/reset", {"email": f"{name}@example.org"}, follow=True, secure=True
        )
        for name in ("bob", "nobody")
    ]
    assert {page.status_code for page in pages} == {200}
    assert post.messages == []
