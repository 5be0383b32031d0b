"""Notify's answers, good and bad, and what the channel makes of each."""

import logging
from datetime import UTC, datetime

import jwt
import pytest
import trustme
from tests.platform.delivery.channels.notify.conftest import mail, settings_of, text

from equipoise.platform.delivery.channels.notify.channel import NotifyChannel
from equipoise.platform.rehearsal.notify_server import FAULTS, NotifyServer

MAY_HAVE_LANDED = [name for name in FAULTS if name not in ("302", "400-template", "400-trial", "403-clock")]
WAITS = {"302": "http-302", "400-template": "template", "400-trial": "trial-mode", "403-clock": "clock"}


def test_an_email_and_a_text_are_taken_with_their_reference_their_words_and_the_address_to_stop(
    channel, server
):
    letter, words = mail(), text()
    outcomes = [channel.send(letter), channel.send(words)]
    assert [outcome.kind for outcome in outcomes] == ["sent", "sent"]
    first, second = server.messages
    assert [first.id, second.id] == [outcome.provider_id for outcome in outcomes]
    assert (first.reference, first.to, first.subject) == (letter.reference, letter.to, "For Zoë")
    assert "Dear Zoë" in first.body
    assert "https://study.example.org" in first.body
    assert first.unsubscribe == letter.unsubscribe
    assert (second.kind, second.to, second.body) == ("sms", "+447700900123", "Hello Zoë")


def test_what_a_roster_says_makes_no_link_of_notifys_own(channel, server):
    channel.send(mail(name="[prize](https://evil.example)"))
    assert "[prize]" not in server.messages[0].body


@pytest.mark.parametrize("fault", MAY_HAVE_LANDED)
def test_what_may_have_been_taken_is_unknown_and_notify_is_left_in_peace(channel, server, fault):
    message = mail()
    server.faults.add(fault)
    outcome = channel.send(message)
    assert outcome.kind == "unknown"
    assert outcome.code in ("no-answer", "bad-answer", "http-500", "http-502", "http-503")
    known = channel.look_up(message.reference)  # the truth is told by reference
    assert (known is not None) == FAULTS[fault].takes == (len(server.messages) == 1)


@pytest.mark.parametrize(("fault", "code"), WAITS.items())
def test_what_is_no_fault_of_the_message_waits_without_counting_as_an_attempt(channel, server, fault, code):
    server.faults.add(fault)
    outcome = channel.send(mail())
    assert (outcome.kind, outcome.code, outcome.burnt) == ("later", code, False)
    assert outcome.pause_seconds > 0
    assert not outcome.closes_address
    assert server.messages == []
    assert channel.send(mail()).kind == "sent"


def test_nobody_at_the_other_end_is_later(server):
    with NotifyServer() as gone:
        named = settings_of(gone)
    with NotifyChannel(named, gone.keys.key("test")) as channel:
        outcome = channel.send(mail())
        assert (outcome.kind, outcome.code, outcome.burnt) == ("later", "not-reached", False)
        with pytest.raises(ConnectionError):
            channel.look_up("0" * 32)
        with pytest.raises(ConnectionError):
            channel.state_of("0" * 32)
        with pytest.raises(ConnectionError):
            list(channel.texts_in())


def test_a_certificate_that_nobody_vouches_for_is_refused_and_nothing_is_said(tmp_path):
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    with NotifyServer(tls=context) as server:
        with NotifyChannel(settings_of(server), server.keys.key("test")) as channel:
            outcome = channel.send(mail())
        assert (outcome.kind, outcome.code) == ("later", "certificate")
        assert server.messages == []


@pytest.mark.parametrize(
    ("message", "code", "closes"),
    [
        (mail(to="nobody@nowhere"), "address", True),
        (text(to="12"), "address", True),
        (text(body="word " * 300), "too-long", False),
    ],
    ids=["address", "number", "length"],
)
def test_what_notify_will_not_take_for_the_messages_own_sake_is_refused(
    channel, server, message, code, closes
):
    outcome = channel.send(message)
    assert (outcome.kind, outcome.code, outcome.closes_address) == ("refused", code, closes)
    assert outcome.pause_seconds == 0
    assert server.messages == []


def test_the_rate_limit_is_a_wait_of_seconds_and_the_message_is_taken_afterwards():
    with NotifyServer(per_minute=3) as server:  # a bucket of two
        with NotifyChannel(settings_of(server), server.keys.key("live")) as channel:
            outcomes = [channel.send(mail()) for _ in range(3)]
        assert [outcome.kind for outcome in outcomes] == ["sent", "sent", "later"]
        assert (outcomes[2].code, outcomes[2].burnt) == ("rate-limit", False)
        assert 0 < outcomes[2].pause_seconds <= 60


