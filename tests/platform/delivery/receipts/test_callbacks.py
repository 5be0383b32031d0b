"""Notify calls us: known by its token alone, and never told that something does not exist."""

import json
import logging

import pytest
from django.test import Client
from tests.platform.delivery.receipts.conftest import TOKEN

from equipoise.platform.delivery.models import InboundText, Receipt

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("carried")]
RECEIPT = {
    "id": "id-1",
    "reference": None,
    "to": "07700900123",
    "status": "delivered",
    "created_at": "2021-02-10T12:00:00.000000Z",
    "sent_at": "2021-02-10T12:00:01.000000Z",
    "completed_at": "2021-02-10T12:00:02.000000Z",
    "notification_type": "sms",
}
TEXT = {
    "id": "text-1",
    "source_number": "447700900123",
    "destination_number": "07700900999",
    "message": "STOP",
    "date_received": "2021-02-10T12:00:02.000000Z",
}
BODIES = {"receipt": RECEIPT, "text": TEXT}


def call(what, body=None, token=f"Bearer {TOKEN}", **more):
    sent = body if isinstance(body, str) else json.dumps(BODIES[what] if body is None else body)
    headers = {} if token is None else {"Authorization": token}
    client = Client(enforce_csrf_checks=True)
    path = f"/callbacks/notify/{what}"
    return client.post(path, sent, content_type="application/json", headers=headers, secure=True, **more)


@pytest.mark.parametrize("what", BODIES)
@pytest.mark.parametrize(
    "token", [None, "", "Bearer", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", TOKEN, "Bearer ü"]
)
def test_whoever_lacks_the_token_is_refused_and_nothing_is_kept(what, token):
    page = call(what, token=token)
    assert page.status_code == 401
    assert page["WWW-Authenticate"] == "Bearer"
    assert not Receipt.objects.exists()
    assert not InboundText.objects.exists()


@pytest.mark.parametrize("what", BODIES)
def test_a_workspace_without_a_token_is_called_by_nobody(what, monkeypatch):
    monkeypatch.setenv("EQUIPOISE_NOTIFY_CALLBACK", "")
    for token in ("Bearer ", f"Bearer {TOKEN}", None):
        assert call(what, token=token).status_code == 401


def test_a_receipt_is_applied_and_told_twice_it_is_one(sent):
    dispatch = sent()
    body = {**RECEIPT, "id": dispatch.provider_id, "reference": dispatch.reference}
    assert [call("receipt", body).status_code for _ in range(2)] == [200, 200]
    dispatch.refresh_from_db()
    assert dispatch.state == "delivered"
    assert Receipt.objects.get().told_at.isoformat() == "2021-02-10T12:00:02+00:00"


def test_a_receipt_of_a_message_that_nobody_knows_is_kept_and_never_not_found():
    assert call("receipt").status_code == 200
    assert Receipt.objects.get().applied_at is None


@pytest.mark.parametrize(
    "body",
    [
        *("", "{", "[]", "7", '"x"', "null", "{}"),
        {**RECEIPT, "id": "x" * 121},
        {**RECEIPT, "id": 7},
        {**RECEIPT, "completed_at": "yesterday"},
        {**RECEIPT, "status": None},
    ],
)
def test_what_notify_never_tells_is_refused_without_a_fault(body):
    assert call("receipt", body).status_code == 400
    assert not Receipt.objects.exists()


def test_a_text_of_stop_stops_and_told_twice_it_is_one(sent, people):
    sent()
    assert [call("text").status_code for _ in range(2)] == [200, 200]
    people[0].refresh_from_db()
    assert people[0].messages_stopped_at is not None
    assert InboundText.objects.get().outcome == "stopped"


@pytest.mark.parametrize("what", BODIES)
@pytest.mark.parametrize("method", ["get", "head", "put", "delete"])
def test_a_look_at_the_address_does_nothing(what, method):
    assert getattr(Client(), method)(f"/callbacks/notify/{what}", secure=True).status_code == 405


def test_neither_the_number_nor_the_words_are_kept_or_logged(sent, people, caplog):
    caplog.set_level(logging.DEBUG)
    sent()
    call("text", {**TEXT, "message": "Stop canary words"})
    call("receipt")
    call("text", {**TEXT, "id": 7, "message": "Stop canary words"})
    call("text", {**TEXT, "message": "Stop canary words"}, token="Bearer wrong")  # noqa: S106
    kept = [str(row) for model in (InboundText, Receipt) for row in model.objects.values()]
    for canary in ("7700900123", "canary", TOKEN):
        assert canary not in caplog.text
        assert canary not in " ".join(kept)
