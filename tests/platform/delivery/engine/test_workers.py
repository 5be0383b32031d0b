"""Whole workers as processes: all of them send, one does the duties, and a signal ends each in good order."""

import signal
import socket
import time
from functools import partial

import pytest
from django.conf import settings
from tests.platform.delivery.engine.conftest import WEEKLY, Worker, often, states

from equipoise.platform.audit.models import Seal
from equipoise.platform.database import writing
from equipoise.platform.delivery.models import Dispatch, DispatchEvent, WorkerBeat
from equipoise.platform.operations.marker import HELD
from equipoise.platform.rehearsal.notify_server import NotifyServer
from equipoise.platform.worker.loop import run
from equipoise.platform.workspace import Carriers, Notify

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


@pytest.fixture
def both(mail, monkeypatch):
    """Notify, which carries some messages while the mail server carries others; and a mail server that takes
    calls and never says a word."""
    with NotifyServer() as notify, socket.create_server(("127.0.0.1", 0)) as silent:
        key = notify.keys.key("test")
        templates = {"email_template": notify.templates["email"], "sms_template": notify.templates["sms"]}
        named = Notify(key="test", address=notify.address, **templates)
        monkeypatch.setenv(named.key_from, key)
        said = {"notify": named, "carriers": Carriers(email="smtp", sms="notify")}
        changed = settings.WORKSPACE.settings.model_copy(update=said)
        monkeypatch.setattr(settings.WORKSPACE, "settings", changed)

        def stuck(carrier):
            if carrier == "notify":
                notify.faults.add("drip")  # a byte now and then, and never an end
                return
            mute = changed.mail.model_copy(update={"port": silent.getsockname()[1]})
            again = changed.model_copy(update={"mail": mute})
            monkeypatch.setattr(settings.WORKSPACE, "settings", again)

        yield stuck


@pytest.mark.parametrize(("stuck", "well"), [("notify", "smtp"), ("smtp", "notify")])
def test_while_one_channel_waits_for_an_answer_without_end_the_other_goes_on(
    people, planned, both, stuck, well
):
    some = people(6)
    both(stuck)
    planned(some[:2], carrier=stuck)
    worker = Worker(partial(run, settings.WORKSPACE))
    eventually(lambda: Dispatch.objects.filter(carrier=stuck, state="sending").exists())
    planned(some, occasion=2, carrier=well)
    eventually(lambda: Dispatch.objects.filter(occasion=2, state="sent").count() == 6)

    assert Dispatch.objects.filter(carrier=stuck, state="sending").exists()
    assert not Dispatch.objects.filter(carrier=stuck, state="sent").exists()
    worker.tell(signal.SIGKILL)
    worker.killed()
