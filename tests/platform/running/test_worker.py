"""The worker's loop: each duty in its time, none held up by another that fails."""

import logging
import threading
from contextlib import nullcontext

import pytest
from django.conf import settings
from django.db import OperationalError

from equipoise.platform.processes import only_one
from equipoise.platform.worker import loop
from equipoise.platform.worker.loop import Duty, run

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_threads(monkeypatch):
    """What sends is tried with real processes elsewhere."""

    class Nobody(nullcontext):
        sent = 0

        def __init__(self, *_):
            super().__init__(self)

    monkeypatch.setattr(loop, "Senders", Nobody)


@pytest.fixture
def duties(monkeypatch):
    """A function that gives the worker other duties."""
    return lambda *given: monkeypatch.setattr(loop, "DUTIES", given)


def failing(error):
    def fail():
        raise error

    return fail


@pytest.mark.parametrize(
    "error", [OperationalError("Alice Adams is locked"), ValueError("Alice Adams"), KeyError("Alice Adams")]
)
def test_a_duty_that_fails_is_logged_without_its_values_and_holds_up_no_other(duties, caplog, error):
    duties(Duty("first", 60, failing(error)), Duty("second", 60, lambda: 3))
    with caplog.at_level(logging.ERROR, "equipoise.worker"):
        done = run(settings.WORKSPACE, once=True)

    assert done == {"first": 0, "second": 3, "messages sent": 0}
    assert [record.getMessage() for record in caplog.records] == ["first failed"]


def test_a_duty_is_done_again_when_its_time_has_come_and_not_before(duties, monkeypatch):
    seconds, counted = [0.0], {"often": 0, "seldom": 0}
    stopping = threading.Event()
    monkeypatch.setattr(loop.time, "monotonic", lambda: seconds[0])
    monkeypatch.setattr(loop.threading, "Event", lambda: stopping)

    def count(name):
        counted[name] += 1
        return 1

    def wait(_):
        seconds[0] += 5
        if seconds[0] > 60:
            stopping.set()

    monkeypatch.setattr(stopping, "wait", wait)
    duties(Duty("often", 10, lambda: count("often")), Duty("seldom", 40, lambda: count("seldom")))

    assert run(settings.WORKSPACE) == counted | {"messages sent": 0}
    assert counted == {"often": 7, "seldom": 2}


def test_whoever_is_told_to_stop_begins_no_further_duty(duties, monkeypatch):
    stopping = threading.Event()
    monkeypatch.setattr(loop.threading, "Event", lambda: stopping)
    duties(Duty("first", 1, lambda: stopping.set() or 1), Duty("second", 1, lambda: 1))

    assert run(settings.WORKSPACE) == {"first": 1, "second": 0, "messages sent": 0}


def test_a_second_worker_sends_and_leaves_the_duties_to_the_first_until_it_ends(duties, monkeypatch):
    monkeypatch.setattr(loop, "send_round", lambda workspace, carrier, stop: 5)
    duties(Duty("first", 60, lambda: 1))
    with only_one(settings.WORKSPACE.folder / loop.LOCK, "taken"):
        assert run(settings.WORKSPACE, once=True) == {"first": 0, "messages sent": 5}
    assert run(settings.WORKSPACE, once=True) == {"first": 1, "messages sent": 5}


def test_no_two_duties_have_one_name():
    assert len({duty.name for duty in loop.DUTIES}) == len(loop.DUTIES)
