"""The server of rehearsals, asked by Notify's own client: it answers as Notify does."""

import json
import subprocess
import sys

import pytest
from notifications_python_client.errors import HTTPError
from notifications_python_client.notifications import NotificationsAPIClient


@pytest.fixture
def client(server):
    made = NotificationsAPIClient(server.keys.key("test"), server.address, timeout=5)
    with made.request_session:
        yield made


def test_messages_are_listed_page_by_page_newest_first_and_by_what_is_asked(client, server):
    for number in range(255):
        client.send_sms_notification(
            "07700900123", server.templates["sms"], {"body": "x"}, reference=f"r{number}"
        )
    listed = list(client.get_all_notifications_iterator())
    assert [each["reference"] for each in listed] == [f"r{number}" for number in reversed(range(255))]
    assert len(client.get_all_notifications()["notifications"]) == 250
    assert [each["reference"] for each in client.get_all_notifications(reference="r7")["notifications"]] == [
        "r7"
    ]
    assert client.get_all_notifications(status="sending")["notifications"] == []


def test_an_address_for_smoke_tests_is_answered_and_leaves_no_trace(client, server):
    for to in (
        "simulate-delivered@notifications.service.gov.uk",
        "simulate-delivered-2@notifications.service.gov.uk",
    ):
        assert client.send_email_notification(to, server.templates["email"], {"subject": "x", "body": "x"})[
            "id"
        ]
    assert client.send_sms_notification("+447700900111", server.templates["sms"], {"body": "x"})["id"]
    assert server.messages == []


def test_a_key_sees_what_was_sent_by_keys_of_its_kind_alone(client, server):
    number = client.send_sms_notification("07700900123", server.templates["sms"], {"body": "x"})["id"]
    other = NotificationsAPIClient(server.keys.key("live"), server.address, timeout=5)
    with other.request_session:
        assert other.get_all_notifications()["notifications"] == []
        with pytest.raises(HTTPError) as refused:
            other.get_notification_by_id(number)
    assert refused.value.status_code == 404
    assert client.get_notification_by_id(number)["status"] == "delivered"


@pytest.mark.parametrize(
    ("kind", "sent", "error"),
    [
        ("email", {"email_address": "x@example.org", "template_id": "none"}, "ValidationError"),
        ("email", {"template_id": "none"}, "ValidationError"),
        (
            "sms",
            {"phone_number": "07700900123", "template_id": "1" * 8 + "-1111" * 3 + "-" + "1" * 12},
            "BadRequestError",
        ),
    ],
    ids=["template", "address", "fields"],
)
def test_what_is_missing_from_a_message_is_refused_by_name(client, kind, sent, error):
    with pytest.raises(HTTPError) as refused:
        client.post(f"/v2/notifications/{kind}", sent)
    assert (refused.value.status_code, refused.value.message[0]["error"]) == (400, error)


def test_it_runs_alone_says_where_it_is_and_keeps_what_it_takes_in_a_file(tmp_path):
    words = [
        sys.executable,
        "-m",
        "equipoise.platform.rehearsal.notify_server",
        "--file",
        str(tmp_path / "taken.jsonl"),
    ]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        told = json.loads(process.stdout.readline())
        client = NotificationsAPIClient(told["key"], told["address"], timeout=5)
        with client.request_session:
            client.send_email_notification(
                "person@example.org",
                told["templates"]["email"],
                {"subject": "Hello", "body": "Zoë"},
                reference="r1",
            )
        process.terminate()
        assert process.wait(10) == 0
    kept = [json.loads(line) for line in (tmp_path / "taken.jsonl").read_text("utf-8").splitlines()]
    assert [(each["to"], each["reference"], each["personalisation"]["body"]) for each in kept] == [
        ("person@example.org", "r1", "Zoë")
    ]
