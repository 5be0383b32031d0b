"""What becomes of an attempt: tried again later and later, failed, in doubt; and asking the provider."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.platform.conftest import BEFORE_LAUNCH
from tests.platform.delivery.engine.conftest import INVITE, WEEKLY, send, states

from equipoise.platform.delivery.channels.contract import Outcome, Record
from equipoise.platform.delivery.engine import rescue as rescuing
from equipoise.platform.delivery.engine.beats import real_now
from equipoise.platform.delivery.engine.claims import claim
from equipoise.platform.delivery.engine.rescue import rescue
from equipoise.platform.delivery.engine.settling import ATTEMPTS, back_off_seconds, settle
from equipoise.platform.delivery.models import CarrierPause, ClosedAddress, Dispatch, DispatchEvent

pytestmark = pytest.mark.django_db


@pytest.fixture
def sending(people, planned):
    """A function that gives a dispatch that is being sent."""

    def make(contact=WEEKLY, **fields):
        planned(people(1), contact, **fields)
        held = claim("smtp", 1).dispatches[0]
        Dispatch.objects.filter(pk=held.pk).update(state="sending", sent_at=BEFORE_LAUNCH)
        return held

    return make


def found(dispatch):
    return Dispatch.objects.get(pk=dispatch.pk)


@given(st.text(min_size=1), st.integers(1, 40))
def test_each_wait_is_longer_than_the_one_before_until_four_hours_and_the_same_each_time(reference, attempts):
    wait = back_off_seconds(reference, attempts)
    assert wait == back_off_seconds(reference, attempts)
    assert 45 * 2 ** min(attempts - 1, 8) * 0.9 <= wait <= 5 * 3600
    assert attempts > 7 or back_off_seconds(reference, attempts + 2) > wait


def test_what_failed_together_is_not_tried_together():
    assert len({round(back_off_seconds(f"{number:032x}", 3)) for number in range(50)}) > 20


def test_a_busy_mailbox_is_tried_again_for_the_last_time_at_the_last_moment_and_then_missed(
    people, planned, mail, at
):
    planned(people(1, "busy"), within=timedelta(hours=2))
    tried = []
    for _ in range(40):
        send()
        row = Dispatch.objects.get()
        if row.state != "planned":
            break
        tried.append(row.next_at)
        at(row.next_at)
    assert row.state == "missed"
    assert tried[-1] == row.last_at
    assert 5 <= len(tried) < ATTEMPTS
    assert row.sent_at is None


def test_after_twelve_attempts_it_is_over(people, planned, mail, at):
    planned(people(1, "busy"), within=timedelta(days=30))
    while (row := Dispatch.objects.get()).state == "planned":
        at(row.next_at)
        send()
    assert (row.state, row.reason, row.attempts) == ("failed", "no-answer", ATTEMPTS)
    assert row.next_at.hour in range(8, 20)  # no attempt in the night


def test_who_has_no_mailbox_is_written_to_no_more(people, planned, mail):
    some = people(1, "gone")
    planned(some)
    planned(some, occasion=2)
    assert send() == 0

    assert set(Dispatch.objects.values_list("state", "reason")) == {
        ("failed", "refused"), ("cancelled", "closed-address"),
    }  # fmt: skip
    assert ClosedAddress.objects.get().column == "email"
    assert DispatchEvent.objects.get(kind="failed").code == "550"


def test_a_wait_that_the_provider_asks_for_burns_no_attempt_and_holds_the_whole_carrier(sending):
    row = sending()
    assert settle(row.pk, row.fence, Outcome("later", "429", burnt=False, pause_seconds=30))

    assert (found(row).state, found(row).attempts) == ("planned", 0)
    assert CarrierPause.objects.get().until == BEFORE_LAUNCH + timedelta(seconds=30)
    assert not claim("smtp", 1)


def test_settling_twice_is_settling_once(sending):
    row = sending()
    assert settle(row.pk, row.fence, Outcome("sent", provider_id="p1"))
    assert not settle(row.pk, row.fence, Outcome("refused", "550"))

    assert (found(row).state, found(row).provider_id) == ("sent", "p1")
    assert DispatchEvent.objects.count() == 1


def test_an_older_claim_cannot_settle_what_a_newer_one_holds(sending):
    row = sending()
    Dispatch.objects.update(fence=row.fence + 1)
    assert not settle(row.pk, row.fence, Outcome("sent"))
    assert found(row).state == "sending"


def test_a_receipt_that_was_faster_than_we_stays_and_the_providers_name_is_added(sending):
    row = sending()
    Dispatch.objects.update(state="delivered")
    assert not settle(row.pk, row.fence, Outcome("sent", provider_id="p1"))
    assert (found(row).state, found(row).provider_id) == ("delivered", "p1")


class Asked:
    """A provider that can be asked."""

    asks = True

    def __init__(self, knows):
        self.knows = knows

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def look_up(self, reference):
        if isinstance(self.knows, Exception):
            raise self.knows
        return self.knows


@pytest.fixture
def in_doubt(sending, monkeypatch):
    """A function that has a dispatch in doubt for long enough, and asks a provider that knows something."""

    def ask(knows, contact=WEEKLY):
        row = sending(contact)
        settle(row.pk, row.fence, Outcome("unknown", "too-slow"))
        assert rescue() == 0  # the provider is given time
        monkeypatch.setattr(rescuing, "channel_of", lambda workspace, carrier: Asked(knows))
        Dispatch.objects.update(lease_until=real_now() - timedelta(seconds=1))
        rescue()
        return found(row)

    return ask


@pytest.mark.parametrize("contact", [WEEKLY, INVITE])
@pytest.mark.parametrize("status", ["sent", "delivered", "failed"])
def test_what_the_provider_knows_settles_a_doubt(in_doubt, status, contact):
    row = in_doubt(Record("p1", status, "x", closes_address=status == "failed"), contact)
    assert (row.state, row.provider_id) == (status, "p1")
    assert ClosedAddress.objects.exists() == (status == "failed")
    assert DispatchEvent.objects.last().source == "provider"


@pytest.mark.parametrize(("contact", "state"), [(WEEKLY, "unknown"), (INVITE, "planned")])
def test_what_the_provider_does_not_know_is_decided_by_the_studys_rule(in_doubt, contact, state):
    row = in_doubt(None, contact)
    assert (row.state, row.lease_until) == (state, None)
    assert DispatchEvent.objects.filter(kind="repeated").exists() == (contact == INVITE)
    assert rescue() == 0


def test_a_message_is_repeated_once_and_then_waits_for_a_person(in_doubt, mail):
    row = in_doubt(None, INVITE)
    held = claim("smtp", 1).dispatches[0]
    Dispatch.objects.update(state="sending")
    settle(row.pk, held.fence, Outcome("unknown", "cut"))
    Dispatch.objects.update(lease_until=real_now() - timedelta(seconds=1))
    rescue()

    assert (found(row).state, found(row).lease_until) == ("unknown", None)
    assert DispatchEvent.objects.filter(kind="repeated").count() == 1


def test_a_provider_that_cannot_be_asked_is_asked_again_later(in_doubt):
    row = in_doubt(ConnectionError("away"), INVITE)
    assert row.state == "unknown"
    assert row.lease_until > real_now()
    assert states() == {"unknown": 1}
