"""What Notify would have called about is asked for, so that a call that was lost loses nothing."""

import time
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from tests.platform.delivery.receipts.conftest import TOKEN

from equipoise.messages import compile_message
from equipoise.platform.clock import now
from equipoise.platform.delivery.channels import channel_of
from equipoise.platform.delivery.channels.contract import Outgoing
from equipoise.platform.delivery.models import Dispatch, InboundText, Receipt
from equipoise.platform.delivery.polling import poll
from equipoise.platform.rehearsal.notify_server import CallBack, NotifyServer
from equipoise.protocol.models.files import Message

pytestmark = pytest.mark.django_db
WORDS = compile_message(Message(body="Hello"), language="en-GB")


@pytest.fixture
def server(carried):
    with NotifyServer(settles=False, clock=now) as running:
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


@pytest.mark.django_db(transaction=True)
def test_the_server_calls_the_platform_back_until_it_answers(taken, server, live_server, people):
    dispatch = taken()
    gone = "http://127.0.0.1:9"
    server.call_back(CallBack(gone, f"{live_server.url}/callbacks/notify/text", TOKEN, retry_seconds=0.01))
    server.text_in("+447700900123", "Stop")
    server.call_back(CallBack(f"{live_server.url}/callbacks/notify/receipt", "", TOKEN))
    server.settle(server.messages[0])
    deadline = time.monotonic() + 10
    while not server.quiet and time.monotonic() < deadline:
        time.sleep(0.01)
    dispatch.refresh_from_db()
    people[0].refresh_from_db()
    assert dispatch.state == "delivered"
    assert people[0].messages_stopped_at is not None
