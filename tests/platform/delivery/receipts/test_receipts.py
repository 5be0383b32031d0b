"""Receipts twice, out of order, before we have stored that a message was taken, and of nobody we know."""

import itertools
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from equipoise.platform.clock import now
from equipoise.platform.delivery.models import ClosedAddress, DispatchEvent, Receipt
from equipoise.platform.delivery.receipts.applying import apply_waiting, receive
from equipoise.platform.people.models import Lookup, RosterImport

pytestmark = pytest.mark.django_db

ENDS = {
    "delivered": "delivered",
    "permanent-failure": "failed",
    "temporary-failure": "failed",
    "technical-failure": "failed",
}
STATUSES = ["created", "sending", "pending", "sent", *ENDS]
OCCASIONS = itertools.count(1)


def tell(dispatch, status, minutes=0, provider_id=None, **more):
    told = {"carrier": "notify", "reference": dispatch.reference, **more}
    moment = dispatch.due_at + timedelta(minutes=minutes)
    receive(provider_id=provider_id or f"id-{dispatch.reference}", status=status, told_at=moment, **told)


def events(dispatch):
    return list(DispatchEvent.objects.filter(dispatch=dispatch).order_by("pk").values_list("kind", "code"))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    told=st.lists(
        st.tuples(st.sampled_from(STATUSES), st.integers(1, 50)),
        min_size=1,
        max_size=6,
        unique_by=lambda each: each[1],
    ),
    data=st.data(),
)
def test_in_any_order_and_however_often_the_last_end_by_the_providers_time_counts(sent, told, data):
    """Some are told before the dispatch is known to be sent, or while a worker holds it."""
    state = data.draw(st.sampled_from(["sending", "claimed", "unknown", "sent"]))
    dispatch = sent(occasion=next(OCCASIONS), state=state)
    order = data.draw(st.permutations(told + data.draw(st.lists(st.sampled_from(told), max_size=4))))
    early = data.draw(st.integers(0, len(order)))
    for status, minutes in order[:early]:
        tell(dispatch, status, minutes)
    dispatch.refresh_from_db()
    if state in ("sending", "claimed"):
        assert dispatch.state == state
        type(dispatch).objects.filter(pk=dispatch.pk).update(state="sent")
    for status, minutes in order[early:]:
        tell(dispatch, status, minutes)
    apply_waiting()
    dispatch.refresh_from_db()
    ended = [(minutes, ENDS[status]) for status, minutes in told if status in ENDS]
    assert dispatch.state == (max(ended)[1] if ended else "sent")
    assert dispatch.reason == ("refused" if dispatch.state == "failed" else "")
    kinds = [kind for kind, _ in events(dispatch) if kind != "sent"]
    assert sorted(kinds) == sorted(end for _, end in ended)  # each is told once
    assert not Receipt.objects.filter(reference=dispatch.reference, applied_at=None).exists()
    assert apply_waiting() == 0


def test_a_receipt_of_a_message_that_nobody_knows_is_kept_and_applied_once_it_is_known(sent):
    receive("notify", "id-early", "0" * 32, "delivered", now())
    assert apply_waiting() == 0
    dispatch = sent(reference="0" * 32, provider_id="")
    assert apply_waiting() == 1
    dispatch.refresh_from_db()
    assert (dispatch.state, dispatch.provider_id) == ("delivered", "id-early")
    assert events(dispatch) == [("delivered", "delivered")]


def test_a_receipt_without_our_reference_is_known_by_the_providers_name(sent):
    dispatch = sent()
    tell(dispatch, "delivered", reference="")
    dispatch.refresh_from_db()
    assert dispatch.state == "delivered"


def test_another_carriers_name_is_not_mistaken_for_ours(sent):
    dispatch = sent()
    tell(dispatch, "delivered", carrier="smtp")
    dispatch.refresh_from_db()
    assert dispatch.state == "sent"


@pytest.mark.parametrize("state", ["unknown", "planned", "cancelled", "missed"])
def test_that_a_message_was_delivered_settles_what_was_unknown_and_stops_a_repetition(sent, state):
    dispatch = sent(state=state, provider_id="", sent_at=None)
    tell(dispatch, "delivered")
    dispatch.refresh_from_db()
    assert (dispatch.state, dispatch.reason) == ("delivered", "")
    assert dispatch.sent_at == dispatch.due_at


def test_that_a_message_is_under_way_settles_what_was_unknown(sent):
    dispatch = sent(state="unknown", provider_id="")
    tell(dispatch, "sending")
    dispatch.refresh_from_db()
    assert (dispatch.state, events(dispatch)) == ("sent", [("sent", "sending")])


def test_a_permanent_failure_closes_the_number_and_no_other_address(sent, people):
    dispatch = sent()
    tell(dispatch, "permanent-failure")
    tell(dispatch, "permanent-failure")
    closed = ClosedAddress.objects.get()
    assert (closed.participant, closed.column) == (people[0], "mobile")
    assert closed.digest == Lookup.objects.get(participant=people[0], column="mobile").digest


def test_a_temporary_failure_closes_nothing(sent):
    dispatch = sent()
    tell(dispatch, "temporary-failure")
    dispatch.refresh_from_db()
    assert dispatch.state == "failed"
    assert not ClosedAddress.objects.exists()


def test_what_bounced_before_the_roster_was_brought_up_to_date_does_not_close_the_address_of_today(sent):
    dispatch = sent()
    RosterImport.objects.create(
        study=dispatch.study, kind="update", file_hash="x", at=now(), actor="staff:1", counts={}
    )
    tell(dispatch, "permanent-failure")
    dispatch.refresh_from_db()
    assert dispatch.state == "failed"
    assert not ClosedAddress.objects.exists()
