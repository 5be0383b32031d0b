"""Messages by Notify from the plan to the end, through its faults: counted at the server, not in our tables."""

from collections import Counter
from datetime import timedelta

import pytest
from tests.platform.delivery.engine.conftest import INVITE, WEEKLY, rescued, send, states  # noqa: F401
from tests.platform.delivery.receipts.conftest import carried, people  # noqa: F401 - fixtures
from tests.platform.people.conftest import HEADER

from equipoise.platform.clock import now
from equipoise.platform.delivery.models import Alarm, CarrierPause, ClosedAddress, Dispatch, DispatchEvent
from equipoise.platform.delivery.receipts.polling import poll
from equipoise.platform.delivery.watch.watching import watch
from equipoise.platform.people.actions import update_roster
from equipoise.platform.rehearsal.notify_server import NotifyServer
from equipoise.platform.rehearsal.notify_server.limits import Limits

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock(people):  # noqa: F811
    """The server's: a list of one moment."""
    return [now()]


@pytest.fixture
def server(carried, clock):  # noqa: F811
    """A server by whose live key the workspace sends."""
    with NotifyServer(clock=lambda: clock[0], per_day=1000) as running:
        carried(running.address, running.keys.key("live"))
        yield running


@pytest.fixture
def planned(people):  # noqa: F811
    """A function that plans a message for everybody, due now."""

    def plan(contact=WEEKLY, occasion=1):
        due = now()
        said = {"due_at": due, "next_at": due, "last_at": due + timedelta(days=7), "carrier": "notify"}
        channel = "sms" if contact == WEEKLY else "email"
        rows = [
            Dispatch(
                study=one.study, participant=one, contact=contact, occasion=occasion, channel=channel, **said
            )
            for one in people
        ]
        return Dispatch.objects.bulk_create(rows)

    return plan


def after_the_pause(at):
    at(CarrierPause.objects.get().until + timedelta(seconds=1))


def often(server):
    """How often Notify took each message."""
    return Counter(message.reference for message in server.messages)


@pytest.mark.parametrize("contact", [WEEKLY, INVITE])
def test_each_goes_out_once_in_the_words_of_the_study_and_is_delivered(server, planned, people, contact):  # noqa: F811
    planned(contact)
    assert send("notify") == 3
    assert states() == {"sent": 3}
    assert set(often(server).values()) == {1}
    wanted = {"+447700900123", "+447700900124"} if contact == WEEKLY else None
    assert wanted is None or {message.to for message in server.messages} == wanted
    assert all("http" in message.body for message in server.messages if contact == INVITE)
    assert all(message.unsubscribe is None or message.kind == "email" for message in server.messages)


@pytest.mark.parametrize("fault", ["500-taken", "drop-taken", "201-half", "200-page"])
def test_what_was_taken_although_the_answer_failed_is_known_by_reference_and_never_repeated(
    server,
    planned,
    rescued,  # noqa: F811
    at,
    fault,
):
    planned()
    server.faults.add(fault)
    send("notify")
    assert states() == {"unknown": 1, "planned": 2}
    rescued()
    after_the_pause(at)
    send("notify")
    assert states() == {"delivered": 1, "sent": 2}
    assert sorted(often(server).values()) == [1, 1, 1]


@pytest.mark.parametrize("fault", ["500", "drop", "502-page"])
def test_what_notify_does_not_know_is_repeated_where_the_study_accepts_that_and_else_waits_for_a_person(
    server,
    planned,
    rescued,  # noqa: F811
    at,
    fault,
):
    planned(INVITE)
    planned(WEEKLY)
    server.faults.add(fault, fault, fault, fault, fault, fault)
    for _ in range(6):
        send("notify")
        after_the_pause(at)
    assert states() == {"unknown": 6}
    rescued()
    send("notify")
    assert Counter(Dispatch.objects.values_list("contact", "state")) == {
        (INVITE, "sent"): 3,
        (WEEKLY, "unknown"): 3,
    }
    assert DispatchEvent.objects.filter(kind="repeated").count() == 3
    assert sorted(often(server).values()) == [1, 1, 1]


def test_what_notify_lists_later_than_it_was_asked_needs_no_person(server, planned, rescued):  # noqa: F811
    planned()
    server.faults.add("500-taken")
    send("notify")
    hidden, server.listed = server.listed, lambda asked, key: {"notifications": [], "links": {}}
    rescued()
    assert states()["unknown"] == 1
    server.listed = hidden
    assert poll() >= 1
    assert states()["unknown"] == 0
    assert len(server.messages) == 1


def test_the_rate_limit_makes_the_same_messages_wait_without_an_attempt_burnt(server, planned, at):
    planned()
    server.limits = Limits(1, 1000)  # a bucket of two
    send("notify")
    assert states() == {"sent": 2, "planned": 1}
    assert Dispatch.objects.get(state="planned").attempts == 0
    send("notify")  # in the pause nobody asks
    server.limits = Limits(3000, 1000)
    assert states() == {"sent": 2, "planned": 1}
    after_the_pause(at)
    send("notify")
    assert states() == {"sent": 3}
    assert set(often(server).values()) == {1}


def test_after_the_daily_limit_the_rest_goes_out_tomorrow_and_staff_are_told_once(server, planned, at, clock):
    planned()
    server.limits = Limits(3000, 1)
    send("notify")
    assert states() == {"sent": 1, "planned": 2}
    assert CarrierPause.objects.get().reason == "daily-limit"
    for _ in range(3):
        watch()
    assert Alarm.objects.filter(kind="carrier").count() == 1
    assert CarrierPause.objects.get().until.date() == clock[0].date() + timedelta(days=1)
    after_the_pause(at)
    clock[0] = now()
    server.limits = Limits(3000, 1000)
    send("notify")
    at(now() + timedelta(hours=12))  # past the quiet hours of the night
    send("notify")
    assert states() == {"sent": 3}
    assert set(often(server).values()) == {1}


def test_a_number_that_fails_for_good_is_sent_nothing_more_until_the_roster_brings_another(
    server,
    planned,
    people,  # noqa: F811
    at,
    alice,
    tmp_path,
):
    planned()
    send("notify")
    first = next(each for each in server.messages)
    server.settle(first, "permanent-failure")
    at(now() + timedelta(hours=1))
    poll()
    assert states() == {"failed": 1, "delivered": 2}
    closed = ClosedAddress.objects.get()
    assert closed.participant_id == Dispatch.objects.get(state="failed").participant_id
    planned(occasion=2)
    send("notify")
    again = Dispatch.objects.get(participant=closed.participant_id, occasion=2)
    assert (again.state, again.reason) == ("cancelled", "closed-address")
    assert len(server.messages) == 5

    assert closed.participant_id == people[0].pk
    path = tmp_path / "newer" / "cohort-2020.csv"
    path.parent.mkdir()
    path.write_text(
        f"{HEADER}\nT20-0000,person.0@trainees.example.org,07700 900125,north,2020-07-13\n", "utf-8"
    )
    update_roster(alice, people[0].study, path)
    planned(occasion=3)
    send("notify")
    assert [message.to for message in server.messages[5:]].count("+447700900125") == 1
