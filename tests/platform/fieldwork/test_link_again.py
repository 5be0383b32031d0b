"""Send me my link again: the page tells nobody who is known, and the worker sends over a real conversation."""

import re
import socket
from datetime import timedelta
from email import message_from_bytes
from email.policy import default

import pytest
from aiosmtpd.controller import Controller
from tests.platform.fieldwork.conftest import Browser

from equipoise.platform.clock import now, set_clock
from equipoise.platform.fieldwork.models import LinkRequest
from equipoise.platform.fieldwork.requests import send_requested_links
from equipoise.platform.fieldwork.throttle import wanted_links
from equipoise.platform.people.actions import confirm_import
from equipoise.platform.workspace import Mail

ADDRESS = "alex.example@example.org"
ROSTER = f"""staff_ref,email,mobile,cohort,region,started_on
T1,{ADDRESS},07700 900001,2021,north,2021-01-11
"""


class Sink:
    """Keeps what it is sent; refuses while `down`."""

    def __init__(self):
        self.messages, self.down = [], False

    async def handle_DATA(self, server, session, envelope):
        if self.down:
            return "451 try again later"
        self.messages.append((envelope.rcpt_tos, message_from_bytes(envelope.content, policy=default)))
        return "250 kept"


@pytest.fixture
def post(settings):
    """A mail server on this machine, named in the workspace."""
    sink = Sink()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Controller(sink, hostname="127.0.0.1", port=port)
    server.start()
    mail = Mail(host="127.0.0.1", port=port, sender="study@example.org", security="none")
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    settings.DEFAULT_FROM_EMAIL = "Study <study@example.org>"
    before = settings.WORKSPACE.settings
    settings.WORKSPACE.settings = before.model_copy(update={"mail": mail})
    wanted_links.forget()
    yield sink
    settings.WORKSPACE.settings = before
    server.stop()


@pytest.fixture
def known(swing, alice, tmp_path):
    """A participant whom the study can reach."""
    roster = tmp_path / "roster.csv"
    roster.write_text(ROSTER, "utf-8")
    confirm_import(alice, swing, roster)
    return swing.participants.get()


def ask(study, address):
    return Browser().open(f"/link/{study.name}").send({"email": address})


def test_the_page_says_the_same_to_whom_it_knows_and_to_whom_it_does_not(swing, known, post):
    one, other = ask(swing, ADDRESS), ask(swing, "nobody@example.org")
    assert one.response.content == other.response.content
    assert LinkRequest.objects.count() == 1


def test_the_worker_sends_a_link_that_opens_the_survey(swing, known, post):
    ask(swing, ADDRESS.upper())
    assert send_requested_links() == 1
    ((recipients, message),) = post.messages
    assert recipients == [ADDRESS]
    link = re.search(r"http://\S+/s/\S+", message.get_content())[0]
    assert Browser().open(link).response.status_code == 200
    assert send_requested_links() == 0


def test_asking_often_sends_one_message_in_half_an_hour(swing, known, post):
    for _ in range(3):
        ask(swing, ADDRESS)
    assert send_requested_links() == 1
    set_clock(now() + timedelta(minutes=31))
    ask(swing, ADDRESS)
    assert send_requested_links() == 1


def test_a_mail_server_that_is_down_is_asked_again_in_the_next_round(swing, known, post):
    ask(swing, ADDRESS)
    post.down = True
    assert send_requested_links() == 0
    post.down = False
    assert send_requested_links() == 1


def test_outside_a_wave_nothing_is_sent(swing, known, post):
    ask(swing, ADDRESS)
    set_clock(now() + timedelta(days=40))
    LinkRequest.objects.update(at=now())
    assert send_requested_links() == 0
    assert post.messages == []


def test_something_that_is_no_address_is_asked_for_again_with_what_was_typed(swing, post):
    browser = ask(swing, "not an address")
    assert browser.response.status_code == 422
    assert 'value="not an address"' in browser.html


def test_whoever_asks_for_many_has_to_wait(swing, post):
    for number in range(20):
        ask(swing, f"somebody{number}@example.org")
    assert ask(swing, "somebody@example.org").response.status_code == 429


def test_without_a_mail_server_the_page_says_whom_to_ask(swing):
    assert "Links cannot be sent from here" in Browser().open(f"/link/{swing.name}").text


def test_the_privacy_notice_is_made_from_the_protocol(swing):
    browser = Browser().open(f"/privacy/{swing.name}")
    assert browser.heading == "Privacy notice"
    assert "data-protection@example.org" in browser.text
    assert Browser().open("/privacy/nothing").response.status_code == 404
