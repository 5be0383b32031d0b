"""What Notify would have called about is asked for, so that a call that was lost loses nothing."""

import threading
import time
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.conf import settings as django_settings
from django.test import Client
from tests.platform.delivery.receipts.conftest import TOKEN

from equipoise.messages import compile_message
from equipoise.platform.clock import now
from equipoise.platform.delivery.channels import channel_of
from equipoise.platform.delivery.channels.contract import Outgoing
from equipoise.platform.delivery.channels.notify.channel import NotifyChannel
from equipoise.platform.delivery.models import Dispatch, InboundText, Receipt
from equipoise.platform.delivery.receipts import polling
from equipoise.platform.delivery.receipts.polling import poll
from equipoise.platform.rehearsal.notify_server import CallBack, NotifyServer
from equipoise.protocol.models.files import Message

pytestmark = pytest.mark.django_db
WORDS = compile_message(Message(body="Hello"), language="en-GB")


@pytest.fixture
def server(carried):
    moment = now()  # of the database, which the server's threads do not ask
    with NotifyServer(settles=False, clock=lambda: moment) as running:
        carried(running.address, running.keys.key("test"))
        yield running


@pytest.fixture
def taken(server, sent):
    """A function that hands a message to Notify and makes its dispatch."""

    def make(person=None, occasion=1, *, to="+447700900123", ago=timedelta(hours=1)):
        dispatch = sent(person, occasion, ago=ago)
        with channel_of(django_settings.WORKSPACE, "notify") as channel:
            outcome = channel.send(Outgoing(dispatch.reference, to, WORDS, {}))
        Dispatch.objects.filter(pk=dispatch.pk).update(provider_id=outcome.provider_id)
        return dispatch

    return make


def states():
    return list(Dispatch.objects.order_by("pk").values_list("state", flat=True))


def test_what_has_ended_is_learnt_and_what_is_under_way_stays_sent(server, taken):
    for occasion in range(1, 4):
        taken(occasion=occasion, to=f"+44770090000{occasion}")
    assert poll() == 0
    assert states() == ["sent"] * 3
    for message in server.messages:
        server.settle(message)
    assert poll() == 3
    assert states() == ["delivered", "failed", "failed"]
    assert poll() == 0


def test_whoever_was_not_answered_for_three_days_is_not_asked_about_any_more(server, taken):
    taken(ago=timedelta(days=4))
    server.settle(server.messages[0])
    assert poll() == 0
    assert states() == ["sent"]
    assert not Receipt.objects.exists()


def test_however_many_are_under_way_each_is_asked_about_in_its_turn_and_the_oldest_first(
    server, taken, monkeypatch
):
    monkeypatch.setattr(polling, "_AT_ONCE", 2)
    monkeypatch.setattr(polling, "_ENDS", polling._Turns())
    asked = []
    state_of = NotifyChannel.state_of
    monkeypatch.setattr(
        NotifyChannel, "state_of", lambda self, number: asked.append(number) or state_of(self, number)
    )
    rows = [taken(occasion=occasion, ago=timedelta(hours=9 - occasion)) for occasion in range(1, 6)]
    numbers = [Dispatch.objects.get(pk=row.pk).provider_id for row in rows]
    for _ in range(3):
        assert poll() == 0
    assert asked == [*numbers, numbers[0]]  # none of them ends, and none keeps the others from their turn

    server.settle(server.messages[1])
    taken(occasion=6, ago=timedelta(hours=1))
    assert [poll() for _ in range(4)] == [1, 0, 0, 0]
    assert len(set(asked)) == 6


def test_a_round_asks_about_each_once_where_there_are_few(server, taken, monkeypatch):
    monkeypatch.setattr(polling, "_ENDS", polling._Turns())
    asked = []
    monkeypatch.setattr(NotifyChannel, "state_of", lambda self, number: asked.append(number))
    for occasion in range(1, 4):
        taken(occasion=occasion)
    poll()
    poll()
    assert len(asked) == 6
    assert set(asked[:3]) == set(asked[3:])


def test_texts_that_came_in_are_asked_for_and_each_is_taken_once(server, taken, people):
    taken()
    server.text_in("+447700900123", "Thanks")
    server.text_in("+447700900123", "Stop")
    assert poll() == 2
    assert poll() == 0
    people[0].refresh_from_db()
    assert people[0].messages_stopped_at is not None
    assert InboundText.objects.count() == 2


def test_where_notify_cannot_be_asked_the_rest_of_the_worker_goes_on(carried, sent, caplog):
    sent()
    assert poll() == 0
    assert "notify could not be asked" in caplog.text
    assert states() == ["sent"]


def test_a_workspace_without_notify_asks_nobody(sent):
    sent()
    assert poll() == 0


class Called(BaseHTTPRequestHandler):
    """Takes what Notify tells at the second try, to be handed on to the platform."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.told.append((self.path, body, self.headers["Authorization"]))
        self.send_response(503 if len(self.server.told) % 2 else 200)
        self.end_headers()

    def log_message(self, *_):
        """Says nothing."""


def test_the_server_calls_back_until_it_is_heard_in_the_words_that_the_platform_takes(server, taken, people):
    dispatch = taken()
    with ThreadingHTTPServer(("127.0.0.1", 0), Called) as called:
        called.told = []
        threading.Thread(target=called.serve_forever, args=(0.01,), daemon=True).start()
        base = f"http://127.0.0.1:{called.server_address[1]}/callbacks/notify"
        server.call_back(CallBack(f"{base}/receipt", f"{base}/text", TOKEN, retry_seconds=0.01))
        server.settle(server.messages[0])
        server.text_in("+447700900123", "Stop")
        deadline = time.monotonic() + 10
        while not server.quiet and time.monotonic() < deadline:
            time.sleep(0.01)
        called.shutdown()
    assert len(called.told) == 4
    for path, body, token in called.told:
        headers = {"Authorization": token}
        page = Client().post(path, body, content_type="application/json", headers=headers, secure=True)
        assert page.status_code == 200
    dispatch.refresh_from_db()
    people[0].refresh_from_db()
    assert dispatch.state == "delivered"
    assert people[0].messages_stopped_at is not None
