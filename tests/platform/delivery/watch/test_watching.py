"""Due against sent: when an alarm begins, who is told, when it is over."""

import logging
from datetime import timedelta

import pytest

from equipoise.platform.clock import now
from equipoise.platform.delivery.models import Alarm, CarrierPause, ConfirmedContact, Dispatch
from equipoise.platform.delivery.watch import telling
from equipoise.platform.delivery.watch.watching import behind, watch
from equipoise.platform.registry.actions import move_study
from equipoise.platform.workspace import Mail, Watching

pytestmark = pytest.mark.django_db


class Server:
    """A mail server that keeps what it is given, or refuses it."""

    def __init__(self, down=False):
        self.down, self.sent = down, []

    def send_messages(self, messages):
        if self.down:
            raise ConnectionRefusedError
        self.sent.extend(messages)
        return len(messages)


@pytest.fixture
def server(monkeypatch, settings):
    """The second mail server, and somebody who is told by it."""
    found = Server()
    mail = Mail(host="alarms.example.org", sender="alarms@example.org")
    told = Watching(tell=("lead@example.org",), mail=mail)
    changed = settings.WORKSPACE.settings.model_copy(update={"watching": told})
    monkeypatch.setattr(settings.WORKSPACE, "settings", changed)
    monkeypatch.setattr(telling, "_server", lambda mail: found)
    return found


def kinds():
    return sorted(Alarm.objects.filter(ended_at=None).values_list("kind", flat=True))


def test_what_is_due_for_longer_than_an_hour_is_told_once_and_over_when_it_has_gone(
    swing, people, dispatches, server, caplog
):
    dispatches(people[:4], since=timedelta(minutes=50))
    assert (watch(), kinds()) == (0, [])
    dispatches(people[4:7], since=timedelta(minutes=90))
    with caplog.at_level(logging.WARNING, "equipoise.delivery"):
        assert (watch(), watch()) == (1, 0)
    (message,) = server.sent
    assert message.to == ["lead@example.org"]
    assert "3 messages are due and not sent" in message.body
    assert "/office/studies/swing/messages/" in message.body
    assert caplog.text.count("alarm behind of swing") == 1
    assert not any(person.key in message.body + caplog.text for person in people)
    Dispatch.objects.update(state="sent", sent_at=now())
    watch()
    assert kinds() == []
    assert Alarm.objects.get().ended_at == now()
    assert len(server.sent) == 1


def test_what_was_tried_and_put_off_is_late_too(swing, people, dispatches):
    later = now() + timedelta(hours=1)
    dispatches(people[:2], since=timedelta(hours=2), next_at=later)
    assert behind().late == 0  # planned for later, as under a provider's limit
    Dispatch.objects.update(attempts=4)
    assert behind().late == 2
    watch()
    assert kinds() == ["behind"]


def test_a_study_that_is_paused_is_not_behind(swing, alice, people, dispatches):
    dispatches(people[:3], since=timedelta(hours=5))
    move_study(alice, swing, "paused", reason="A wrong link in the text")
    assert watch() == 0
    assert behind().due == 0


def test_what_waits_for_a_file_is_not_behind(swing, people, dispatches):
    dispatches(people[:3], since=timedelta(hours=5), channel="letter", carrier="post")
    assert watch() == 0


def test_what_was_missed_is_an_alarm_for_a_day(swing, at, people, dispatches):
    ConfirmedContact.objects.all().delete()  # nothing else is to go out
    dispatches(people[:3], since=timedelta(days=7, hours=2), state="missed", reason="late")
    watch()
    assert Alarm.objects.get().numbers == {"late": 0, "missed": 3, "oldest": None}
    at(now() + timedelta(days=1))
    watch()
    assert kinds() == []


def test_a_message_in_doubt_is_told_once_a_person_has_to_settle_it(swing, people, dispatches):
    dispatches(people[:1], state="unknown", since=timedelta(hours=3))
    asked = now() + timedelta(minutes=5)  # the provider is asked first
    dispatches(people[1:2], state="unknown", since=timedelta(hours=3), lease_until=asked)
    watch()
    assert kinds() == ["unknown"]
    assert Alarm.objects.get().numbers == {"number": 1}
    assert telling.alarm_text(Alarm.objects.get()).startswith("1 message may have gone out or not")


@pytest.mark.parametrize(("bounced", "found"), [(4, []), (5, ["bounces"])])
def test_addresses_that_bounce_are_told_from_one_in_twenty_on(swing, people, dispatches, bounced, found):
    dispatches(people[:15], state="delivered", since=timedelta(hours=1))
    dispatches(people[15:], occasion=2, state="failed", reason="field-missing", since=timedelta(hours=1))
    dispatches(
        people[:bounced], occasion=3, state="failed", reason="closed-address", since=timedelta(hours=1)
    )
    watch()
    assert kinds() == found


def test_one_in_twenty_of_the_last_two_hundred_is_not_too_many(swing, people, dispatches):
    for occasion in range(1, 6):
        dispatches(occasion=occasion, state="sent", since=timedelta(hours=1))
    dispatches(people[:5], occasion=6, state="failed", reason="closed-address", since=timedelta(hours=1))
    watch()
    assert kinds() == []


def test_a_carrier_at_rest_is_told_but_not_its_pace(swing, server):
    CarrierPause.objects.create(carrier="smtp", until=now() + timedelta(seconds=30), reason="rate")
    CarrierPause.objects.create(carrier="notify", until=now() + timedelta(hours=9), reason="daily-limit")
    assert watch() == 1
    assert "Nothing goes out by notify until" in server.sent[0].body
    at_rest = Alarm.objects.get()
    assert (at_rest.study, at_rest.numbers["reason"]) == (None, "daily-limit")


def test_mail_that_cannot_go_out_is_tried_again_and_the_log_does_not_hold_it(
    swing, people, dispatches, server, caplog
):
    dispatches(people[:1], since=timedelta(hours=2))
    server.down = True
    watch()
    assert Alarm.objects.get().told_at is None
    assert "ConnectionRefusedError" in caplog.text
    assert "example.org" not in caplog.text
    server.down = False
    watch()
    assert Alarm.objects.get().told_at == now()
    assert len(server.sent) == 1
