"""A worker killed at each step: nothing twice where a repeat is a risk, nothing lost where it is not."""

import os

import pytest
from tests.platform.delivery.engine.conftest import INVITE, WEEKLY, Worker, often, send, states

from equipoise.platform.audit.queries import verdicts
from equipoise.platform.delivery.engine.sealing import event_faults, seal_events
from equipoise.platform.delivery.models import Dispatch, DispatchEvent

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 100 if os.environ.get("EQUIPOISE_STATED") == "1" else 3
POINTS = ("after-claim", "after-compose", "after-sending", "after-provider", "after-settle")
BEFORE_SENDING = POINTS[:2]
MESSAGES = 5
AT_ONCE = 2  # of five, one is marked by itself, and then two and two together
PLACES = 2  # at which each step is killed: of the first messages marked together, and of the next ones


@pytest.mark.parametrize("contact", [WEEKLY, INVITE])
def test_after_a_kill_at_any_step_a_message_is_there_once_or_waits_for_a_person(
    study, people, planned, mail, rescued, contact, monkeypatch
):
    monkeypatch.setattr("equipoise.platform.delivery.engine.sending._MOST", AT_ONCE)
    monkeypatch.setattr("equipoise.platform.delivery.engine.sending._BLINK_SECONDS", 60)
    everybody = people(MESSAGES * ROUNDS * len(POINTS))
    for point in POINTS:
        for number in range(ROUNDS):
            mail.forget()
            rows = planned([everybody.pop() for _ in range(MESSAGES)], contact)
            times = 1 if point in BEFORE_SENDING else number % PLACES + 1
            Worker(EQUIPOISE_CRASH_AT=f"{point}:{times}").killed()
            rescued()
            send()
            check(rows, contact, often(mail), in_doubt=point not in BEFORE_SENDING)
    assert seal_events() == DispatchEvent.objects.count()
    assert list(event_faults(study)) == []
    assert not any(chain.faults for chain in verdicts())


def check(rows, contact, taken, *, in_doubt):
    """What the mail server counted fits to what is stored, and to the study's rule."""
    mine = Dispatch.objects.filter(pk__in=[row.pk for row in rows])
    references = {row.reference for row in mine}
    doubtful = {row.reference for row in mine if row.state == "unknown"}
    repeated = DispatchEvent.objects.filter(dispatch__in=mine, kind="repeated").count()
    assert {row.reference for row in mine if row.state == "sent"} == references - doubtful
    if contact == WEEKLY:
        assert in_doubt <= len(doubtful) <= AT_ONCE * in_doubt
        assert not repeated
        assert set(taken.values()) == {1}
        assert set(taken) | doubtful == references
    else:
        assert in_doubt <= repeated <= AT_ONCE * in_doubt
        assert not doubtful
        assert set(taken) == references
        assert sum(taken.values()) <= MESSAGES + repeated


def test_what_nobody_was_killed_at_is_sent_once_with_what_happened_in_order(people, planned, mail):
    planned(people(3))
    assert send() == 3

    assert states() == {"sent": 3}
    assert set(often(mail).values()) == {1}
    assert len({connection for *_, connection in mail.taken}) == 1
    kinds = DispatchEvent.objects.order_by("pk").values_list("kind", flat=True)
    assert sorted(kinds) == ["sending"] * 3 + ["sent"] * 3
    assert list(kinds)[:2] == ["sending", "sent"]
    assert set(Dispatch.objects.values_list("attempts", "version", "reason")) == {(1, 1, "")}