def test_the_daily_limit_waits_until_the_next_day_begins_in_utc():
    today = datetime(2021, 3, 2, 17, 30, tzinfo=UTC)
    clock = [today]
    with NotifyServer(per_day=1, clock=lambda: clock[0]) as server:
        named = settings_of(server)
        with NotifyChannel(named, server.keys.key("live"), clock=lambda: clock[0]) as channel:
            outcomes = [channel.send(mail()) for _ in range(2)]
            assert [outcome.kind for outcome in outcomes] == ["sent", "later"]
            assert (outcomes[1].code, outcomes[1].burnt) == ("daily-limit", False)
            assert 6.5 * 3600 <= outcomes[1].pause_seconds <= 6.5 * 3600 + 600
            clock[0] = datetime(2021, 3, 3, 0, 11, tzinfo=UTC)
            assert channel.send(mail()).kind == "sent"


def test_those_that_wait_for_tomorrow_do_not_all_come_at_midnight():
    with (
        NotifyServer(per_day=1) as server,
        NotifyChannel(
            settings_of(server), server.keys.key("live"), clock=lambda: datetime.now(UTC)
        ) as channel,
    ):
        channel.send(mail())
        waits = {round(channel.send(mail()).pause_seconds / 2) for _ in range(8)}
    assert len(waits) > 4


def test_a_wrong_clock_and_a_wrong_key_are_told_apart(server, monkeypatch):
    monkeypatch.setattr("notifications_python_client.authentication.epoch_seconds", lambda: 1_600_000_000)
    with NotifyChannel(settings_of(server), server.keys.key("test")) as channel:
        assert channel.send(mail()).code == "clock"
    monkeypatch.undo()
    with NotifyServer() as other, NotifyChannel(settings_of(server), other.keys.key("test")) as channel:
        outcome = channel.send(mail())
    assert (outcome.kind, outcome.code, outcome.burnt) == ("later", "key", False)


def test_a_key_for_the_team_alone_stops_everything_and_refuses_nobody(server):
    with NotifyChannel(settings_of(server), server.keys.key("team")) as channel:
        outcome = channel.send(mail())
    assert (outcome.kind, outcome.code) == ("later", "team-key")


def test_a_reference_is_looked_up_with_what_became_of_it(channel, server):
    fates = {
        "person.1@example.org": ("delivered", False),
        "perm-fail@simulator.notify": ("failed", True),
        "temp-fail@simulator.notify": ("failed", False),
        "447700900002": ("failed", True),
        "447700900003": ("failed", False),
    }
    for to, (status, closes) in fates.items():
        message = mail(to=to) if "@" in to else text(to=to)
        provider_id = channel.send(message).provider_id
        known = channel.look_up(message.reference)
        assert (known.provider_id, known.status, known.closes_address) == (provider_id, status, closes)
        assert channel.state_of(provider_id).status == known.code
    assert channel.look_up("f" * 32) is None
    assert channel.state_of("00000000-0000-0000-0000-000000000000") is None


def test_texts_that_came_in_are_all_read_page_by_page(channel, server):
    for number in range(260):
        server.text_in("+447700900123", f"text {number}")
    assert [found.words for found in channel.texts_in()] == [
        f"text {number}" for number in reversed(range(260))
    ]


@pytest.mark.parametrize(
    "said", [{}, {"id": "x"}, {"id": "x", "status": "sent", "created_at": "soon"}, {"created_at": 7}, None, 7]
)
def test_what_notify_says_and_nobody_can_read_is_no_answer(channel, server, monkeypatch, said):
    page = {"notifications": [said], "received_text_messages": [said], "links": {}}
    monkeypatch.setattr(server, "listed", lambda *_: page)
    monkeypatch.setattr(server, "texts_listed", lambda *_: page)
    monkeypatch.setattr(server, "one", lambda *_: said or {})
    for ask in (
        lambda: channel.look_up("x"),
        lambda: channel.state_of("x"),
        lambda: list(channel.texts_in()),
    ):
        with pytest.raises(ConnectionError):
            ask()


def test_neither_an_address_nor_a_text_nor_the_key_reaches_the_log(channel, server, caplog):
    messages = [mail(), text(), mail(), mail(to="nobody@nowhere")]
    caplog.set_level(logging.DEBUG)
    server.faults.add("500", "hang", "200-page")
    for message in messages:
        channel.send(message)
    secret = server.keys.secrets["test"]
    for canary in ("example.org", "nowhere", "7700900123", "Zoë", secret):
        assert canary not in caplog.text


def test_the_server_refuses_a_token_that_no_key_of_its_made(server):
    token = jwt.encode({"iss": server.keys.service, "iat": 0}, "x" * 36, algorithm="HS256")
    with pytest.raises(Exception, match="API key not found"):
        server.known(f"Bearer {token}")
