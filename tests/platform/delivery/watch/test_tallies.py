"""Counting dispatches: now, or by the worker where there are very many."""

from datetime import timedelta

import pytest

from equipoise.platform.clock import now
from equipoise.platform.delivery.models import Dispatch, DispatchEvent
from equipoise.platform.delivery.watch import counting, tallies
from equipoise.platform.delivery.watch.counting import count_dispatches
from equipoise.platform.delivery.watch.tallies import dispatch_states, tally

pytestmark = pytest.mark.django_db


def test_dispatches_are_counted_by_occasion_and_state_with_the_parts_of_texts(swing, people, dispatches):
    dispatches(people[:4], state="sent", parts=2)
    dispatches(people[4:6], state="delivered", parts=1)
    dispatches(people[6:9], state="cancelled", reason="left")
    dispatches(people[:5], contact="before.invite", channel="email", carrier="smtp")
    found = tally(swing)
    texts = found.one("weekly-message", 1)
    assert texts.states == {"sent": 4, "delivered": 2, "cancelled": 3}
    assert (texts.people, texts.parts, texts.of("sent", "delivered")) == (6, 10, 6)
    assert found.one("before.invite", 1).states == {"planned": 5}
    assert (found.everything.people, found.everything.parts) == (11, 10)
    assert found.one("none", 1).people == 0
    assert found.at is None
    assert dispatch_states()["sent"] == 4
    assert set(dispatch_states()) == set(Dispatch.STATES)


def test_very_many_are_counted_by_the_worker_again_only_after_something_happened(
    swing, at, people, dispatches, monkeypatch
):
    monkeypatch.setattr(tallies, "MANY", 10)
    monkeypatch.setattr(counting, "MANY", 10)
    dispatches(people[:9], state="sent")
    assert count_dispatches() == 0
    (last,) = dispatches(people[9:10])
    assert count_dispatches() == 1
    counted = now()
    assert (tally(swing).at, tally(swing).everything.states) == (counted, {"sent": 9, "planned": 1})
    at(counted + timedelta(minutes=2))
    Dispatch.objects.filter(pk=last.pk).update(state="sent")
    assert count_dispatches() == 0
    assert tally(swing).everything.of("sent") == 9  # as of then, and the page says so
    DispatchEvent.objects.create(dispatch=last, kind="sent", source="worker", at=now())
    assert count_dispatches() == 1
    assert tally(swing).everything.of("sent") == 10


def test_what_is_only_planned_is_counted_within_ten_minutes(swing, at, people, dispatches, monkeypatch):
    monkeypatch.setattr(tallies, "MANY", 10)
    monkeypatch.setattr(counting, "MANY", 10)
    dispatches(people[:10])
    count_dispatches()
    dispatches(people[10:])
    at(now() + timedelta(minutes=10))
    count_dispatches()
    assert tally(swing).everything.people == 20
