"""Whole workers as processes: all of them send, one does the duties, and a signal ends each in good order."""

import signal
import time
from functools import partial

import pytest
from django.conf import settings
from tests.platform.delivery.engine.conftest import WEEKLY, Worker, often, states

from equipoise.platform.audit.models import Seal
from equipoise.platform.database import writing
from equipoise.platform.delivery.models import Dispatch, DispatchEvent, WorkerBeat
from equipoise.platform.operations.marker import HELD
from equipoise.platform.worker.loop import run

pytestmark = pytest.mark.django_db(transaction=True)


def eventually(true):
    until = time.monotonic() + 60
    while not true():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_workers_share_the_messages_and_end_when_they_are_told_to(people, planned, mail, monkeypatch):
    monkeypatch.setattr("equipoise.platform.delivery.channels.smtp.channel.Smtp.at_once", 1)
    some = people(6, "slow")
    workers = [Worker(partial(run, settings.WORKSPACE)) for _ in range(2)]
    eventually(lambda: WorkerBeat.objects.count() == 2)
    planned(some)
    eventually(lambda: len({connection for *_, connection in mail.taken}) >= 2)
    workers[0].tell(signal.SIGTERM)
    assert workers[0].end() == 0
    assert states()["sending"] <= 1  # what it was at is settled, what it held was given back
    planned(some[:2], occasion=2)  # and the other one goes on
    eventually(lambda: Dispatch.objects.filter(contact=WEEKLY, state="sent").count() == 8)
    workers[1].tell(signal.SIGTERM)
    assert workers[1].end() == 0

    assert set(often(mail).values()) == {1}
    assert WorkerBeat.objects.count() == 2


def test_a_single_round_of_a_worker_plans_and_sends_what_is_due(people, planned, mail):
    planned(people(2))
    done = run(settings.WORKSPACE, once=True)

    assert (done["messages planned"], done["messages sent"]) == (
        2,
        4,
    )  # the invitations of a wave that is open
    assert run(settings.WORKSPACE, once=True)["events sealed"] == DispatchEvent.objects.count() == 8
    assert Seal.objects.filter(kind="messages").count() == 1


def test_a_restored_workspace_sends_nothing_until_a_person_says_so(people, planned, mail):
    planned(people(1))
    place = settings.WORKSPACE.folder / HELD
    place.write_text("restored", "utf-8")
    try:
        assert run(settings.WORKSPACE, once=True)["messages sent"] == 0
    finally:
        place.unlink()
    assert states() == {"planned": 2}
    with writing():
        Dispatch.objects.update(carrier="rehearsal")
    assert run(settings.WORKSPACE, once=True)["messages sent"] == 2
    assert mail.taken == []
