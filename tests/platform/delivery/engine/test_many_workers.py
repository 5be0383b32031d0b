"""Several workers at one queue, and one that slept past its time: each message once, counted where it arrives."""

import signal
import time
from datetime import timedelta

import pytest
from tests.platform.delivery.engine.conftest import Worker, often, send, states

from equipoise.platform.database import writing
from equipoise.platform.delivery.engine.beats import real_now
from equipoise.platform.delivery.engine.claims import claim
from equipoise.platform.delivery.engine.rescue import rescue
from equipoise.platform.delivery.models import Dispatch, DispatchEvent

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("number", [2, 8])
def test_workers_at_one_queue_send_each_message_once(people, planned, mail, monkeypatch, number):
    monkeypatch.setattr("equipoise.platform.delivery.channels.smtp.channel.Smtp.at_once", 7)
    rows = planned(people(60))
    workers = [Worker() for _ in range(number)]
    assert [worker.end() for worker in workers] == [0] * number

    assert states() == {"sent": 60}
    assert often(mail) == dict.fromkeys(Dispatch.objects.values_list("reference", flat=True), 1)
    assert len({connection for *_, connection in mail.taken}) > 1
    assert DispatchEvent.objects.filter(kind="sent").count() == len(rows)


def test_a_worker_that_slept_past_its_time_sends_nothing_that_another_was_given(
    people, planned, mail, rescued
):
    planned(people(12, "slow"))
    sleeper = Worker()
    until = time.monotonic() + 30
    while len(mail.seen) < 3:  # it waits for an answer now, for a moment
        assert time.monotonic() < until
        time.sleep(0.01)
    sleeper.tell(signal.SIGSTOP)
    while len(mail.taken) < 3:
        assert time.monotonic() < until
        time.sleep(0.01)
    rescued()
    assert states()["unknown"] == 1
    send()
    assert states()["planned"] == states()["claimed"] == 0
    sleeper.tell(signal.SIGCONT)
    assert sleeper.end() == 0

    assert set(often(mail).values()) == {1}
    assert states() == {"sent": 12}  # the sleeper knows what became of the one that was in doubt


def test_a_worker_whose_time_is_over_gives_back_what_it_holds_and_sends_nothing(
    people, planned, mail, monkeypatch
):
    planned(people(3))
    kept = Dispatch.objects.values_list("pk", flat=True)

    def late(carrier, number):
        held = claim(carrier, number)
        with writing():
            Dispatch.objects.filter(pk__in=list(kept)).update(lease_until=real_now() - timedelta(seconds=1))
        return held

    monkeypatch.setattr("equipoise.platform.delivery.engine.sending.claim", late)
    calls = iter([False, False, False, False, True])
    from equipoise.platform.delivery.engine.sending import send_due

    assert send_due("smtp", stop=lambda: next(calls, True)) == 0
    assert mail.taken == []
    assert states() == {"planned": 3}


def test_a_live_worker_is_not_rescued_however_old_its_work_is(people, planned, mail):
    planned(people(1))
    held = claim("smtp", 5).dispatches
    Dispatch.objects.update(state="sending")

    assert rescue() == 0
    assert states() == {"sending": 1}
    assert held[0].fence == 1
